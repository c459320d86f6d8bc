import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { ApiKeyRecord, Clock, Database } from '#platform'
import {
  type Address,
  addressSchema,
  type Bytes32,
  bytes32Schema,
  type Candidate,
  type Dispatcher,
  HeuristError,
  type JobId,
  type JournalPiece,
  jobIdSchema,
  type NodeId,
  type NodeLog,
  type NodeWhy,
  type PodManifest,
  payerWeightSchema,
  type SignedDecision,
} from '#protocol'
import type { PodCatalog } from '../gateway/openai/models.ts'
import { API_KEY_SCOPES, type ApiKeys } from '../payments/api-keys.ts'
import type { CreditBalance } from '../payments/types.ts'
import { creditsText, keyView, nodeView, type PodScaleView, podView, toJson } from './views.ts'

/** `CONTROL_FORBIDDEN`: the key lacks the scope. `CONTROL_NOT_FOUND`: no such thing, or it belongs to somebody else. `CONTROL_BAD_REQUEST`. */
export type ControlErrorCode = 'CONTROL_FORBIDDEN' | 'CONTROL_NOT_FOUND' | 'CONTROL_BAD_REQUEST'

export type ControlOptions = {
  readonly version: string
  readonly chainId: number
  /** Addresses by which nodes and auditors take part; told to everyone. */
  readonly rpcUrl: string
  /** Where nodes dial: the routers of now. */
  readonly nodeUrls: () => readonly string[]
  readonly router: Address
  readonly developer: Address
  readonly isDevChain: boolean
  readonly contracts: Readonly<Record<string, Address>>
  readonly assets: readonly { readonly address: Address; readonly symbol: string; readonly decimals: number }[]
  /** Key that the console on this machine gets without asking; null outside of dev mode. */
  readonly devSessionKey: () => string | null
}

export type ControlDependencies = {
  readonly database: Database
  /** Those that are served. */
  readonly pods: PodCatalog
  readonly dispatcher: Dispatcher
  readonly clock: Clock
  /** @throws HeuristError as the gateway's authentication does */
  readonly authenticate: (authorization: string | undefined) => Promise<ApiKeyRecord>
  readonly balances: (account: Address) => Promise<readonly CreditBalance[]>
  readonly createKey: ApiKeys['create']
  readonly revokeKey: (keyId: string) => Promise<boolean>
  /** Reads YAML or JSON. @throws HeuristError MANIFEST_INVALID naming the bad field */
  readonly parseManifest: (text: string) => PodManifest
  /** Registers the pod on chain, stores it and tells the nodes. */
  readonly deployPod: (manifest: PodManifest, modelFile: string | null) => Promise<{ readonly podId: string; readonly version: number }>
  /** How many replicas the pod should have, and why; null while nobody has looked. */
  readonly scaleOf: (podId: Bytes32) => PodScaleView | null
  /** Takes the pod off the network, on chain; false when it is not served. */
  readonly removePod: (name: string) => Promise<boolean>
  /** Why a node gets no work, with the fix. */
  readonly whyOf: (nodeId: NodeId) => NodeWhy | Promise<NodeWhy>
  /** What a pod's program wrote to stderr, by node. */
  readonly podLogs: (podId: Bytes32, sinceMs: number) => Promise<readonly NodeLog[]>
  /** The leading hosts of the pod as each decision saw them, eligible ones first; empty where the journal does not reach. */
  readonly candidatesOf: (decisions: readonly SignedDecision[]) => Promise<readonly (readonly Candidate[])[]>
  /** What routers wrote down in one segment of their journal. */
  readonly journalOf: (segment: Bytes32) => Promise<readonly JournalPiece[]>
  /** Merkle proof of a settled receipt, or null before its batch. */
  readonly proofOf: (jobId: JobId) => Promise<{ readonly batchNumber: number; readonly proof: readonly string[] } | null>
}

const listQuery = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  before: z.coerce.number().int().positive().optional(),
  state: z.enum(['held', 'leased', 'running', 'succeeded', 'failed', 'cancelled']).optional(),
})
const keyBody = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(100)
    .regex(/^\P{Cc}*$/u, 'must be one line of text'),
  scopes: z.array(z.enum(API_KEY_SCOPES)).min(1).default(['inference', 'read']),
  budgetCredits: z.number().positive().max(1e12).nullable().default(null),
  requestsPerMinute: z.number().int().positive().max(1_000_000).optional(),
  weight: payerWeightSchema.optional(),
  expiresInDays: z.number().positive().max(3650).nullable().default(null),
  account: addressSchema.optional(),
  /** Where the frontend that hands this key out is paid: it gets its share of what the key spends. */
  frontend: addressSchema.optional(),
})

export function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw new HeuristError<ControlErrorCode>('CONTROL_BAD_REQUEST', `${issue?.path.join('.') || 'The request'}: ${issue?.message}.`)
}

export function notFound(what: string): HeuristError<ControlErrorCode> {
  return new HeuristError('CONTROL_NOT_FOUND', `${what} does not exist, or this key may not see it.`)
}

/** Whose request it is, if the key may do that. An admin key may all. @throws HeuristError CONTROL_FORBIDDEN */
type Caller = (request: FastifyRequest, scope: 'read' | 'admin') => Promise<ApiKeyRecord>

export function callerOf(dependencies: ControlDependencies): Caller {
  return async (request, scope) => {
    const key = await dependencies.authenticate(request.headers.authorization)
    if (!key.scopes.includes(scope) && !key.scopes.includes('admin')) {
      throw new HeuristError<ControlErrorCode>(
        'CONTROL_FORBIDDEN',
        `This needs a key with the scope "${scope}". Create one with: heurist key create --scope ${scope}`,
      )
    }
    return key
  }
}

/** The network as anyone may see it: nodes, pods, batches, totals. No prompts, no keys, no one's jobs. */
export function networkRoutes(app: FastifyInstance, options: ControlOptions, dependencies: ControlDependencies): void {
  const { database, dispatcher, pods } = dependencies
  app.get('/api/status', async () => {
    const last = await database.batches.last()
    const nodes = dispatcher.nodes()
    const nodeUrls = options.nodeUrls()
    return {
      version: options.version,
      chainId: options.chainId,
      rpcUrl: options.rpcUrl,
      nodeUrl: nodeUrls[0] ?? null,
      nodeUrls,
      router: options.router,
      developer: options.developer,
      isDevChain: options.isDevChain,
      contracts: options.contracts,
      assets: options.assets,
      nodes: { online: nodes.filter(node => node.online).length, known: nodes.length },
      pods: pods.list().length,
      lastBatch: toJson(last && { number: last.number, state: last.state, jobCount: last.jobCount, transactionHash: last.transactionHash }),
      now: dependencies.clock.now(),
    }
  })
  app.get('/api/nodes', async () => ({ data: dispatcher.nodes().map(nodeView) }))
  app.get('/api/nodes/:id', async request => {
    const id = parse(z.object({ id: addressSchema }), request.params).id
    const node = dispatcher.nodes().find(({ nodeId }) => nodeId === id)
    if (!node) throw notFound(`Node ${id}`)
    return nodeView(node)
  })
  app.get('/v1/nodes/:id/why', async request => {
    const { id } = parse(z.object({ id: addressSchema }), request.params)
    return toJson(await dependencies.whyOf(id))
  })
  app.get('/api/pods', async () => ({
    data: pods.list().map(pod => podView(pod, dispatcher.podCapacity(pod.podId), dependencies.scaleOf(pod.podId))),
  }))
  app.get('/api/batches', async request => {
    const { limit, before } = parse(listQuery, request.query)
    const rows = await database.batches.list({ limit, ...(before !== undefined && { beforeNumber: before }) })
    return { data: rows.map(({ calldata: _bulk, ...row }) => toJson(row)) }
  })
  app.get('/api/batches/:number', async request => {
    const { number } = parse(z.object({ number: z.coerce.number().int().nonnegative() }), request.params)
    const row = await database.batches.get(number)
    if (!row) throw notFound(`Batch ${number}`)
    return toJson({ ...row, leaves: await database.batches.leaves(number) })
  })
}

/** Jobs of the caller's account; an admin key sees all. Someone else's id answers 404, as a missing one does. */
export function jobRoutes(app: FastifyInstance, dependencies: ControlDependencies): void {
  const { jobs, batches } = dependencies.database
  const caller = callerOf(dependencies)
  app.get('/api/jobs', async request => {
    const key = await caller(request, 'read')
    const { limit, before, state } = parse(listQuery, request.query)
    const mine = key.scopes.includes('admin') ? {} : { account: key.account }
    const rows = await jobs.list({ ...mine, limit, ...(before !== undefined && { beforeMs: before }), ...(state && { state }) })
    return { data: rows.map(toJson) }
  })
  app.get('/api/jobs/:id', async request => {
    const key = await caller(request, 'read')
    const { id } = parse(z.object({ id: jobIdSchema }), request.params)
    const job = await jobs.get(id)
    if (!job || (job.payer !== key.account && !key.scopes.includes('admin'))) throw notFound(`Job ${id}`)
    const [decisions, receipt, discard, proof] = await Promise.all([
      jobs.decisions(id),
      jobs.receipt(id),
      jobs.discard(id),
      dependencies.proofOf(id),
    ])
    const batch = receipt?.batchNumber == null ? null : await batches.get(receipt.batchNumber)
    const batchFacts = batch && {
      number: batch.number,
      state: batch.state,
      receiptsRoot: batch.receiptsRoot,
      transactionHash: batch.transactionHash,
      blockNumber: batch.blockNumber,
      jobCount: batch.jobCount,
      gasUsed: batch.gasUsed,
    }
    const candidates = await dependencies.candidatesOf(decisions)
    const shown = decisions.map((decision, i) => ({ ...decision, candidates: candidates[i] ?? [] }))
    return toJson({ ...job, decisions: shown, receipt, discard, batch: batchFacts, proof: proof?.proof ?? null })
  })
}

const decisionsQuery = z.object({
  since: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().min(1).max(1000).default(500),
  afterMs: z.coerce.number().int().nonnegative().optional(),
  afterJob: jobIdSchema.optional(),
})

/**
 * What routing decisions are replayed from, and money is compared with. A segment of the journal is open to everyone who can name it: it says what nodes are and do,
 * and which jobs were decided, nothing of payers or prompts. The records of all jobs are for the operator.
 */
export function auditRoutes(app: FastifyInstance, dependencies: ControlDependencies): void {
  const caller = callerOf(dependencies)
  app.get('/api/journal/:segment', async request => {
    const { segment } = parse(z.object({ segment: bytes32Schema }), request.params)
    const pieces = await dependencies.journalOf(segment)
    if (pieces.length === 0) throw notFound(`Segment ${segment}`)
    return { data: pieces }
  })
  app.get('/api/decisions', async request => {
    await caller(request, 'admin')
    const { since, limit, afterMs, afterJob } = parse(decisionsQuery, request.query)
    const after = afterMs !== undefined && afterJob !== undefined ? { createdAtMs: afterMs, jobId: afterJob } : null
    return { data: await dependencies.database.jobs.decisionsSince({ sinceMs: since, limit, ...(after && { after }) }) }
  })
  // What auditors compare with the chain. Names every account that paid or earned.
  app.get('/api/audit/money', async request => {
    await caller(request, 'admin')
    return { data: toJson(await dependencies.database.money.captured()) }
  })
}

/** Keys and credits of the caller's account; the operator makes and revokes keys, also of other accounts. */
export function accountRoutes(app: FastifyInstance, options: ControlOptions, dependencies: ControlDependencies): void {
  const { database, clock } = dependencies
  const caller = callerOf(dependencies)
  app.get('/api/credits', async request => {
    const { account } = await caller(request, 'read')
    const balances = await dependencies.balances(account)
    const total = balances.reduce((sum, { nanoCredits }) => sum + nanoCredits, 0n)
    return toJson({
      account,
      credits: creditsText(total),
      balances: balances.map(balance => ({ ...balance, credits: creditsText(balance.nanoCredits) })),
      assets: options.assets,
    })
  })
  app.get('/api/credits/history', async request => {
    const { account } = await caller(request, 'read')
    const { limit, before } = parse(listQuery, request.query)
    return {
      data: toJson(
        await database.ledger.history({ account: `credits:${account}`, limit, ...(before !== undefined && { beforeSequence: before }) }),
      ),
    }
  })
  app.get('/api/keys', async request => {
    const key = await caller(request, 'read')
    return { data: (await database.keys.list(key.account)).map(keyView) }
  })
  // A key that made or revoked keys would have neither budget, nor end, nor rate.
  app.post('/api/keys', async request => {
    const key = await caller(request, 'admin')
    const body = parse(keyBody, request.body)
    const created = await dependencies.createKey({
      name: body.name,
      account: body.account ?? key.account,
      scopes: body.scopes,
      budget: body.budgetCredits === null ? null : BigInt(Math.round(body.budgetCredits * 1e9)),
      expiresAtMs: body.expiresInDays === null ? null : clock.now() + Math.round(body.expiresInDays * 86_400_000),
      ...(body.frontend !== undefined && { frontend: body.frontend }),
      ...(body.weight !== undefined && { weight: body.weight }),
      ...(body.requestsPerMinute !== undefined && { requestsPerMinute: body.requestsPerMinute }),
    })
    return { ...keyView(created.key), secret: created.secret, note: 'The secret is shown this one time.' }
  })
  app.delete('/api/keys/:id', async request => {
    await caller(request, 'admin')
    const { id } = parse(z.object({ id: z.string().min(1).max(100) }), request.params)
    const found = (await database.keys.list()).find(({ keyId }) => keyId === id)
    if (!found || !(await dependencies.revokeKey(id))) throw notFound(`Key ${id}`)
    return { keyId: id, revoked: true }
  })
}

/**
 * Dev mode only: the console on this machine gets the developer's key without asking. Only for a same-origin page on loopback:
 * the Host header is compared, so a page of another site that rebinds its name to 127.0.0.1 gets nothing.
 */
export function sessionRoute(app: FastifyInstance, options: ControlOptions): void {
  app.get('/api/session', async request => {
    const host = (request.headers.host ?? '').replace(/:\d+$/, '')
    const loopback = ['127.0.0.1', 'localhost', '[::1]'].includes(host) && ['127.0.0.1', '::1', '::ffff:127.0.0.1'].includes(request.ip)
    const site = request.headers['sec-fetch-site']
    const sameOrigin = site === undefined || site === 'same-origin' || site === 'none'
    return { apiKey: loopback && sameOrigin ? options.devSessionKey() : null }
  })
}
