import type { ApiKeyRecord, Clock } from '#platform'
import { type GatewayErrorCode, gatewayError } from './errors.ts'

export type RateLimitOptions = {
  /** Input and output tokens per minute and key. */
  readonly tokensPerMinute: number
  /** Requests of one key that may run at once. */
  readonly concurrentRequests: number
}
export const RATE_LIMIT_DEFAULTS: RateLimitOptions = { tokensPerMinute: 2_000_000, concurrentRequests: 1_000 }

export type Admission = {
  /** `x-ratelimit-*` as they stand after this request. */
  readonly headers: Readonly<Record<string, string>>
  /** The request has ended: corrects the token count to what was really used, which may leave a debt. At most once. */
  end(usedTokens: number): void
}

export type RateLimiter = {
  /**
   * @param tokens what the request is known to need: input and explicitly asked output
   * @throws HeuristError rate_limit_exceeded, token_limit_exceeded
   */
  admit(key: Pick<ApiKeyRecord, 'keyId' | 'requestsPerMinute'>, tokens: number): Admission
}

/** Tokens that refill evenly; `level` is exact only at `atMs`. */
type Bucket = { readonly capacity: number; level: number; atMs: number }
type Usage = { readonly requests: Bucket; readonly tokens: Bucket; running: number }

const MINUTE_MS = 60_000
/** Above this many keys the idle ones are forgotten: a full bucket is what a new one starts with. */
const SWEEP_AT = 10_000

function refill(bucket: Bucket, nowMs: number): void {
  const gained = ((nowMs - bucket.atMs) * bucket.capacity) / MINUTE_MS
  if (gained > 0) bucket.level = Math.min(bucket.capacity, bucket.level + gained)
  bucket.atMs = nowMs
}

/** Milliseconds until `bucket` holds `amount`. */
function waitMs(bucket: Bucket, amount: number): number {
  return Math.max(0, ((amount - bucket.level) * MINUTE_MS) / bucket.capacity)
}

/** A duration as OpenAI writes it: `60ms`, `1.5s`, `6m0s`. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.ceil(ms)}ms`
  const seconds = Math.ceil(ms / 100) / 10
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${Math.ceil(seconds % 60)}s`
}

function headersOf({ requests, tokens }: Usage): Record<string, string> {
  return {
    'x-ratelimit-limit-requests': String(requests.capacity),
    'x-ratelimit-remaining-requests': String(Math.max(0, Math.floor(requests.level))),
    'x-ratelimit-reset-requests': durationText(waitMs(requests, requests.capacity)),
    'x-ratelimit-limit-tokens': String(tokens.capacity),
    'x-ratelimit-remaining-tokens': String(Math.max(0, Math.floor(tokens.level))),
    'x-ratelimit-reset-tokens': durationText(waitMs(tokens, tokens.capacity)),
  }
}

function limited(code: GatewayErrorCode, usage: Usage, message: string, retryAfterMs: number): Error {
  return gatewayError(code, message, { retryAfterMs: Math.max(1, retryAfterMs), headers: headersOf(usage) })
}

function refuse(usage: Usage, tokens: number, options: RateLimitOptions): void {
  const { requests, tokens: bucket } = usage
  if (usage.running >= options.concurrentRequests) {
    throw limited(
      'rate_limit_exceeded',
      usage,
      `Rate limit reached: ${usage.running} requests of this key are running, as many as it may. Wait for one to end.`,
      1_000,
    )
  }
  if (requests.level < 1) {
    throw limited(
      'rate_limit_exceeded',
      usage,
      `Rate limit reached: ${requests.capacity} requests per minute. Wait, or ask for a key with a higher limit.`,
      waitMs(requests, 1),
    )
  }
  if (bucket.level < tokens) {
    throw limited(
      'token_limit_exceeded',
      usage,
      `Rate limit reached: ${bucket.capacity} tokens per minute; this request needs ${tokens}. Wait, or lower max_tokens.`,
      waitMs(bucket, tokens),
    )
  }
}

/** Law R5: no key over its rate. One token bucket for requests and one for tokens per key, and a count of what runs. */
export function createRateLimiter(options: RateLimitOptions, { clock }: { clock: Clock }): RateLimiter {
  const usages = new Map<string, Usage>()

  function sweep(nowMs: number): void {
    for (const [keyId, usage] of usages) {
      refill(usage.requests, nowMs)
      refill(usage.tokens, nowMs)
      const idle = usage.running === 0 && usage.requests.level >= usage.requests.capacity && usage.tokens.level >= usage.tokens.capacity
      if (idle) usages.delete(keyId)
    }
  }

  function usageOf(key: Pick<ApiKeyRecord, 'keyId' | 'requestsPerMinute'>, nowMs: number): Usage {
    let usage = usages.get(key.keyId)
    if (usage?.requests.capacity === key.requestsPerMinute) {
      refill(usage.requests, nowMs)
      refill(usage.tokens, nowMs)
      return usage
    }
    if (usages.size >= SWEEP_AT) sweep(nowMs)
    const bucket = (capacity: number): Bucket => ({ capacity, level: capacity, atMs: nowMs })
    usage = {
      requests: bucket(key.requestsPerMinute),
      tokens: usage?.tokens ?? bucket(options.tokensPerMinute),
      running: usage?.running ?? 0,
    }
    usages.set(key.keyId, usage)
    return usage
  }

  return {
    admit(key, tokens) {
      const usage = usageOf(key, clock.now())
      // A request larger than the whole bucket waits for a full one instead of for ever; the rest becomes debt.
      const reserved = Math.min(tokens, usage.tokens.capacity)
      refuse(usage, reserved, options)
      usage.requests.level -= 1
      usage.tokens.level -= reserved
      usage.running += 1
      let ended = false
      return {
        headers: headersOf(usage),
        end(usedTokens) {
          if (ended) return
          ended = true
          usage.running -= 1
          usage.tokens.level = Math.min(usage.tokens.capacity, usage.tokens.level + reserved - usedTokens)
        },
      }
    },
  }
}
