import type { Socket } from 'node:net'
import { type FastifyInstance, type FastifyPluginAsync, type FastifyReply, fastify } from 'fastify'
import type { RandomBytes } from '#platform'
import { followConnections } from './drain.ts'
import { errorBody, errorHeaders, type GatewayError, gatewayError, statusOf, toGatewayError } from './errors.ts'
import { parseJsonObject } from './json.ts'

export type ServerOptions = {
  readonly bodyLimitBytes: number
  /** Deepest nesting of a JSON body. */
  readonly maxJsonDepth: number
  readonly maxHeaderBytes: number
  /** A client must have sent its headers, and its whole request, within these, in ms. Checked every `connectionsCheckMs`. */
  readonly headersTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly connectionsCheckMs: number
  /** An idle connection is closed after this, in ms. */
  readonly keepAliveTimeoutMs: number
  readonly maxConnections: number
  readonly maxRequestsPerSocket: number
  /** Origins of the console; no other web page may read answers. */
  readonly consoleOrigins: readonly string[]
}

export const SERVER_DEFAULTS: ServerOptions = {
  bodyLimitBytes: 4 * 1024 * 1024,
  maxJsonDepth: 64,
  maxHeaderBytes: 16 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  connectionsCheckMs: 5_000,
  keepAliveTimeoutMs: 72_000,
  maxConnections: 20_000,
  maxRequestsPerSocket: 0,
  consoleOrigins: [],
}

export type ServerDependencies = {
  readonly random: RandomBytes
  readonly onError: (error: unknown, requestId: string) => void
  readonly onRefusedConnection: (reason: string) => void
}

const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-site',
}

/** An error as a whole HTTP answer for a connection whose request never became one. */
function rawAnswer(error: GatewayError): string {
  const body = JSON.stringify(errorBody(error))
  const head = [
    `HTTP/1.1 ${statusOf(error)} ${error.code}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}

function clientError(code: string | undefined): GatewayError {
  if (code === 'HPE_HEADER_OVERFLOW')
    return gatewayError('headers_too_large', 'The request headers are larger than this server accepts. Send fewer or shorter headers.')
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return gatewayError('request_timeout', 'The request did not arrive in time. Send it again, faster.')
  return gatewayError('bad_request', 'The request is not valid HTTP/1.1.')
}

function answerClientError(cause: Error & { code?: string }, socket: Socket, dependencies: ServerDependencies): void {
  const error = clientError(cause.code)
  dependencies.onRefusedConnection(error.code)
  if (cause.code === 'ECONNRESET' || !socket.writable) socket.destroy()
  else socket.end(rawAnswer(error), () => socket.destroy())
}

/** Answers an error in OpenAI's shape; does nothing where a stream has taken the answer over. */
function sendError(error: GatewayError, reply: FastifyReply): void {
  if (reply.sent) return
  reply.headers(errorHeaders(error))
  reply.header('openai-processing-ms', String(Math.round(reply.elapsedTime)))
  reply
    .code(statusOf(error))
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(errorBody(error)))
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

/** Only the console's own pages may call from a browser; everything else is server to server. */
function allowConsole(app: FastifyInstance, origins: readonly string[]): void {
  const allowed = new Set(origins)
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    reply.headers(SECURITY_HEADERS)
    const { origin } = request.headers
    if (origin === undefined) return done()
    reply.header('vary', 'origin')
    if (!allowed.has(origin)) return done()
    reply.header('access-control-allow-origin', origin)
    reply.header(
      'access-control-expose-headers',
      'x-request-id, x-heurist-job-id, x-heurist-node-id, x-heurist-cost-credits, x-heurist-receipt, retry-after',
    )
    if (request.method !== 'OPTIONS') return done()
    reply.header('access-control-allow-methods', 'GET, POST, DELETE')
    reply.header('access-control-allow-headers', 'authorization, content-type, idempotency-key')
    reply.header('access-control-max-age', '600')
    reply.code(204).send()
  })
}

/** The methods under which `path` is served; empty for a path that does not exist. */
function methodsOf(app: FastifyInstance, path: string): string[] {
  return (['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const).filter(method => app.findRoute({ method, url: path }) !== null)
}

function answerUnknown(app: FastifyInstance): void {
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '/'
    const methods = methodsOf(app, path)
    if (methods.length === 0) {
      return sendError(
        gatewayError('not_found', `There is no ${request.method} ${path.slice(0, 200)} here. The OpenAI endpoints start with /v1.`),
        reply,
      )
    }
    reply.header('allow', methods.join(', '))
    return sendError(gatewayError('method_not_allowed', `${path} answers ${methods.join(', ')}, not ${request.method}.`), reply)
  })
}

/** JSON is the only body; anything else is told how to become it. */
function acceptJson(app: FastifyInstance, maxDepth: number): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(/^application\/(?:[\w.-]+\+)?json(?:\s*;|$)/i, { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, parseJsonObject(body as Buffer, maxDepth)) // cast: parseAs buffer
    } catch (error) {
      done(error as Error) // cast: parseJsonObject throws HeuristErrors only
    }
  })
}

/** A hardened Fastify: limits, JSON, error shape, CORS. Routes are added by the caller, before `ready`. */
export async function createServer(
  options: ServerOptions,
  dependencies: ServerDependencies,
  routes: readonly FastifyPluginAsync[],
): Promise<FastifyInstance> {
  const app = fastify({
    logger: false,
    bodyLimit: options.bodyLimitBytes,
    requestTimeout: options.requestTimeoutMs,
    keepAliveTimeout: options.keepAliveTimeoutMs,
    maxRequestsPerSocket: options.maxRequestsPerSocket,
    forceCloseConnections: 'idle',
    genReqId: () => `req_${hex(dependencies.random(12))}`,
    routerOptions: { maxParamLength: 512, ignoreTrailingSlash: true },
    http: {
      maxHeaderSize: options.maxHeaderBytes,
      headersTimeout: options.headersTimeoutMs,
      connectionsCheckingInterval: options.connectionsCheckMs,
    },
    clientErrorHandler: (error, socket) => answerClientError(error, socket, dependencies),
    frameworkErrors: (error, request, reply) => {
      reply.header('x-request-id', request.id)
      sendError(toGatewayError(error), reply)
    },
  })
  app.server.maxConnections = options.maxConnections
  followConnections(app)
  app.setErrorHandler((error, request, reply) => {
    const known = toGatewayError(error)
    if (known.code === 'server_error' || known.code === 'storage_unavailable') dependencies.onError(error, request.id)
    sendError(known, reply)
  })
  acceptJson(app, options.maxJsonDepth)
  allowConsole(app, options.consoleOrigins)
  answerUnknown(app)
  for (const plugin of routes) await app.register(plugin)
  return app
}
