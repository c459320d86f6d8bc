import type { HeldKey, JobStore } from '#platform'
import { type Address, canonicalHash, type JobId, jobIdFrom } from '#protocol'
import { gatewayError } from './errors.ts'
import type { JsonObject } from './json.ts'

export type StoredAnswer = { readonly status: number; readonly body: string; readonly jobId: string }

/** The right to make the answer of an idempotency key, by the job of this id. */
export type KeyClaim = {
  readonly known: null
  readonly jobId: JobId
  /** Stores the answer, before it goes out. */
  remember(answer: Pick<StoredAnswer, 'status' | 'body'>): Promise<void>
  /** Must be called when the request ends, however it ends: without an answer the key is free again. */
  end(): void
}
/** One use of an idempotency key: either an answer that is already known, or the right to make it. */
export type IdempotentUse = { readonly known: StoredAnswer } | KeyClaim

export type Idempotency = {
  /** @throws HeuristError idempotency_key_reused, idempotency_key_in_use, idempotency_answer_lost, invalid_value */
  claim(account: Address, key: string, path: string, body: JsonObject): Promise<IdempotentUse>
}

const MAX_KEY_LENGTH = 255
/** A job is in the database this long after it began, or it never will be: its process died at once. */
const STORED_AFTER_MS = 5_000
/** An answer is stored this long after its job ended, or it never will be. */
const REMEMBERED_AFTER_MS = 5_000

export type IdempotencyDependencies = {
  readonly jobs: Pick<JobStore, 'takeKey' | 'rememberAnswer' | 'releaseKey' | 'get'>
  readonly random: (bytes: number) => Uint8Array
  readonly clock: { now(): number }
}

function inUse(): Error {
  return gatewayError(
    'idempotency_key_in_use',
    'A request with this Idempotency-Key is still running. Wait for its answer, then ask again.',
    {
      param: 'Idempotency-Key',
      retryAfterMs: 1_000,
    },
  )
}

/**
 * `Idempotency-Key`: the same key with the same body gets the first answer again, without a second job (law L4). The key is taken in the database before the
 * job begins, so that neither a second gateway nor a restart runs it twice. Only finished answers are kept: a failure cost nothing and may be tried again under
 * the same key. A streamed answer is kept as the text of its events. This is what Stripe does (a second request gets the first answer, or 409 while that
 * is being made); OpenAI's clients send the header and its documents promise nothing.
 */
export function createIdempotency({ jobs, random, clock }: IdempotencyDependencies): Idempotency {
  function refuseOtherBody(stored: string, asked: string): void {
    if (stored === asked) return
    throw gatewayError('idempotency_key_reused', 'This Idempotency-Key was used with another request. Use a new key for a new request.', {
      param: 'Idempotency-Key',
    })
  }

  /** A job holds the key and has no answer: it runs, or its process died. @throws unless the job has come to nothing */
  async function refuseUnlessDead({ jobId, createdAtMs }: HeldKey): Promise<void> {
    const job = await jobs.get(jobId)
    const nowMs = clock.now()
    if (!job && nowMs - createdAtMs < STORED_AFTER_MS) throw inUse()
    if (!job || job.state === 'failed' || job.state === 'cancelled') return
    if (job.state !== 'succeeded' || nowMs - (job.finishedAtMs ?? 0) < REMEMBERED_AFTER_MS) throw inUse()
    throw gatewayError(
      'idempotency_answer_lost',
      `This request was done and charged once, as ${jobId}, but its answer was lost on the way. Use a new Idempotency-Key to run it again.`,
      { param: 'Idempotency-Key', jobId },
    )
  }

  function claimOf(account: Address, key: string, jobId: JobId): KeyClaim {
    let isRemembered = false
    return {
      known: null,
      jobId,
      async remember({ status, body }) {
        await jobs.rememberAnswer(account, key, { status, body, jobId })
        isRemembered = true
      },
      // What can not be released now is taken over later: its job failed.
      end: () => void (isRemembered || jobs.releaseKey(account, key, jobId).catch(() => undefined)),
    }
  }

  return {
    async claim(account, key, path, body) {
      if (key.length > MAX_KEY_LENGTH) {
        throw gatewayError('invalid_value', `An Idempotency-Key has at most ${MAX_KEY_LENGTH} characters.`, { param: 'Idempotency-Key' })
      }
      const requestHash = canonicalHash({ path, body })
      const jobId = jobIdFrom(random(16))
      let held = await jobs.takeKey(account, key, { requestHash, jobId })
      if (held.jobId === jobId) return claimOf(account, key, jobId)
      refuseOtherBody(held.requestHash, requestHash)
      if (held.status !== 0) return { known: held }
      await refuseUnlessDead(held)
      held = await jobs.takeKey(account, key, { requestHash, jobId, instead: held.jobId })
      if (held.jobId !== jobId) throw inUse()
      return claimOf(account, key, jobId)
    },
  }
}
