import { createSigner, type Signer, silentLogger } from '#platform'
import { bytesToHex, HeuristError, type JobId, type JobRequest, type NodeFacts, type PodRecord, type Replica } from '#protocol'
import { DutyCycle } from '../../../src/compute/node/duty-cycle.ts'
import type { ReadyReplica } from '../../../src/compute/node/lease.ts'
import type { LeaseMessage } from '../../../src/compute/node/lease-checks.ts'
import { LeaseRunner } from '../../../src/compute/node/lease-runner.ts'
import { createLinkClient, type LinkClient } from '../../../src/compute/node/link-client.ts'
import type { NodeSocket } from '../../../src/compute/node/link-connection.ts'
import type { EngineResult, RunOptions } from '../../../src/compute/pod/engines/engine.ts'
import { CHAIN_ID, SETTLEMENT } from './chain.ts'
import type { Chance } from './chance.ts'
import { CALM, dial, type Listener, Way, type Weather } from './network.ts'
import { Process, type Schedule } from './schedule.ts'

export const NODE_KINDS = ['honest', 'flaky', 'liar', 'mute', 'weak'] as const
/**
 * `flaky`: its engine fails now and then · `liar`: claims more tokens than it sent · `mute`: stops in the middle of its output ·
 * `weak`: offers a pod that its hardware can not hold.
 */
export type NodeKind = (typeof NODE_KINDS)[number]

export type NodePlan = {
  readonly name: string
  readonly kind: NodeKind
  readonly pods: readonly PodRecord[]
  readonly slots: number
  readonly weather: Weather
  readonly skewMs: number
  readonly isCold: boolean
}
export type NodeWatcher = {
  leased(node: SimulatedNode, message: LeaseMessage): void
  /** A session goes on after a cut. */
  resumed(node: SimulatedNode): void
}
export type NodeWorld = {
  readonly schedule: Schedule
  readonly chance: Chance
  readonly listener: () => Listener | null
  readonly watcher: NodeWatcher
  /** Rewrites the facts that the node tells; the planted bugs' seam. */
  readonly tellFacts: (facts: NodeFacts) => NodeFacts
}

const LOAD_MS = 2_000

/** A node: the production link, leases and signing over a simulated engine and network. Its key and its memory of leases survive a crash. */
export class SimulatedNode {
  readonly plan: NodePlan
  readonly signer: Signer
  readonly way: Way
  readonly #world: NodeWorld
  readonly #chance: Chance
  readonly #admitted = new Set<string>()
  readonly #warm = new Set<string>()
  readonly #loading = new Map<string, Promise<void>>()
  #busy = new Map<string, number>()
  #process: Process
  #link: LinkClient | null = null
  #socket: ReturnType<typeof dial> | null = null
  #outputs = 0
  /** Connections that it opened. */
  dials = 0
  /** Whose request it is, and which jobs its engine works on. */
  readonly #jobs = new WeakMap<object, JobId>()
  #computing = new Set<JobId>()

  constructor(plan: NodePlan, world: NodeWorld) {
    this.plan = plan
    this.#world = world
    this.#chance = world.chance.stream(plan.name)
    this.signer = createSigner(bytesToHex(this.#chance.bytes(32)))
    this.way = new Way(plan.weather)
    this.#process = new Process(world.schedule, plan.skewMs)
    if (!plan.isCold) for (const pod of plan.pods) this.#warm.add(pod.podId)
  }

  get isUp(): boolean {
    return this.#process.isAlive && this.#link !== null
  }

  /** Its link to the router stands, and neither loses nor holds up a message. */
  get isCalm(): boolean {
    return this.isUp && this.#link?.state.phase === 'up' && !this.way.isCut && this.way.weather === CALM
  }

  isComputing(jobId: JobId): boolean {
    return this.isUp && this.#computing.has(jobId)
  }

  #heard(message: LeaseMessage): void {
    this.#jobs.set(message.request, message.jobId)
    this.#world.watcher.leased(this, message)
  }

  get warmPods(): ReadonlySet<string> {
    return this.#warm
  }

  start(): void {
    if (this.isUp) return
    this.#process = new Process(this.#world.schedule, this.plan.skewMs)
    const process = this.#process
    const { clock } = process
    const link = createLinkClient(
      {
        urls: () => ['ws://router/node'],
        pins: { chainId: CHAIN_ID, settlement: SETTLEMENT, router: null },
        backoff: { baseMs: 200, maxMs: 3_000 },
      },
      {
        signer: this.signer,
        clock,
        random: this.#chance.next,
        logger: silentLogger,
        facts: () => this.facts(),
        dial: () => this.#dial(process),
        handlers: {
          up: welcome => {
            runner.linkUp(welcome.separator)
            // As a node does when it hears which pods there are.
            this.#announce()
          },
          traffic: message => {
            if (message.type === 'scale') this.#scale(message.podId, message.action)
            else if (message.type !== 'pods' && message.type !== 'logs') {
              if (message.type === 'lease') this.#heard(message)
              runner.receive(message)
            }
          },
          down: reason => runner.linkDown(reason),
          holdsLeases: () => runner.counts.active > 0,
        },
      },
    )
    const runner = new LeaseRunner({
      link,
      clock,
      logger: silentLogger,
      signer: this.signer,
      journal: { admit: ({ leaseId }) => !this.#admitted.has(leaseId) && this.#admitted.add(leaseId) !== null },
      pod: podId => this.plan.pods.find(pod => pod.podId === podId),
      ready: (pod, { onLoading }) => this.#ready(pod, onLoading),
    })
    this.#link = link
    link.start()
  }

  /** kill -9. `says` false: the machine lost its power, and nobody hears of it. */
  crash(says: boolean): void {
    if (!this.isUp) return
    if (says) this.#socket?.terminate()
    this.#process.kill()
    this.#link = null
    this.#busy = new Map()
    this.#loading.clear()
    this.#computing = new Set()
  }

  /** Its connection breaks, with what is under way; nobody gets through until the way is healed. */
  breakLink(): void {
    this.way.cut()
    this.#socket?.sever()
  }

  /** Its way works from now on; a link on which messages were lost begins anew. */
  calm(): void {
    this.way.heal()
    if (this.way.weather === CALM) return
    this.way.weather = CALM
    this.#socket?.terminate()
  }

  /** The router's process is gone: its operating system closes the link, if the way is open. */
  routerDied(): void {
    this.#socket?.terminate()
  }

  #dial(owner: Process): NodeSocket {
    const { schedule, chance, listener } = this.#world
    this.dials += 1
    const socket = dial({ schedule, owner, way: this.way, chance }, listener)
    socket.on('message', data => {
      const { type, received } = JSON.parse(String(data)) as { type?: string; received?: number } // cast: a router's text
      if (type === 'welcome' && received! > 0) this.#world.watcher.resumed(this)
    })
    this.#socket = socket
    return socket
  }

  facts(): NodeFacts {
    const { name, kind, slots, pods } = this.plan
    const memoryBytes = kind === 'weak' ? 2 ** 30 : 2 ** 36
    const device = {
      id: 'gpu',
      kind: 'gpu',
      name: 'GPU',
      memoryBytes,
      computeCapability: 9,
      shareBps: 10_000,
      slots: 64,
      benchmark: null,
    } as const
    const stateOf = (podId: string): Replica['state'] => (this.#warm.has(podId) ? 'warm' : this.#loading.has(podId) ? 'loading' : 'cold')
    const replicas = pods.map(({ podId, manifestHash }) => ({
      podId,
      manifestHash,
      deviceId: 'gpu',
      state: stateOf(podId),
      slots,
      unitsPerSecond: 100,
    }))
    return this.#world.tellFacts({ name, software: 'simulated', region: '', devices: [device], replicas })
  }

  #announce(): void {
    this.#link?.send({ type: 'facts', facts: this.facts() })
  }

  #scale(podId: string, action: 'load' | 'evict'): void {
    if (action === 'load') void this.#load(podId)
    else if ((this.#busy.get(podId) ?? 0) === 0 && this.#warm.delete(podId)) this.#announce()
  }

  #load(podId: string): Promise<void> {
    const underWay = this.#loading.get(podId)
    if (this.#warm.has(podId)) return Promise.resolve()
    if (underWay) return underWay
    const loaded = new Promise<void>(resolve => this.#process.clock.after(LOAD_MS, resolve)).then(() => {
      this.#loading.delete(podId)
      this.#warm.add(podId)
      this.#announce()
    })
    this.#loading.set(podId, loaded)
    this.#announce()
    return loaded
  }

  async #ready(pod: PodRecord, onLoading: () => void): Promise<ReadyReplica> {
    const { podId } = pod
    if (!this.#warm.has(podId)) {
      onLoading()
      await this.#load(podId)
    }
    const { clock } = this.#process
    const busy = this.#busy
    const claim = async (): Promise<(() => void) | null> => {
      if ((busy.get(podId) ?? 0) >= this.plan.slots) return null
      busy.set(podId, (busy.get(podId) ?? 0) + 1)
      return () => void busy.set(podId, busy.get(podId)! - 1)
    }
    return { deviceId: 'gpu', duty: new DutyCycle(10_000, clock), claim, model: this.#model() }
  }

  #model(): ReadyReplica['model'] {
    const { slots } = this.plan
    return {
      slots,
      measure: async () => 100,
      unload: async () => undefined,
      run: async (request, options) => {
        const jobId = this.#jobs.get(request) ?? ''
        const computing = this.#computing
        computing.add(jobId)
        return await this.#compute(request, options).finally(() => computing.delete(jobId))
      },
    }
  }

  async #compute({ body }: JobRequest, { signal, emit }: RunOptions): Promise<EngineResult> {
    const { kind, name } = this.plan
    const output = `${name}#${++this.#outputs}`
    const count = Math.min(Number(body.max_tokens), this.#chance.between(1, 8))
    await this.#sleep(this.#chance.between(5, 300), signal)
    if (kind === 'flaky' && this.#chance.happens(0.4)) throw new HeuristError('ENGINE_FAILED', 'It broke.', { retryable: true })
    for (let i = 0; i < count; i++) {
      if (kind === 'mute' && i === 1) await this.#sleep(3_600_000, signal)
      await emit({ choice: 0, tokens: 1, text: `${output}.${i} ` })
      await this.#sleep(this.#chance.between(1, 80), signal)
    }
    const claimed = kind === 'liar' ? 10 * count : count
    return { finish: [{ index: 0, reason: 'stop' }], inputUnits: 5, outputUnits: claimed }
  }

  #sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) reject(signal.reason)
      const cancel = this.#process.clock.after(ms, resolve)
      signal.addEventListener('abort', () => {
        cancel()
        reject(signal.reason)
      })
    })
  }
}
