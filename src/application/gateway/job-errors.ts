import { formatUnits, isHeuristError, type JobFailure, type JobId } from '#protocol'
import type { InsufficientCredits, KeyBudgetExceeded } from '../payments/types.ts'
import { type GatewayError, type GatewayErrorCode, gatewayError } from './errors.ts'

/** The router's codes (`orchestration/router/errors.ts`) -> what the client is told, and whether trying again helps. */
const FAILURES: Readonly<Record<string, { readonly code: GatewayErrorCode; readonly retryAfterMs?: number }>> = {
  ROUTER_NO_CANDIDATE: { code: 'no_candidate', retryAfterMs: 5_000 },
  ROUTER_POD_COLD: { code: 'overloaded', retryAfterMs: 15_000 },
  ROUTER_POD_ELSEWHERE: { code: 'overloaded', retryAfterMs: 2_000 },
  ROUTER_QUEUE_FULL: { code: 'overloaded', retryAfterMs: 2_000 },
  ROUTER_QUEUE_TIMEOUT: { code: 'overloaded', retryAfterMs: 5_000 },
  ROUTER_LOAD_TIMEOUT: { code: 'overloaded', retryAfterMs: 15_000 },
  ROUTER_FIRST_TOKEN_TIMEOUT: { code: 'deadline_exceeded' },
  ROUTER_TOKEN_TIMEOUT: { code: 'deadline_exceeded' },
  ROUTER_TOTAL_TIMEOUT: { code: 'deadline_exceeded' },
  ROUTER_NODE_LOST: { code: 'node_failed' },
  ROUTER_NODE_FAILED: { code: 'node_failed' },
  ROUTER_NODE_MISBEHAVED: { code: 'node_failed' },
  ROUTER_REQUEST_REJECTED: { code: 'invalid_value' },
  ROUTER_CANCELLED: { code: 'cancelled' },
  ROUTER_LOST: { code: 'node_failed', retryAfterMs: 1_000 },
  ROUTER_POD_UNKNOWN: { code: 'no_candidate', retryAfterMs: 1_000 },
  GATEWAY_NO_ROUTER: { code: 'no_candidate', retryAfterMs: 2_000 },
  GATEWAY_NOT_DISPATCHED: { code: 'server_error', retryAfterMs: 1_000 },
  GATEWAY_BAD_OUTCOME: { code: 'server_error' },
  GATEWAY_SECOND_STREAM: { code: 'server_error' },
  ROUTER_STOPPING: { code: 'shutting_down', retryAfterMs: 2_000 },
}

/** A failed job as an error for its client. The message says that nothing was charged, because nothing was. */
export function jobFailureError(
  jobId: JobId,
  failure: Pick<JobFailure, 'code' | 'message' | 'retryAfterMs' | 'param'>,
  cancelled: boolean,
): GatewayError {
  const known = FAILURES[failure.code] ?? { code: 'node_failed' as const }
  const code = cancelled && failure.code.startsWith('ROUTER_') && failure.code !== 'ROUTER_REQUEST_REJECTED' ? 'cancelled' : known.code
  const retryAfterMs = failure.retryAfterMs ?? known.retryAfterMs
  const message = failure.message.endsWith('.') ? failure.message : `${failure.message}.`
  return gatewayError(code, `${message} Nothing was charged.`, {
    jobId,
    cause: failure.code,
    ...(failure.param !== null && { param: failure.param }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  })
}

function creditsText(nanoCredits: bigint): string {
  return formatUnits(nanoCredits, 9)
}

/** What payments refused, in the words of OpenAI's clients: a spent account is `insufficient_quota`. */
export function paymentError(error: unknown): unknown {
  if (isHeuristError(error, 'PAYMENT_INSUFFICIENT_CREDITS')) {
    const { needed, available } = error.payload as InsufficientCredits // cast: the payload that payments documents for this code
    return gatewayError(
      'insufficient_quota',
      `This request can cost up to ${creditsText(needed)} credits and ${creditsText(available)} are free. Add credits with "heurist credit buy", or lower max_tokens.`,
      { cause: error.code },
    )
  }
  if (isHeuristError(error, 'PAYMENT_KEY_BUDGET_EXCEEDED')) {
    const { budget, spent, held, needed } = error.payload as KeyBudgetExceeded // cast: the payload that payments documents for this code
    return gatewayError(
      'insufficient_quota',
      `This API key may spend ${creditsText(budget)} credits; ${creditsText(spent)} are spent, ${creditsText(held)} held, and this request needs up to ${creditsText(needed)}. Use another key, or create one with a larger budget ("heurist key create"); buying credits does not raise it.`,
      { cause: error.code },
    )
  }
  if (isHeuristError(error, 'PAYMENT_STOPPED')) {
    return gatewayError('shutting_down', 'The server is shutting down. Try again shortly.', { retryAfterMs: 2_000, cause: error.code })
  }
  return error
}
