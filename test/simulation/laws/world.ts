import type { Payments } from '#application'
import { creditsOfUnits } from '#economics'
import { createSequencer, type Sequencer } from '#orchestration'
import { type ApiKeyRecord, createMetrics, createSigner, type Signer, silentLogger } from '#platform'
import { bytesToHex, type JobOrder, type NodeId, type NodeStanding } from '#protocol'
import type { RunningJob } from '../../../src/application/gateway/job.ts'
import { accountOf, apiKey } from '../../../src/application/payments/testing.ts'
import type { LinkSocket } from '../../../src/orchestration/router/link/session.ts'
import { goodStanding } from '../../../src/orchestration/router/testing/harness.ts'
import { SimulatedChain, USD } from './chain.ts'
import { type Chance, createChance } from './chance.ts'
import { connect, DatabaseServer } from './database.ts'
import { Disk } from './disk.ts'
import { type GatewayProcess, startGateway } from './gateway.ts'
import { LawBook } from './laws.ts'
import { SimulatedNode } from './node.ts'
import type { Happening, RequestPlan, Scenario } from './scenario.ts'
import { Process, Schedule } from './schedule.ts'
import type { Seams } from './seams.ts'

/** Time from a cancellation to the end of the computation. */
const STOPPED_WITHIN_MS = 200

/** A network of one gateway, a sequencer, a database, a chain and nodes, all in virtual time, and the story that befalls it. */
export class World {
  readonly schedule = new Schedule(1_800_000_000_000)
  readonly laws: LawBook
  readonly disk: Disk
  readonly chain: SimulatedChain
  readonly nodes: readonly SimulatedNode[]
  readonly scenario: Scenario
  readonly trace: string[] = []
  readonly counts = { requests: 0, acknowledged: 0, refused: 0, faults: 0, resumed: 0 }
  gateway: GatewayProcess | null = null
  sequencer: { readonly process: Process; readonly sequencer: Sequencer } | null = null
  /** The story is told: what it has left is not heard any more. */
  isOver = false
  readonly #seams: Seams
  readonly #chance: Chance
  readonly #server: DatabaseServer
  readonly #router: Signer
  readonly #jailed = new Set<NodeId>()
  readonly #keys: readonly ApiKeyRecord[]
  #starts = 0
  #deposits = 0

  constructor(scenario: Scenario, seams: Seams) {
    this.scenario = scenario
    this.#seams = seams
    this.#chance = createChance(scenario.seed)
    this.laws = new LawBook(() => this.disk)
    this.disk = new Disk(this.laws)
    seams.disk(this.disk)
    this.#server = new DatabaseServer(this.disk, this.schedule, this.#chance.stream('database'))
    this.chain = new SimulatedChain(this.schedule, this.#chance.stream('chain'), this.laws)
    this.#router = createSigner(bytesToHex(this.#chance.stream('router key').bytes(32)))
    this.#keys = Array.from({ length: scenario.payers }, (_, i) =>
      apiKey(accountOf(1_000 + i), { keyId: `key_${i}`, requestsPerMinute: 20 }),
    )
    this.nodes = scenario.nodes.map(
      plan =>
        new SimulatedNode(plan, {
          schedule: this.schedule,
          chance: this.#chance.stream(`network of ${plan.name}`),
          listener: () =>
            this.gateway && {
              process: this.gateway.process,
              acceptLink: (socket: LinkSocket) => this.gateway?.router.acceptLink(seams.link(socket)),
            },
          watcher: this,
          tellFacts: seams.facts,
        }),
    )
    for (const happening of scenario.happenings)
      this.schedule.after(happening.atMs, () => {
        if (!this.isOver) this.#happen(happening)
      })
    for (const node of this.nodes) this.schedule.after(this.#chance.between(0, 300), () => node.start())
    this.schedule.after(0, () => this.#startGateway())
    this.schedule.after(0, () => this.#startSequencer())
  }

  tell(what: string): void {
    this.trace.push(`${((this.schedule.now() - 1_800_000_000_000) / 1000).toFixed(3).padStart(8)} s  ${what}`)
  }

  /** A node got a lease: it must be one that the chain and its hardware allow (law R1). */
  leased({ plan, signer }: SimulatedNode, { podId, jobId }: { readonly podId: string; readonly jobId: string }): void {
    this.tell(`${plan.name} gets ${jobId}`)
    if (plan.kind === 'weak') this.laws.break('R1', `${plan.name} got ${jobId} and has not the memory for it`)
    if (!plan.pods.some(pod => pod.podId === podId)) this.laws.break('R1', `${signer.address} got ${jobId} and does not host its pod`)
  }

  resumed({ plan }: SimulatedNode): void {
    this.counts.resumed += 1
    this.tell(`${plan.name} comes back to its session`)
  }

  standing = (nodeId: NodeId): NodeStanding | null => goodStanding(nodeId, { jailed: this.#jailed.has(nodeId) })

  isJailed = (nodeId: NodeId): boolean => this.#jailed.has(nodeId)

  #happen(happening: Happening): void {
    if (happening.kind !== 'request') this.tell(JSON.stringify(happening, (_, value) => (typeof value === 'bigint' ? `${value}` : value)))
    if (happening.kind === 'request') void this.request(happening.request)
    else if (happening.kind === 'deposit') for (let i = 0; i < happening.times; i++) this.#deposit(happening.payer, happening.amount)
    else this.#fail(happening)
  }

  #fail(fault: Exclude<Happening, { kind: 'request' | 'deposit' }>): void {
    this.counts.faults += 1
    const { schedule } = this
    if (fault.kind === 'gateway') this.#crashGateway(fault.downMs)
    else if (fault.kind === 'sequencer') this.#crashSequencer(fault.downMs)
    else if (fault.kind === 'database') this.#server.crash(fault.downMs)
    else if (fault.kind === 'node') this.#failNode(this.nodes[fault.node]!, fault.how, fault.downMs)
    else if (fault.how === 'away') this.chain.goAway(fault.forMs)
    else if (fault.how === 'lost block') this.chain.loseLastBlock()
    else {
      this.chain.isUnsteady = true
      schedule.after(fault.forMs, () => {
        this.chain.isUnsteady = false
      })
    }
  }

  #failNode(node: SimulatedNode, how: 'crash' | 'power' | 'cut' | 'break' | 'jail', downMs: number): void {
    const { address } = node.signer
    if (how === 'cut' || how === 'break') {
      if (how === 'cut') node.way.cut()
      else node.breakLink()
      this.schedule.after(downMs, () => node.way.heal())
    } else if (how === 'jail') {
      this.#jailed.add(address)
      this.gateway?.router.standingChanged(address)
      this.schedule.after(downMs, () => this.#release(address))
    } else {
      node.crash(how === 'crash')
      this.schedule.after(downMs, () => node.start())
    }
  }

  #release(nodeId: NodeId): void {
    this.#jailed.delete(nodeId)
    this.gateway?.router.standingChanged(nodeId)
  }

  async #startGateway(): Promise<void> {
    const process = new Process(this.schedule)
    this.laws.forgetAdmissions()
    const world = {
      server: this.#server,
      signer: this.#router,
      chance: this.#chance.stream(`gateway ${++this.#starts}`),
      pods: this.scenario.pods,
      laws: this.laws,
      seams: this.#seams,
      standing: this.standing,
      uptimeBps: () => 10_000,
      notify: (receipts: number) => this.sequencer?.sequencer.notify(receipts),
      maximumOf,
    }
    try {
      this.gateway = await startGateway(world, process, `epoch-${this.#starts}`)
      this.tell('the gateway serves')
    } catch (error) {
      this.tell(`the gateway did not start: ${String(error)}`)
      process.kill()
      this.schedule.after(1_000, () => this.#startGateway())
    }
  }

  #crashGateway(downMs: number): void {
    if (!this.gateway) return
    this.gateway.process.kill()
    this.gateway = null
    for (const node of this.nodes) node.routerDied()
    this.schedule.after(downMs, () => this.#startGateway())
  }

  #startSequencer(): void {
    const process = new Process(this.schedule)
    const { batches } = connect(this.#server, process)
    const chain = this.chain.port(() => process.isAlive)
    const dependencies = { batches, chain, signer: this.#router, clock: process.clock, logger: silentLogger, metrics: createMetrics() }
    const sequencer = createSequencer({ maxJobs: 5, maxAgeMs: 1_000, pollMs: 1_000, maxBackoffMs: 2_000 }, dependencies)
    sequencer.start()
    this.sequencer = { process, sequencer }
  }

  #crashSequencer(downMs: number): void {
    if (!this.sequencer) return
    this.sequencer.process.kill()
    this.sequencer = null
    this.schedule.after(downMs, () => this.#startSequencer())
  }

  async #deposit(payer: number, amount: bigint): Promise<void> {
    const { account } = this.#keys[payer]!
    const logIndex = payer
    const deposit = { account, asset: USD, amount, nanoCredits: amount * 100_000n, chainId: 31_337, logIndex, atMs: this.schedule.now() }
    await this.#applyDeposit({ ...deposit, transactionHash: `0x${payer}` })
  }

  /** The chain's watcher tells a deposit until it is taken. */
  async #applyDeposit(deposit: Parameters<Payments['applyDeposit']>[0]): Promise<void> {
    try {
      if (!this.gateway) throw new Error('no gateway')
      await this.gateway.payments.applyDeposit(deposit)
      this.laws.acknowledgedDeposit(`deposit:31337:${deposit.transactionHash}:${deposit.logIndex}`)
      this.#deposits += 1
    } catch {
      this.schedule.after(500, () => void this.#applyDeposit(deposit))
    }
  }

  /** A client asks, listens, and may leave. */
  async request({ payer, pod, maxTokens, isStream, preferences, leavesAfterMs }: RequestPlan): Promise<boolean> {
    const { gateway } = this
    const key = this.#keys[payer]!
    this.counts.requests += 1
    if (!gateway) return false
    const { clock } = gateway.process
    try {
      gateway.limiter.admit(key, maxTokens)
      this.laws.admitted(key.keyId, key.requestsPerMinute, this.schedule.now())
      const body = { messages: [{ role: 'user', content: 'hi' }], stream: isStream, max_tokens: maxTokens }
      const call = {
        kind: 'chat' as const,
        body,
        model: 'chat',
        pod: this.scenario.pods[pod]!,
        key,
        preferences: { on_failure: 'retry' as const, max_attempts: 3, on_cold: 'wait' as const, ...preferences },
        inputUnits: 5,
        maxOutputUnits: maxTokens,
      }
      const running = await gateway.runner.run(call, ({ control }) => ({
        leased: () => undefined,
        loading: () => undefined,
        delta: ({ tokens }) => clock.after(5, () => control.grant(tokens)),
      }))
      this.tell(`${running.jobId} of ${key.keyId} is asked`)
      if (leavesAfterMs !== null) clock.after(leavesAfterMs, () => this.#leave(gateway, running))
      await running.finished
      this.laws.acknowledged(running.jobId)
      this.counts.acknowledged += 1
      return true
    } catch (error) {
      this.counts.refused += 1
      this.tell(`${key.keyId} is told: ${error instanceof Error ? error.message : String(error)}`)
      return false
    }
  }

  /** A client leaves: where nothing is in the way, the engine that works for it has stopped a moment later. */
  #leave(gateway: GatewayProcess, { jobId, control }: RunningJob): void {
    const [busy] = this.nodes.filter(node => node.isCalm && node.isComputing(jobId))
    const [cuts, dials] = [busy?.way.cuts, busy?.dials]
    control.cancel('the client left')
    if (!busy) return
    this.schedule.after(STOPPED_WITHIN_MS, () => {
      const isDisturbed = this.gateway !== gateway || !busy.isCalm || busy.way.cuts !== cuts || busy.dials !== dials
      if (!isDisturbed && busy.isComputing(jobId))
        this.laws.break('N1', `${busy.plan.name} computes ${jobId} ${STOPPED_WITHIN_MS} ms after it was cancelled`)
    })
  }

  /** Everything that was broken is repaired, and nothing more happens. */
  calm(): void {
    this.isOver = true
    this.tell('calm')
    this.#server.comeBack()
    this.chain.comeBack()
    for (const nodeId of [...this.#jailed]) this.#release(nodeId)
    for (const node of this.nodes) {
      node.calm()
      node.start()
    }
  }

  /** Who has money left; -1: nobody. */
  richPayer(): number {
    return (
      this.scenario.happenings.flatMap(happening =>
        happening.kind === 'deposit' && happening.amount > 1_000n ? [happening.payer] : [],
      )[0] ?? -1
    )
  }
}

function maximumOf(_: string, { pod, request, inputUnits }: JobOrder): bigint {
  return creditsOfUnits({ inputUnits, outputUnits: Number(request.body.max_tokens) }, pod.manifest.spec.price)
}
