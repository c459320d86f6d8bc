import type { FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import type { ApiKeyRecord, Clock, Tokenizer } from '#platform'
import { formatUnits, type JobKind, type JobPreferences, jobPreferencesSchema, type PodRecord } from '#protocol'
import { type AnswerHead, type ChunkFormat, type Collected, createCollector } from './answer.ts'
import { type Authenticate, requireScope } from './auth.ts'
import { errorBody, gatewayError, toGatewayError } from './errors.ts'
import type { Idempotency, KeyClaim } from './idempotency.ts'
import type { FinishedJob, JobListener, RunningJob } from './job.ts'
import type { JobRunner } from './job-runner.ts'
import type { JsonObject } from './json.ts'
import type { GatewayMetrics } from './metrics.ts'
import { findPod, type PodCatalog } from './openai/models.ts'
import type { RateLimiter } from './rate-limit.ts'
import { traceparentIn, withoutPreferences } from './request-parts.ts'
import { createStreamSession, type StreamSession } from './stream-session.ts'
import { STREAM_HEADERS, sendWhole } from './take-over.ts'
import { refuseWrongRuntime, type UnitBounds } from './units.ts'
import { validate } from './validate.ts'

/** What one endpoint of OpenAI's surface adds to what all share. */
export type Endpoint<Request> = {
  readonly path: string
  readonly kind: JobKind
  readonly schema: z.ZodType<Request>
  readonly idPrefix: string
  bounds(request: Request, pod: PodRecord, tokenizer: Tokenizer | null): UnitBounds
  answer(head: AnswerHead, job: FinishedJob, collected: Collected, request: Request): object
  /** Null where an endpoint does not stream. */
  readonly chunks: ((head: AnswerHead, request: Request) => ChunkFormat) | null
}

export type EndpointOptions = {
  /** Silence in a streamed answer after which a comment line is sent, in ms. */
  readonly keepAliveMs: number
}

export type EndpointDependencies = {
  readonly authenticate: Authenticate
  readonly pods: PodCatalog
  readonly tokenizerFor: (pod: PodRecord) => Tokenizer | null
  readonly runner: JobRunner
  readonly rateLimiter: RateLimiter
  readonly idempotency: Idempotency
  readonly metrics: GatewayMetrics
  readonly clock: Clock
}

/** One admitted request. */
type Admitted<Request> = {
  readonly key: ApiKeyRecord
  readonly request: Request
  readonly pod: PodRecord
  /** The user's body without `heurist`. */
  readonly body: JsonObject
  readonly preferences: JobPreferences
  readonly bounds: UnitBounds
  readonly receivedAtMs: number
  readonly traceparent: string | undefined
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

const DEFAULT_PREFERENCES: JobPreferences = jobPreferencesSchema.parse({})

/** What the request surely needs against the rate limit: output counts beforehand only where it was asked for. */
function knownTokens({ body, bounds }: Admitted<unknown>): number {
  const isExplicit = body.max_tokens != null || body.max_completion_tokens != null
  return bounds.inputUnits + (isExplicit ? bounds.maxOutputUnits : 0)
}

function jobHeaders(job: FinishedJob): Record<string, string> {
  return {
    'x-heurist-job-id': job.jobId,
    'x-heurist-node-id': job.nodeId,
    'x-heurist-cost-credits': formatUnits(job.credits, 9),
    'x-heurist-receipt': job.receiptDigest,
  }
}

/** Cancels the job when the connection ends before the answer is complete: the slot is freed, and only what was sent is charged. */
function watchClient(reply: FastifyReply): { follow(running: RunningJob): void; hasLeft(): boolean; stop(): void } {
  let isGone = false
  let followed: RunningJob | undefined
  const onClose = () => {
    if (reply.raw.writableFinished) return
    isGone = true
    followed?.control.cancel(CLIENT_GONE)
  }
  reply.raw.once('close', onClose)
  return {
    follow(running) {
      followed = running
      if (isGone) running.control.cancel(CLIENT_GONE)
    },
    hasLeft: () => isGone,
    stop: () => reply.raw.off('close', onClose),
  }
}
const CLIENT_GONE = 'the client went away'

type Context<Request> = { readonly endpoint: Endpoint<Request> } & EndpointOptions & EndpointDependencies

async function admit<Request>(context: Context<Request>, request: FastifyRequest): Promise<Admitted<Request>> {
  const { endpoint } = context
  const receivedAtMs = context.clock.now()
  const key = await context.authenticate(request.headers.authorization)
  requireScope(key, 'inference')
  if (request.body === undefined || request.body === null) {
    throw gatewayError('invalid_json', 'The request body is empty. Send a JSON object.')
  }
  const raw = request.body as JsonObject // cast: the only body parser answers objects
  const parsed = validate(endpoint.schema, raw)
  const pod = findPod(context.pods, String(raw.model))
  refuseWrongRuntime(endpoint.kind, pod)
  const bounds = endpoint.bounds(parsed, pod, context.tokenizerFor(pod))
  const preferences = raw.heurist == null ? DEFAULT_PREFERENCES : jobPreferencesSchema.parse(raw.heurist)
  const traceparent = traceparentIn(request)
  return { key, request: parsed, pod, body: withoutPreferences(raw), preferences, bounds, receivedAtMs, traceparent }
}

function headOf<Request>({ endpoint }: Context<Request>, { pod, receivedAtMs }: Admitted<Request>, running: RunningJob): AnswerHead {
  return {
    id: `${endpoint.idPrefix}${running.jobId.slice(4)}`,
    createdSeconds: Math.floor(receivedAtMs / 1000),
    model: pod.name,
    // Changes exactly when weights, quantisation, engine or tokenizer do.
    fingerprint: `fp_${pod.manifestHash.slice(2, 14)}`,
  }
}

/** Rate limit, hold, dispatch. */
async function start<Request>(
  context: Context<Request>,
  admitted: Admitted<Request>,
  reply: FastifyReply,
  { open, claim }: { readonly open: (running: RunningJob) => JobListener; readonly claim: KeyClaim | null },
): Promise<RunningJob> {
  const { body, bounds, key, pod, preferences, traceparent } = admitted
  const admission = context.rateLimiter.admit(key, knownTokens(admitted))
  reply.headers(admission.headers)
  try {
    const call = {
      kind: context.endpoint.kind,
      body,
      model: pod.name,
      pod,
      key,
      preferences,
      ...bounds,
      ...(traceparent && { traceparent }),
      ...(claim && { jobId: claim.jobId }),
    }
    const running = await context.runner.run(call, open)
    running.finished.then(
      ({ units }) => admission.end(units.inputUnits + units.outputUnits),
      () => admission.end(bounds.inputUnits),
    )
    return running
  } catch (error) {
    admission.end(0)
    throw error
  }
}

function markFirstToken<Request>({ clock, metrics }: Context<Request>, { pod, receivedAtMs }: Admitted<Request>): void {
  metrics.firstToken(pod.name, (clock.now() - receivedAtMs) / 1000)
}

type WholeAnswer = { readonly job: FinishedJob; readonly text: string }

async function answerWhole<Request>(
  context: Context<Request>,
  admitted: Admitted<Request>,
  reply: FastifyReply,
  claim: KeyClaim | null,
): Promise<WholeAnswer> {
  const collector = createCollector()
  const client = watchClient(reply)
  let hasOutput = false
  const open = ({ control }: RunningJob): JobListener => ({
    leased: () => undefined,
    loading: () => undefined,
    delta(delta) {
      if (!hasOutput) markFirstToken(context, admitted)
      hasOutput = true
      collector.add(delta)
      // The whole answer is kept anyway, bounded by the request's own maximum: nothing to hold back.
      if (delta.tokens > 0) control.grant(delta.tokens)
    },
  })
  try {
    const running = await start(context, admitted, reply, { open, claim })
    client.follow(running)
    const job = await running.finished
    const answer = context.endpoint.answer(headOf(context, admitted, running), job, collector, admitted.request)
    return { job, text: JSON.stringify(answer) }
  } finally {
    client.stop()
  }
}

type ChunksOf<Request> = NonNullable<Endpoint<Request>['chunks']>

async function answerStream<Request>(
  context: Context<Request>,
  admitted: Admitted<Request>,
  reply: FastifyReply,
  { chunksOf, claim }: { readonly chunksOf: ChunksOf<Request>; readonly claim: KeyClaim | null },
): Promise<void> {
  const client = watchClient(reply)
  let session: StreamSession | undefined
  let chunks: ChunkFormat | undefined
  let said = ''
  const open = (running: RunningJob): JobListener => {
    const format = chunksOf(headOf(context, admitted, running), admitted.request)
    const keep = (piece: string): string => {
      said += piece
      return piece
    }
    chunks = claim ? { ...format, piece: delta => keep(format.piece(delta)) } : format
    const { clock, keepAliveMs } = context
    session = createStreamSession(reply, running, chunks, { keepAliveMs, clock, onFirstToken: () => markFirstToken(context, admitted) })
    return session.listener
  }
  try {
    const running = await start(context, admitted, reply, { open, claim })
    client.follow(running)
    const job = await running.finished
    context.metrics.tokens(admitted.pod.name, job.units)
    const end = `${chunks?.tail(job) ?? ''}data: [DONE]\n\n`
    // A stream that was cut because its client left is no whole answer: under the same key it may be asked for again.
    if (claim && !client.hasLeft()) await claim.remember({ status: 200, body: `${said}${end}` })
    session?.end(end)
  } catch (error) {
    // Before the status line an error is an ordinary answer; after it, an event, and no [DONE].
    session?.failIfOpen(`data: ${JSON.stringify(errorBody(toGatewayError(error)))}\n\n`)
    throw error
  } finally {
    session?.stop()
    client.stop()
  }
}

async function sendAnswer<Request>(
  context: Context<Request>,
  admitted: Admitted<Request>,
  reply: FastifyReply,
  claim: KeyClaim | null,
): Promise<void> {
  const whole = await answerWhole(context, admitted, reply, claim)
  await claim?.remember({ status: 200, body: whole.text })
  reply.headers(jobHeaders(whole.job))
  context.metrics.tokens(admitted.pod.name, whole.job.units)
  sendWhole(reply, whole.text)
}

/** Under an `Idempotency-Key` the first answer again, if there is one. */
async function answer<Request>(
  context: Context<Request>,
  admitted: Admitted<Request>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const { chunks } = context.endpoint
  const chunksOf = admitted.body.stream === true ? chunks : null
  const key = request.headers['idempotency-key']
  const hasKey = typeof key === 'string' && key !== ''
  const use = hasKey ? await context.idempotency.claim(admitted.key.account, key, context.endpoint.path, admitted.body) : null
  if (use?.known) {
    reply.headers({ 'x-heurist-job-id': use.known.jobId, 'idempotent-replayed': 'true' })
    return sendWhole(reply, use.known.body, chunksOf ? STREAM_HEADERS : undefined)
  }
  try {
    await (chunksOf ? answerStream(context, admitted, reply, { chunksOf, claim: use }) : sendAnswer(context, admitted, reply, use))
  } finally {
    use?.end()
  }
}

/** A Fastify handler for one endpoint: admit, run the job, answer whole or in a stream. */
export function createEndpointHandler<Request>(
  endpoint: Endpoint<Request>,
  options: EndpointOptions,
  dependencies: EndpointDependencies,
): Handler {
  const context: Context<Request> = { endpoint, ...options, ...dependencies }
  return async (request, reply) => {
    let model = 'unknown'
    let outcome = 'ok'
    try {
      const admitted = await admit(context, request)
      model = admitted.pod.name
      return await answer(context, admitted, request, reply)
    } catch (error) {
      outcome = toGatewayError(error).code
      throw error
    } finally {
      context.metrics.request({ endpoint: endpoint.path, model, outcome }, reply.elapsedTime / 1000)
    }
  }
}
