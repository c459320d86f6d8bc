import { join } from 'node:path'
import { createMetrics, type Metrics, type ProxyOptions, type Tracer } from '#platform'
import {
  type Address,
  type Bytes32,
  type Device,
  HeuristError,
  messageOf,
  type NodeFacts,
  nodeFactsSchema,
  type PodRecord,
} from '#protocol'
import type { ModelStore } from '../pod/lifecycle/model-store.ts'
import { Replicas } from '../pod/lifecycle/replicas.ts'
import type { PodLogs } from '../pod/logs.ts'
import type { Sandboxes } from '../pod/sandbox/detect.ts'
import { DutyCycle } from './duty-cycle.ts'
import { type Journal, openJournal } from './journal.ts'
import { type NodeKey, openKey } from './key.ts'
import { LeaseRunner } from './lease-runner.ts'
import { createLinkClient, type LinkClient, type LinkTraffic } from './link-client.ts'
import type { LinkPins } from './link-handshake.ts'
import { Machine, type MachineDependencies, type MachineOptions } from './machine.ts'
import { createNodeMetrics, type NodeMetrics } from './metrics.ts'
import { ownerObjection, sandboxObjection } from './owner-rules.ts'
import { ensureRegistered, type NodeRegistration, type Registration } from './registration.ts'
import { KnownRouters } from './routers.ts'
import { type NodeStatus, nodeStatus } from './status.ts'

export type NodeOptions = MachineOptions & {
  /** Holds the hot key (`key.json`, mode 600) and the journal of this node. */
  readonly homeDir: string
  readonly name: string
  /** Version of the software, shown to users. */
  readonly software: string
  readonly region?: string
  /** ws:// or wss:// addresses of the routers' node listeners, as they are known now; one is enough. */
  readonly routerUrls: () => readonly string[]
  readonly pins: LinkPins
  /** Names, ids or deployers of the pods that the owner allows; null allows all. */
  readonly allowedPods?: readonly string[] | null
  /** Names or ids of the pods whose program may use this machine's network. */
  readonly networkPods?: readonly string[]
  /** Requests at once per replica. */
  readonly slots?: number
  readonly drainTimeoutMs?: number
  readonly linkBackoff?: { readonly baseMs: number; readonly maxMs: number }
  /** By which the link is dialled. */
  readonly proxies?: ProxyOptions
}
export type NodeDependencies = Omit<MachineDependencies, 'journal' | 'changed'> & {
  readonly models: ModelStore
  readonly registration: NodeRegistration
  /** What keeps programs of others in, or why nothing does (`detectSandboxes`). */
  readonly sandboxes: Sandboxes
  /** What the programs of pods wrote to stderr. */
  readonly logs: PodLogs
  /** Where its numbers are registered; absent: nobody asks for them. */
  readonly metrics?: Metrics | undefined
  /** Where spans of leases go; absent: tracing is off. */
  readonly tracer?: Tracer | undefined
}
/** A running compute node. */
export type ComputeNode = {
  readonly nodeId: Address
  /** Resolves when devices are measured, the node is registered and the link is being dialled. @throws HeuristError NODE_BAD_SETTINGS, or when stopped meanwhile */
  start(): Promise<void>
  /** Takes no more leases, finishes the running ones for at most `drainTimeoutMs`, unloads. */
  stop(): Promise<void>
  facts(): NodeFacts
  status(): Promise<NodeStatus>
}

/** `NODE_BAD_SETTINGS`: a name, region, share or number of slots that no router would accept. */
export type NodeErrorCode = 'NODE_BAD_SETTINGS'

const DEFAULT_DRAIN_MS = 8000
const DEFAULT_SLOTS = 4

class Node implements ComputeNode {
  readonly #options: NodeOptions
  readonly #deps: NodeDependencies
  readonly #key: NodeKey
  readonly #journal: Journal
  readonly #replicas: Replicas
  readonly #runner: LeaseRunner
  readonly #link: LinkClient
  readonly #stopping = new AbortController()
  readonly #machine: Machine
  readonly #metrics: NodeMetrics
  #keepAlive: NodeJS.Timeout | null = null
  #factsScheduled = false
  #stopped: Promise<void> | null = null

  constructor(options: NodeOptions, dependencies: NodeDependencies) {
    checkNumber('share in basis points', options.shareBps ?? 10_000, 10_000)
    checkNumber('number of slots', options.slots ?? DEFAULT_SLOTS, 4096)
    this.#options = options
    this.#deps = dependencies
    this.#key = openKey(join(options.homeDir, 'key.json'))
    this.#journal = openJournal(join(options.homeDir, 'journal.jsonl'))
    this.#machine = new Machine(options, { ...dependencies, journal: this.#journal, changed: () => this.#announce() })
    this.#metrics = this.#newMetrics()
    this.#replicas = this.#newReplicas()
    this.#link = this.#newLink()
    this.#runner = this.#newRunner()
  }

  get nodeId(): Address {
    return this.#key.signer.address
  }

  async start(): Promise<void> {
    const { clock, random, logger, registration } = this.#deps
    // Timers of the clock do not keep a process alive, and between two links a node has no socket open.
    this.#keepAlive = setInterval(() => {}, 2 ** 30)
    await this.#machine.open()
    logger.info({ node: this.nodeId, devices: this.#machine.devices().map(device => device.name) }, 'devices measured')
    this.#checkFacts()
    const signal = this.#stopping.signal
    const standing = await ensureRegistered({ registration, signer: this.#key.signer, clock, random, logger }, signal)
    if (standing.jailed) logger.error({ node: this.nodeId }, 'this node is jailed and gets no work: see `heurist node doctor`')
    signal.throwIfAborted()
    this.#link.start()
    this.#machine.watch({
      signal,
      isIdle: () => this.#runner.counts.active === 0 && !this.#replicas.isLoading,
      measureReplica: () => this.#replicas.measureAgain(),
    })
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#shutDown()
    return this.#stopped
  }

  async #shutDown(): Promise<void> {
    this.#stopping.abort(new Error('The node is stopping.'))
    const hurry = new AbortController()
    const cancelTimer = this.#deps.clock.after(this.#options.drainTimeoutMs ?? DEFAULT_DRAIN_MS, () => hurry.abort())
    await this.#runner.drain(hurry.signal)
    cancelTimer()
    this.#link.stop()
    await this.#replicas.stop()
    this.#machine.close()
    this.#journal.close()
    if (this.#keepAlive) clearInterval(this.#keepAlive)
  }

  facts(): NodeFacts {
    const { name, software, region = '' } = this.#options
    return { name, software, region, devices: [...this.#machine.devices()], replicas: this.#replicas.facts() }
  }

  async status(): Promise<NodeStatus> {
    let standing: Registration | string
    try {
      standing = await this.#deps.registration.read(this.nodeId)
    } catch (error) {
      standing = messageOf(error)
    }
    return nodeStatus({
      nodeId: this.nodeId,
      nowMs: this.#deps.clock.now(),
      routerUrl: this.#link.url,
      link: this.#link.state,
      standing,
      devices: this.#machine.devices(),
      pods: this.#replicas.pods().map(pod => ({ pod, objection: this.#replicas.objection(pod)?.message ?? null })),
      replicas: this.#replicas.facts(),
      models: this.#deps.models,
      sandboxes: this.#deps.sandboxes,
      counts: this.#runner.counts,
    })
  }

  #objection(pod: PodRecord): string | null {
    const { allowedPods = null, networkPods = [] } = this.#options
    return ownerObjection(pod, { allowedPods, networkPods }) ?? sandboxObjection(pod, this.#deps.sandboxes)
  }

  /** A router refuses facts out of their bounds; said here, the owner sees which setting it is. */
  #checkFacts(): void {
    const issue = nodeFactsSchema.safeParse(this.facts()).error?.issues[0]
    if (!issue) return
    throw new HeuristError<NodeErrorCode>(
      'NODE_BAD_SETTINGS',
      `The node's ${issue.path.join('.')} is out of bounds: ${issue.message}. Correct its settings.`,
    )
  }

  #newMetrics(): NodeMetrics {
    const { metrics = createMetrics(), models } = this.#deps
    return createNodeMetrics(metrics, {
      isLinked: () => this.#link.state.phase === 'up',
      runningJobs: () => this.#runner.counts.active,
      devices: () => this.#machine.devices(),
      replicas: () => this.#replicas.facts(),
      promisedBytes: device => this.#replicas.promisedBytes(device),
      cacheBytes: () => models.usedBytes(),
    })
  }

  #newReplicas(): Replicas {
    const { clock, random, logger, engines, models } = this.#deps
    const slots = this.#options.slots ?? DEFAULT_SLOTS
    return new Replicas(
      { slots: () => slots },
      {
        devices: () => this.#machine.devices(),
        engines,
        clock,
        random,
        logger,
        objection: pod => this.#objection(pod),
        resolveModel: (manifest, options) => models.resolve(manifest, options),
        knownSpeed: (pod, device) => (this.#options.isBenchmarkForced ? null : (this.#journal.speed(speedKey(pod, device)) ?? null)),
        saveSpeed: (pod, device, unitsPerSecond) => {
          if (unitsPerSecond > 0) this.#journal.saveSpeed(speedKey(pod, device), unitsPerSecond, clock.now())
        },
        changed: () => this.#announce(),
        told: event => this.#metrics.replica(event),
      },
    )
  }

  #newLink(): LinkClient {
    const { clock, random, logger } = this.#deps
    const { routerUrls, pins, linkBackoff, proxies } = this.#options
    const routers = new KnownRouters(this.nodeId)
    const urls = (): readonly string[] => routers.order(routerUrls())
    return createLinkClient(
      { urls, pins, ...(linkBackoff && { backoff: linkBackoff }), ...(proxies && { proxies }) },
      {
        signer: this.#key.signer,
        clock,
        random,
        logger,
        facts: () => this.facts(),
        handlers: {
          up: welcome => {
            this.#runner.linkUp(welcome.separator)
            this.#replicas.setPods(welcome.pods)
          },
          traffic: message => this.#receive(message),
          down: reason => this.#runner.linkDown(reason),
          holdsLeases: () => this.#runner.counts.active > 0,
        },
      },
    )
  }

  #newRunner(): LeaseRunner {
    return new LeaseRunner({
      ...this.#deps,
      link: this.#link,
      signer: this.#key.signer,
      journal: this.#journal,
      pod: (podId: Bytes32) => this.#replicas.pod(podId),
      ended: outcome => this.#metrics.jobEnded(outcome),
      ready: async (pod, options) => {
        const replica = await this.#replicas.ready(pod, options)
        return {
          ...replica,
          duty: replica.model.isHeldToShare ? new DutyCycle(10_000, this.#deps.clock) : this.#machine.dutyOf(replica.deviceId),
        }
      },
    })
  }

  #receive(message: LinkTraffic): void {
    if (message.type === 'pods') this.#replicas.setPods(message.pods)
    else if (message.type === 'logs')
      this.#link.send({ type: 'logs', id: message.id, lines: this.#deps.logs.since(message.podId, message.sinceMs) })
    else if (message.type === 'scale') this.#replicas.scale(message.podId, message.action)
    else this.#runner.receive(message)
  }

  /** Tells the router what changed, once per turn of the event loop. */
  #announce(): void {
    if (this.#factsScheduled) return
    this.#factsScheduled = true
    this.#deps.clock.afterTurn(() => {
      this.#factsScheduled = false
      this.#link.send({ type: 'facts', facts: this.facts() })
    })
  }
}

function checkNumber(name: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= max) return
  throw new HeuristError<NodeErrorCode>('NODE_BAD_SETTINGS', `The node's ${name} is ${value}; it must be a whole number from 1 to ${max}.`)
}

function speedKey(pod: PodRecord, device: Device): string {
  return `${pod.manifestHash} ${device.id} ${device.shareBps} ${device.name}`
}

/**
 * A compute node: its key and journal are opened now, everything else happens in `start`.
 *
 * @throws HeuristError NODE_BAD_SETTINGS, NODE_BAD_OFFER, NODE_KEY_UNREADABLE, NODE_JOURNAL_CORRUPT, LINK_BAD_URL
 * @example
 * const node = createNode({ homeDir, name: 'gpu-1', software, routerUrls, pins }, { clock, random, logger, engines, models, registration })
 * await node.start()
 */
export function createNode(options: NodeOptions, dependencies: NodeDependencies): ComputeNode {
  return new Node(options, dependencies)
}
