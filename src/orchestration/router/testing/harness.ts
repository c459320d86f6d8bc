import { createHash, randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CHARGE_STEP_NANO_CREDITS } from '#economics'
import {
  type Clock,
  createMetrics,
  createSigner,
  type Metrics,
  newPrivateKey,
  type RandomBytes,
  silentLogger,
  systemClock,
} from '#platform'
import {
  type Address,
  type Delta,
  domainSeparator,
  type JobCompletion,
  type JobControl,
  type JobFailure,
  type JobOrder,
  type JobSink,
  type JournalPiece,
  jobDomain,
  jobIdFrom,
  jobPreferencesSchema,
  type LeaseView,
  manifestHash,
  type NodeId,
  type NodeStanding,
  type PodRecord,
  podManifestSchema,
  requestHash,
  type SignedDecision,
  ZERO_ADDRESS,
  ZERO_BYTES32,
} from '#protocol'
import { createFleet, type Fleet } from '../fleet.ts'
import type { Session } from '../link/session.ts'
import type { RouterDependencies, RouterOptions } from '../options.ts'
import { type Replay, replayDecisions } from '../replay.ts'
import { createRouter, type Router } from '../router.ts'
import { type FakeNode, type FakeNodeOptions, startFakeNode } from './fake-node.ts'

/** Test support: a router on a real HTTP server, nodes that come and go, and jobs whose callbacks are recorded. */
export const TEST_CHAIN_ID = 31_337
export const TEST_SETTLEMENT: Address = '0x5e77000000000000000000000000000000000001'

export function testPod(name = 'chat/test', spec: Record<string, unknown> = {}): PodRecord {
  const manifest = podManifestSchema.parse({
    apiVersion: 'heurist/v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      runtime: 'llm',
      engine: { name: 'llama' },
      model: { id: name, source: 'builtin:test', contextLength: 1024 },
      price: { input: '1000000', output: '2000000' },
      ...spec,
    },
  })
  const podId = `0x${createHash('sha256').update(name).digest('hex')}` as const
  return { podId, name, deployer: ZERO_ADDRESS, manifest, manifestHash: manifestHash(manifest), version: 1, createdAtMs: 0 }
}

/** A request as {@link testOrder} makes it, streamed: its client is sent output as it comes. */
export const STREAMED = { messages: [{ role: 'user', content: 'hi' }], stream: true }

export function testOrder(pod: PodRecord, overrides: Partial<JobOrder> & { body?: Record<string, unknown> } = {}): JobOrder {
  const { body = { messages: [{ role: 'user', content: 'hi' }] }, ...rest } = overrides
  const request = rest.request ?? { kind: 'chat' as const, body }
  return {
    jobId: jobIdFrom(randomBytes(16)),
    pod,
    request,
    requestHash: requestHash(request),
    seedCommitment: ZERO_BYTES32,
    inputUnits: 5,
    payer: '0x9a4e000000000000000000000000000000000001',
    frontend: ZERO_ADDRESS,
    referredNodes: new Set(),
    asset: '0xa55e000000000000000000000000000000000001',
    // One atomic unit for each input unit, two for each output unit.
    pricing: {
      prices: { input: 1_000_000n * CHARGE_STEP_NANO_CREDITS, output: 2_000_000n * CHARGE_STEP_NANO_CREDITS },
      held: { amount: 10n ** 12n, credits: 10n ** 12n * CHARGE_STEP_NANO_CREDITS },
    },
    preferences: jobPreferencesSchema.parse({}),
    totalMs: 60_000,
    ...rest,
  }
}

/** A fleet without links; every node is registered unless `sources` say otherwise. */
export function testFleet(sources: Partial<Pick<RouterDependencies, 'standing' | 'presence'>> = {}): Fleet {
  const defaults = { standing: (nodeId: NodeId) => goodStanding(nodeId), presence: { uptimeBps: () => 10_000 } }
  return createFleet({ router: ZERO_ADDRESS, now: () => 0 }, { ...defaults, ...sources })
}

export function sessionOf(nodeId: NodeId): Session {
  return { nodeId, connectedAtMs: 0, lastSeenAtMs: 0, cutAtMs: null } as Session // cast: the fleet only reads these
}

export type RecordedJob = {
  readonly order: JobOrder
  readonly control: JobControl
  readonly decisions: SignedDecision[]
  readonly leases: LeaseView[]
  readonly deltas: Delta[]
  readonly retries: string[]
  /** Names of all callbacks in order. */
  readonly calls: string[]
  /** Exactly one of the two, once it ended. */
  readonly ended: Promise<{ completion: JobCompletion | null; failure: JobFailure | null }>
  readonly firstDelta: Promise<void>
  readonly leased: Promise<LeaseView>
  text(): string
}

/** Dispatches and records. Grants back every token, as a client that reads at full speed, unless `reads` is false. */
export function dispatchRecorded(router: Router, order: JobOrder, reads = true): RecordedJob {
  const ended = Promise.withResolvers<{ completion: JobCompletion | null; failure: JobFailure | null }>()
  const firstDelta = Promise.withResolvers<void>()
  const leased = Promise.withResolvers<LeaseView>()
  const job = {
    order,
    decisions: [] as SignedDecision[],
    leases: [] as LeaseView[],
    deltas: [] as Delta[],
    retries: [] as string[],
    calls: [] as string[],
    ended: ended.promise,
    firstDelta: firstDelta.promise,
    leased: leased.promise,
    text: () => job.deltas.map(delta => delta.text).join(''),
  }
  const sink: JobSink = {
    decided: decision => {
      job.calls.push('decided')
      job.decisions.push(decision)
    },
    leased: lease => {
      job.calls.push('leased')
      job.leases.push(lease)
      leased.resolve(lease)
    },
    loading: () => {
      job.calls.push('loading')
    },
    retrying: code => {
      job.calls.push('retrying')
      job.retries.push(code)
    },
    undecided: count => void job.decisions.splice(job.decisions.length - count),
    delta: delta => {
      if (job.deltas.length === 0) job.calls.push('delta')
      job.deltas.push(delta)
      firstDelta.resolve()
      if (reads && delta.tokens > 0) control.grant(delta.tokens)
    },
    completed: completion => {
      job.calls.push('completed')
      ended.resolve({ completion, failure: null })
    },
    failed: failure => {
      job.calls.push('failed')
      ended.resolve({ completion: null, failure })
    },
  }
  const control = router.dispatch(order, sink)
  return { ...job, control }
}

export type TestRouter = {
  readonly router: Router
  readonly url: string
  readonly dependencies: RouterDependencies
  readonly metrics: Metrics
  /** What the registry says; unknown nodes are registered with this unless set to null. */
  readonly standings: Map<NodeId, NodeStanding | null>
  readonly uptimes: Map<NodeId, number>
  /** What the router wrote down about its decisions. */
  readonly journal: readonly JournalPiece[]
  /** Replays a job's decisions from what was written down. */
  replay(job: RecordedJob): Promise<Replay[]>
  node(options?: Partial<FakeNodeOptions>): Promise<FakeNode>
  /** Value of a counter over all labels. */
  counted(name: string): Promise<number>
  stop(): Promise<void>
}

export function goodStanding(nodeId: NodeId, changes: Partial<NodeStanding> = {}): NodeStanding {
  const collateral = 100n * 10n ** 18n
  const backing = { collateral, bonded: collateral, restaked: 0n, floor: collateral, covered: true }
  return { nodeId, owner: nodeId, ...backing, registered: true, jailed: false, exiting: false, votes: 0n, ...changes }
}

/** In place of an autoscaler: one replica on each node that holds a pod and has none. Call it when hosts change. */
export function loadCold(router: Router): void {
  for (const { podId, hosts } of router.loads()) {
    for (const { nodeId, warm, loading, cold } of hosts) if (warm + loading === 0 && cold > 0) router.scale(nodeId, podId, 'load')
  }
}

export async function startTestRouter(
  options: Partial<RouterOptions> = {},
  overrides: Partial<RouterDependencies> & { clock?: Clock; random?: RandomBytes } = {},
): Promise<TestRouter> {
  const metrics = createMetrics()
  const journal: JournalPiece[] = []
  const standings = new Map<NodeId, NodeStanding | null>()
  const uptimes = new Map<NodeId, number>()
  const standing = (nodeId: NodeId): NodeStanding | null => {
    if (!standings.has(nodeId)) standings.set(nodeId, goodStanding(nodeId))
    return standings.get(nodeId) ?? null
  }
  const dependencies: RouterDependencies = {
    signer: createSigner(newPrivateKey()),
    domain: { chainId: TEST_CHAIN_ID, settlement: TEST_SETTLEMENT },
    clock: systemClock,
    random: length => randomBytes(length),
    logger: silentLogger,
    metrics,
    standing,
    presence: { uptimeBps: nodeId => uptimes.get(nodeId) ?? 10_000 },
    journal: { append: async pieces => void journal.push(...pieces) },
    tokenizerFor: () => null,
    ...overrides,
  }
  const router = createRouter(options, dependencies)
  router.start()
  const http: Server = createServer()
  http.on('upgrade', (request, socket, head) => router.handleUpgrade(request, socket, head))
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve))
  const { port } = http.address() as AddressInfo // cast: a TCP server that listens has a port
  const url = `ws://127.0.0.1:${port}/node`
  const nodes: FakeNode[] = []
  return {
    router,
    url,
    dependencies,
    metrics,
    standings,
    uptimes,
    journal,
    async replay({ decisions }) {
      await router.flushJournal()
      return replayDecisions(decisions, journal, domainSeparator(jobDomain(TEST_CHAIN_ID, TEST_SETTLEMENT)))
    },
    async node(nodeOptions = {}) {
      const node = await startFakeNode({ url, chainId: TEST_CHAIN_ID, settlement: TEST_SETTLEMENT, ...nodeOptions })
      nodes.push(node)
      return node
    },
    async counted(name) {
      const values = (await metrics.registry.getSingleMetric(name)?.get())?.values ?? []
      return values.reduce((sum, { value }) => sum + value, 0)
    },
    async stop() {
      await router.stop(0)
      for (const node of nodes) node.socket.terminate()
      http.closeAllConnections()
      await new Promise(resolve => http.close(resolve))
    },
  }
}

/** Turns of the event loop until it is so; the test's own time limit ends it. */
export async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await check())) await new Promise(resolve => setImmediate(resolve))
}
