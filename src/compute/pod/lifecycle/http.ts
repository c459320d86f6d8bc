import { type Dispatcher, request } from 'undici'
import { createOutbound, NO_PROXY, type ProxyOptions } from '#platform'
import { messageOf } from '#protocol'
import { isForbiddenHost, publicLookup } from './addresses.ts'
import { modelError } from './errors.ts'

export type HttpOptions = {
  /** Origins that the owner configured himself (the hub, mirrors on his own network): plain HTTP and private addresses are allowed there. */
  readonly trustedOrigins: readonly string[]
  /** Sent to this one origin, never along a redirect to another. */
  readonly token?: { readonly origin: string; readonly value: string }
  /** Behind a proxy names are resolved there, and what it lets through is its rule. */
  readonly proxies?: ProxyOptions
  readonly connectTimeoutMs?: number
  /** Longest silence of a server, for headers and within a body. */
  readonly silenceTimeoutMs?: number
}
export type HttpAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Dispatcher.ResponseData['body']
  /** Headers of all answers on the way, the first one first: a hub names the checksum in the redirect. */
  readonly hops: readonly Readonly<Record<string, string>>[]
}
export type HttpClient = {
  /** Follows redirects. @throws HeuristError MODEL_FORBIDDEN_ADDRESS, MODEL_UNREACHABLE */
  get(url: URL, options: { headers?: Record<string, string>; signal: AbortSignal }): Promise<HttpAnswer>
  close(): Promise<void>
}

const MAX_REDIRECTS = 5

/** GET for model sources: undici, no global fetch, redirects followed by hand so that every hop is judged. */
export function createHttpClient(options: HttpOptions): HttpClient {
  const { silenceTimeoutMs = 30_000, connectTimeoutMs = 10_000, proxies = NO_PROXY } = options
  const timeouts = { headersTimeout: silenceTimeoutMs, bodyTimeout: silenceTimeoutMs, connectTimeout: connectTimeoutMs }
  const trusted = new Set(options.trustedOrigins.map(origin => new URL(origin).origin))
  const trustedAgent = createOutbound({ ...timeouts, connect: { timeout: connectTimeoutMs } }, proxies)
  const publicAgent = createOutbound({ ...timeouts, connect: { timeout: connectTimeoutMs, lookup: publicLookup } }, proxies)

  async function hop(url: URL, headers: Record<string, string>, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const isTrusted = trusted.has(url.origin)
    if (!isTrusted) judge(url)
    const isTokenHome = options.token !== undefined && new URL(options.token.origin).origin === url.origin
    const authorization = isTokenHome ? { authorization: `Bearer ${options.token?.value}` } : {}
    try {
      return await request(url.href, {
        headers: { ...headers, ...authorization },
        signal,
        dispatcher: isTrusted ? trustedAgent : publicAgent,
      })
    } catch (cause) {
      if (signal.aborted) throw signal.reason
      const message = messageOf(cause)
      if (message.includes('open internet')) throw modelError('MODEL_FORBIDDEN_ADDRESS', `${message}.`, { cause })
      throw modelError('MODEL_UNREACHABLE', `${url.origin} could not be reached: ${message}.`, { cause })
    }
  }

  return {
    async get(start, { headers = {}, signal }) {
      const hops: Record<string, string>[] = []
      let url = start
      for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
        const answer = await hop(url, { 'user-agent': 'heurist-node', 'accept-encoding': 'identity', ...headers }, signal)
        hops.push(plainHeaders(answer.headers))
        const location = answer.statusCode >= 300 && answer.statusCode < 400 ? hops.at(-1)?.location : undefined
        if (location === undefined) return { status: answer.statusCode, headers: hops.at(-1)!, body: answer.body, hops }
        await answer.body.dump()
        if (!URL.canParse(location, url.href))
          throw modelError('MODEL_UNREACHABLE', `${url.origin} redirects to "${location}", which is no address.`)
        url = new URL(location, url.href)
      }
      throw modelError('MODEL_UNREACHABLE', `${start.origin} redirects more than ${MAX_REDIRECTS} times.`)
    },
    async close() {
      await Promise.all([trustedAgent.destroy(), publicAgent.destroy()])
    },
  }
}

/** Only https, and no address outside the open internet. Names are judged again when they are resolved. */
function judge(url: URL): void {
  const where = `${url.protocol}//${url.host}`
  if (url.protocol !== 'https:') {
    throw modelError(
      'MODEL_FORBIDDEN_ADDRESS',
      `${where} is not https. A node pulls models over https only, except from a hub that its owner configured.`,
    )
  }
  if (isForbiddenHost(url.hostname)) {
    throw modelError(
      'MODEL_FORBIDDEN_ADDRESS',
      `${where} is not on the open internet. If this is your own mirror, configure it as the hub endpoint.`,
    )
  }
}

function plainHeaders(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const plain: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) plain[name.toLowerCase()] = Array.isArray(value) ? (value[0] ?? '') : value
  }
  return plain
}
