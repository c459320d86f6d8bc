import type { JobStore } from '#platform'
import { type Address, canonicalHash } from '#protocol'
import { gatewayError } from './errors.ts'
import type { JsonObject } from './json.ts'

export type StoredAnswer = { readonly status: number; readonly body: string; readonly jobId: string }

/** The right to make the answer of an idempotency key. */
export type KeyClaim = {
  readonly known: null
  /** Stores the answer, before it goes out. */
  remember(answer: StoredAnswer): Promise<void>
  /** Must be called when the request ends, however it ends. */
  end(): void
}
/** One use of an idempotency key: either an answer that is already known, or the right to make it. */
export type IdempotentUse = { readonly known: StoredAnswer } | KeyClaim

export type Idempotency = {
  /** @throws HeuristError idempotency_key_reused, idempotency_key_in_use, invalid_value */
  claim(account: Address, key: string, path: string, body: JsonObject): Promise<IdempotentUse>
}

const MAX_KEY_LENGTH = 255

/**
 * `Idempotency-Key`: the same key with the same body gets the first answer again, without a second job (law L4). Only finished answers are kept: a failure
 * cost nothing and may be tried again under the same key. A streamed answer is kept as the text of its events. This is what Stripe does (a second
 * request gets the first answer, or 409 while that is being made); OpenAI's clients send the header and its documents promise nothing.
 */
export function createIdempotency({ jobs }: { jobs: Pick<JobStore, 'idempotent' | 'rememberAnswer'> }): Idempotency {
  const running = new Set<string>()

  function refuseOtherBody(stored: string, asked: string): void {
    if (stored === asked) return
    throw gatewayError('idempotency_key_reused', 'This Idempotency-Key was used with another request. Use a new key for a new request.', {
      param: 'Idempotency-Key',
    })
  }

  return {
    async claim(account, key, path, body) {
      if (key.length > MAX_KEY_LENGTH) {
        throw gatewayError('invalid_value', `An Idempotency-Key has at most ${MAX_KEY_LENGTH} characters.`, { param: 'Idempotency-Key' })
      }
      const requestHash = canonicalHash({ path, body })
      const slot = `${account} ${key}`
      if (running.has(slot)) {
        throw gatewayError(
          'idempotency_key_in_use',
          'A request with this Idempotency-Key is still running. Wait for its answer, then ask again.',
          { param: 'Idempotency-Key', retryAfterMs: 1_000 },
        )
      }
      running.add(slot)
      const end = () => {
        running.delete(slot)
      }
      try {
        const stored = await jobs.idempotent(account, key)
        if (!stored) return { known: null, remember: answer => jobs.rememberAnswer(account, key, { requestHash, ...answer }), end }
        refuseOtherBody(stored.requestHash, requestHash)
        end()
        return { known: stored }
      } catch (error) {
        end()
        throw error
      }
    },
  }
}
