import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Clock, JobStore, Logger, Metrics, RandomBytes, Tokenizer } from '#platform'
import { type Address, type Dispatcher, HeuristError, messageOf, type NodeId, type PodRecord } from '#protocol'
import type { Payments } from '../payments/types.ts'
import { type Authenticate, type AuthenticatorDependencies, createAuthenticator } from './auth.ts'
import { COMMAND } from './command/endpoint.ts'
import { closeServer, drain } from './drain.ts'
import { createEndpointHandler, type Endpoint, type EndpointDependencies, type EndpointOptions } from './endpoint.ts'
import { gatewayError } from './errors.ts'
import { createIdempotency } from './idempotency.ts'
import { createJobRunner, type JobRunnerOptions } from './job-runner.ts'
import { createGatewayMetrics } from './metrics.ts'
import { CHAT, COMPLETION, EMBEDDING } from './openai/endpoints.ts'
import { findPod, modelView, type PodCatalog } from './openai/models.ts'
import { createRandomPool } from './random-pool.ts'
import { createRateLimiter, RATE_LIMIT_DEFAULTS, type RateLimitOptions } from './rate-limit.ts'
import { createServer, SERVER_DEFAULTS, type ServerOptions } from './server.ts'

export type GatewayOptions = JobRunnerOptions & {
  /** Address to listen on; loopback unless told otherwise. */
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  /** Models may be listed without a key. */
  readonly publicModels?: boolean
  /** Silence in a stream after which a comment line is sent, in ms. */
  readonly keepAliveMs?: number
  /** Longest wait for running jobs at `stop`, in ms; what runs on is cancelled. */
  readonly drainMs?: number
  readonly server?: Partial<ServerOptions>
  readonly rateLimit?: Partial<RateLimitOptions>
  /** More routes on the same listener: control API, console files. */
  readonly plugins?: readonly FastifyPluginAsync[]
}

export type GatewayDependencies = AuthenticatorDependencies & {
  readonly dispatcher: Dispatcher
  readonly payments: Payments
  readonly jobs: JobStore
  readonly pods: PodCatalog
  /** Tokenizer of a pod, or null when it is metered without one. */
  readonly tokenizerFor: (pod: PodRecord) => Tokenizer | null
  /** Nodes that a frontend refers to. */
  readonly referredNodes: (frontend: Address) => ReadonlySet<NodeId>
  /** Names of the parts that can not serve just now; empty when ready. */
  readonly unready: () => Promise<readonly string[]>
  readonly clock: Clock
  readonly random: RandomBytes
  readonly logger: Logger
  readonly metrics: Metrics
}

/** `GATEWAY_PORT_TAKEN`: another program listens there. `GATEWAY_LISTEN_FAILED`: the address can not be used. */
export type GatewayListenErrorCode = 'GATEWAY_PORT_TAKEN' | 'GATEWAY_LISTEN_FAILED'

export type Gateway = {
  /** Base URL after `start`, without `/v1`. */
  readonly url: string
  /** Also for other APIs on this listener. @throws HeuristError missing_api_key, invalid_api_key */
  readonly authenticate: Authenticate
  readonly runningJobs: number
  /** @throws HeuristError GATEWAY_PORT_TAKEN, GATEWAY_LISTEN_FAILED */
  start(): Promise<void>
  /** Admits nothing more, waits for running jobs up to `drainMs`, cancels the rest, closes. */
  stop(): Promise<void>
}

type Parts = EndpointDependencies & { readonly isStopping: () => boolean }

/** Each route also without `/v1`, as some clients of this network call it. */
function bothPaths(path: string): string[] {
  return [`/v1${path}`, path]
}

function postRoute<Request>(app: FastifyInstance, endpoint: Endpoint<Request>, options: EndpointOptions, parts: Parts): void {
  const handle = createEndpointHandler(endpoint, options, parts)
  const handler = async (request: FastifyRequest, reply: FastifyReply) => {
    if (parts.isStopping()) throw gatewayError('shutting_down', 'The server is shutting down. Try again shortly.', { retryAfterMs: 2_000 })
    return handle(request, reply)
  }
  for (const url of bothPaths(endpoint.path)) app.post(url, handler)
}

function modelRoutes(app: FastifyInstance, publicModels: boolean, { authenticate, pods }: Parts): void {
  const permit = async (request: FastifyRequest) => {
    if (!publicModels || request.headers.authorization !== undefined) await authenticate(request.headers.authorization)
  }
  for (const url of bothPaths('/models')) {
    app.get(url, async request => {
      await permit(request)
      return { object: 'list', data: pods.list().map(modelView) }
    })
  }
  // A wildcard, because model names hold slashes; encoded ones arrive decoded.
  for (const url of bothPaths('/models/*')) {
    app.get<{ Params: { '*': string } }>(url, async request => {
      await permit(request)
      return modelView(findPod(pods, request.params['*']))
    })
  }
}

function healthRoutes(app: FastifyInstance, unready: () => Promise<readonly string[]>): void {
  app.get('/healthz', async () => ({ status: 'ok' }))
  app.get('/readyz', async (_request, reply) => {
    const missing = await unready()
    reply.code(missing.length === 0 ? 200 : 503)
    return { status: missing.length === 0 ? 'ready' : 'not ready', missing }
  })
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    return await app.listen({ host, port })
  } catch (cause) {
    const taken = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE' // cast: listen fails with system errors
    const code: GatewayListenErrorCode = taken ? 'GATEWAY_PORT_TAKEN' : 'GATEWAY_LISTEN_FAILED'
    const text = taken
      ? `Port ${port} of ${host} is taken by another program. Choose another port.`
      : `Can not listen on ${host}:${port}: ${messageOf(cause)}.`
    throw new HeuristError(code, text, { cause })
  }
}

/**
 * The OpenAI-compatible HTTP face of the network: authenticates, quotes, holds, dispatches to a router and streams the answer back.
 *
 * ```ts
 * const gateway = createGateway({ host: '127.0.0.1', port: 8080, ownerEpoch, shares }, dependencies)
 * await gateway.start()
 * ```
 */
export function createGateway(options: GatewayOptions, given: GatewayDependencies): Gateway {
  const dependencies: GatewayDependencies = { ...given, random: createRandomPool(given.random) }
  const { clock, logger } = dependencies
  const runner = createJobRunner(options, dependencies)
  const metrics = createGatewayMetrics(dependencies.metrics, () => runner.running.size)
  const authenticate = createAuthenticator(dependencies)
  let isStopping = false
  let app: FastifyInstance | undefined
  let url = ''
  const parts: Parts = {
    ...dependencies,
    authenticate,
    runner,
    metrics,
    rateLimiter: createRateLimiter({ ...RATE_LIMIT_DEFAULTS, ...options.rateLimit }, dependencies),
    idempotency: createIdempotency(dependencies),
    isStopping: () => isStopping,
  }
  const routes: FastifyPluginAsync = async instance => {
    const endpointOptions: EndpointOptions = { keepAliveMs: options.keepAliveMs ?? 10_000 }
    postRoute(instance, CHAT, endpointOptions, parts)
    postRoute(instance, COMPLETION, endpointOptions, parts)
    postRoute(instance, EMBEDDING, endpointOptions, parts)
    postRoute(instance, COMMAND, endpointOptions, parts)
    modelRoutes(instance, options.publicModels ?? true, parts)
    healthRoutes(instance, async () => (isStopping ? ['stopping'] : dependencies.unready()))
  }
  const serverDependencies = {
    random: dependencies.random,
    onError: (error: unknown, requestId: string) => logger.error({ requestId, reason: messageOf(error) }, 'request failed'),
    onRefusedConnection: metrics.refusedConnection,
  }

  return {
    get url() {
      return url
    },
    authenticate,
    get runningJobs() {
      return runner.running.size
    },
    async start() {
      app = await createServer({ ...SERVER_DEFAULTS, ...options.server }, serverDependencies, [routes, ...(options.plugins ?? [])])
      url = await listen(app, options.host, options.port)
    },
    async stop() {
      if (isStopping) return
      isStopping = true
      await drain(runner, clock, options.drainMs ?? 5_000)
      if (app) await closeServer(app, clock)
    },
  }
}
