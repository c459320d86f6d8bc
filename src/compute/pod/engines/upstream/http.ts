import { errors, Pool } from 'undici'
import { messageOf } from '#protocol'
import { type EngineErrorPayload, engineError } from '../engine.ts'
import { errorFields } from '../error-fields.ts'

/** An answer that does not fit into this is an attack or a mistake: 2,048 vectors of 4,096 numbers take 170 MB as JSON. */
const MAX_JSON_BYTES = 256 * 2 ** 20
const MAX_ERROR_BYTES = 64 * 2 ** 10
const MAX_MESSAGE_CHARS = 300

/** `traceparent` lets a server that traces put its spans under the job's. */
export type CallOptions = { readonly signal: AbortSignal; readonly traceparent?: string }

export type UpstreamClient = {
  getJson(path: string, options: CallOptions): Promise<unknown>
  postJson(path: string, body: unknown, options: CallOptions): Promise<unknown>
  /** Bytes of a streamed answer; leaving the loop early closes the request at the server. */
  postStream(path: string, body: unknown, options: CallOptions): AsyncIterable<Uint8Array>
  close(): Promise<void>
}

export type UpstreamClientOptions = {
  /** Base with version, e.g. http://127.0.0.1:8000/v1 */
  readonly url: string
  readonly apiKey: string | null
  readonly connections: number
  /** Longest wait for the first byte of an answer. */
  readonly headersTimeoutMs: number
  /** Longest silence inside an answer. */
  readonly bodyTimeoutMs: number
}

const CONTEXT_WORDS = /context (length|window|size)|maximum context|too many tokens|exceeds? .*context/i

/** What an upstream's refusal means for the job. `status` 0 stands for an error inside a stream. */
export function upstreamError(status: number, text: string): Error {
  const { message, code, param } = errorFields(text)
  const words = message.slice(0, MAX_MESSAGE_CHARS)
  const payload: EngineErrorPayload = { ...(status !== 0 && { status }), ...(param && { param }) }
  if (status === 429 || status === 503 || /overloaded|rate_limit/i.test(code)) {
    return engineError('ENGINE_OVERLOADED', `The upstream server is busy (${status || code}): ${words}`, { payload })
  }
  const isContext = code === 'context_length_exceeded' || CONTEXT_WORDS.test(message)
  const isRequest =
    status === 400 || status === 413 || status === 422 || (status === 0 && /invalid_request|context_length|BadRequest/i.test(code))
  if (isRequest && isContext) return engineError('ENGINE_CONTEXT_EXCEEDED', words, { payload })
  if (isRequest) return engineError('ENGINE_BAD_REQUEST', `The upstream server refused the request: ${words}`, { payload })
  return engineError('ENGINE_UPSTREAM_FAILED', `The upstream server failed${status ? ` with status ${status}` : ''}: ${words}`, { payload })
}

export function upstreamBroken(detail: string, cause?: unknown): Error {
  return engineError('ENGINE_UPSTREAM_FAILED', `The upstream server broke the protocol: ${detail}.`, { cause })
}

async function readBounded(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > maxBytes) throw upstreamBroken(`its answer is longer than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw upstreamBroken('its answer is not JSON', cause)
  }
}

/** Connection faults (refused, reset, closed inside an answer, timeouts) become ENGINE_UPSTREAM_FAILED; the rest passes. */
export function asUpstreamError(error: unknown): unknown {
  const isNetwork =
    error instanceof errors.UndiciError ||
    (error instanceof Error && 'syscall' in error) ||
    (error instanceof Error && 'code' in error && error.code === 'ECONNRESET')
  return isNetwork
    ? engineError('ENGINE_UPSTREAM_FAILED', `The upstream server cannot be reached or went away: ${messageOf(error)}`, { cause: error })
    : error
}

export function createUpstreamClient(options: UpstreamClientOptions): UpstreamClient {
  const base = new URL(options.url)
  const prefix = base.pathname.replace(/\/$/, '')
  const pool = new Pool(base.origin, {
    connections: options.connections,
    headersTimeout: options.headersTimeoutMs,
    bodyTimeout: options.bodyTimeoutMs,
    connectTimeout: 5_000,
  })
  const headers = { 'content-type': 'application/json', ...(options.apiKey !== null && { authorization: `Bearer ${options.apiKey}` }) }
  const send = async (method: 'GET' | 'POST', path: string, { body: content, signal, traceparent }: CallOptions & { body?: unknown }) => {
    const body = content === undefined ? null : JSON.stringify(content)
    const sent = traceparent === undefined ? headers : { ...headers, traceparent }
    const response = await pool.request({ method, path: `${prefix}${path}`, headers: sent, body, signal })
    if (response.statusCode === 200) return response.body
    throw upstreamError(response.statusCode, await readBounded(response.body, MAX_ERROR_BYTES))
  }
  const json = async (method: 'GET' | 'POST', path: string, options: CallOptions & { body?: unknown }): Promise<unknown> => {
    try {
      return parseJson(await readBounded(await send(method, path, options), MAX_JSON_BYTES))
    } catch (error) {
      throw asUpstreamError(error)
    }
  }
  return {
    getJson: (path, options) => json('GET', path, options),
    postJson: (path, body, options) => json('POST', path, { ...options, body }),
    async *postStream(path, body, options) {
      try {
        yield* await send('POST', path, { ...options, body })
      } catch (error) {
        throw asUpstreamError(error)
      }
    },
    close: () => pool.destroy(),
  }
}
