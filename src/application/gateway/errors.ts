import { HeuristError, isHeuristError } from '#protocol'

/**
 * Error code -> HTTP status and OpenAI `type`: the one place of this rule. The codes are the wire words of `error.code`;
 * where OpenAI has a word, ours is the same, so that clients' own handling works.
 */
const WIRE = {
  // the request
  invalid_json: [400, 'invalid_request_error'],
  invalid_type: [400, 'invalid_request_error'],
  invalid_value: [400, 'invalid_request_error'],
  missing_required_parameter: [400, 'invalid_request_error'],
  unsupported_parameter: [400, 'invalid_request_error'],
  unsupported_model: [400, 'invalid_request_error'],
  context_length_exceeded: [400, 'invalid_request_error'],
  max_price_exceeded: [400, 'invalid_request_error'],
  bad_request: [400, 'invalid_request_error'],
  idempotency_key_reused: [400, 'invalid_request_error'],
  idempotency_key_in_use: [409, 'invalid_request_error'],
  idempotency_answer_lost: [409, 'invalid_request_error'],
  not_found: [404, 'invalid_request_error'],
  model_not_found: [404, 'invalid_request_error'],
  method_not_allowed: [405, 'invalid_request_error'],
  request_timeout: [408, 'invalid_request_error'],
  request_too_large: [413, 'invalid_request_error'],
  unsupported_media_type: [415, 'invalid_request_error'],
  headers_too_large: [431, 'invalid_request_error'],
  // the caller
  missing_api_key: [401, 'invalid_request_error'],
  invalid_api_key: [401, 'invalid_request_error'],
  insufficient_permissions: [403, 'invalid_request_error'],
  insufficient_quota: [429, 'insufficient_quota'],
  rate_limit_exceeded: [429, 'requests'],
  token_limit_exceeded: [429, 'tokens'],
  // the network
  cancelled: [499, 'server_error'],
  no_candidate: [503, 'server_error'],
  overloaded: [503, 'server_error'],
  shutting_down: [503, 'server_error'],
  storage_unavailable: [503, 'server_error'],
  chain_unavailable: [503, 'server_error'],
  node_failed: [502, 'server_error'],
  deadline_exceeded: [504, 'server_error'],
  server_error: [500, 'server_error'],
} as const satisfies Record<string, readonly [number, string]>

/** Every `error.code` that this gateway answers. */
export type GatewayErrorCode = keyof typeof WIRE
export type GatewayErrorPayload = {
  /** The request's member at fault, e.g. `messages[0].role`. */
  readonly param?: string
  readonly retryAfterMs?: number
  /** The router's or another layer's own code, told in the `heurist` member of the error. */
  readonly cause?: string
  readonly jobId?: string
  readonly headers?: Readonly<Record<string, string>>
}
export type GatewayError = HeuristError<GatewayErrorCode, GatewayErrorPayload>

/** An error that the client is told: `message` says what happened and what to do. */
export function gatewayError(code: GatewayErrorCode, message: string, payload: GatewayErrorPayload = {}): GatewayError {
  return new HeuristError(code, message, { payload, retryable: payload.retryAfterMs !== undefined })
}

function isGatewayError(error: unknown): error is GatewayError {
  return isHeuristError(error) && error.code in WIRE
}

/** Codes of other layers and of the HTTP framework -> ours. */
const FOREIGN: Readonly<Record<string, GatewayErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'request_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid_json',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'bad_request',
  FST_ERR_BAD_URL: 'bad_request',
  FST_ERR_ASYNC_CONSTRAINT: 'bad_request',
  ECONNRESET: 'bad_request',
  DATABASE_UNAVAILABLE: 'storage_unavailable',
  DATABASE_FULL: 'storage_unavailable',
  TOKENIZER_TEMPLATE_FAILED: 'invalid_value',
  CONTROL_FORBIDDEN: 'insufficient_permissions',
  CONTROL_NOT_FOUND: 'not_found',
  FRONTEND_UNKNOWN: 'not_found',
  FRONTEND_OTHER_LIST: 'invalid_value',
  CONTROL_BAD_REQUEST: 'invalid_value',
}

/** Families of codes whose messages are written for users: a pod that can not be deployed as asked, a chain that is away. */
const FOREIGN_FAMILIES: readonly (readonly [string, GatewayErrorCode])[] = [
  ['MANIFEST_', 'invalid_value'],
  ['MODEL_', 'invalid_value'],
  ['GGUF_', 'invalid_value'],
  ['CHAIN_', 'chain_unavailable'],
]

function foreignCode(code: string): GatewayErrorCode | undefined {
  return FOREIGN[code] ?? FOREIGN_FAMILIES.find(([prefix]) => code.startsWith(prefix))?.[1]
}

const FOREIGN_MESSAGE: Partial<Record<GatewayErrorCode, string>> = {
  request_too_large: 'The request body is larger than this server accepts. Send a shorter prompt or fewer inputs.',
  unsupported_media_type:
    'The request body must be JSON. Send the header "content-type: application/json" (with curl: -H "content-type: application/json").',
  invalid_json: 'The request body is empty. Send a JSON object.',
  storage_unavailable: 'The server can not reach its ledger just now, so nothing was run and nothing was charged. Try again shortly.',
}

/** Any thrown thing as an error of this gateway. What is not known becomes a `server_error` that tells no internals. */
export function toGatewayError(error: unknown): GatewayError {
  if (isGatewayError(error)) return error
  const foreign = error as { code?: unknown; statusCode?: unknown; message?: unknown } | null // cast: probed member by member below
  const code = typeof foreign?.code === 'string' ? foreignCode(foreign.code) : undefined
  if (code) return gatewayError(code, FOREIGN_MESSAGE[code] ?? String(foreign?.message))
  if (typeof foreign?.statusCode === 'number' && foreign.statusCode >= 400 && foreign.statusCode < 500) {
    return gatewayError('bad_request', String(foreign.message))
  }
  return gatewayError(
    'server_error',
    'The server had an error while handling the request. It cost nothing. Try again, and report the request id.',
  )
}

export function statusOf(error: GatewayError): number {
  return WIRE[error.code][0]
}

/** OpenAI's error body: all four keys, always. */
export function errorBody(error: GatewayError): {
  error: { message: string; type: string; param: string | null; code: string; heurist?: Record<string, string> }
} {
  const { param, cause, jobId } = error.payload ?? {}
  const heurist = { ...(cause !== undefined && { code: cause }), ...(jobId !== undefined && { job_id: jobId }) }
  return {
    error: {
      message: error.message,
      type: WIRE[error.code][1],
      param: param ?? null,
      // OpenAI has one word for both limits; the type says which.
      code: error.code === 'token_limit_exceeded' ? 'rate_limit_exceeded' : error.code,
      ...(Object.keys(heurist).length > 0 && { heurist }),
    },
  }
}

/** Headers that go with an error: `retry-after`, and a word to the official clients where a retry can not help. */
export function errorHeaders(error: GatewayError): Record<string, string> {
  const headers: Record<string, string> = { ...error.payload?.headers }
  const retryAfterMs = error.payload?.retryAfterMs
  if (retryAfterMs !== undefined) {
    headers['retry-after'] = String(Math.max(1, Math.ceil(retryAfterMs / 1000)))
    headers['retry-after-ms'] = String(Math.max(1, Math.ceil(retryAfterMs)))
  } else if (statusOf(error) === 429) headers['x-should-retry'] = 'false'
  if (statusOf(error) === 401) headers['www-authenticate'] = 'Bearer'
  if (error.payload?.jobId !== undefined) headers['x-heurist-job-id'] = error.payload.jobId
  return headers
}
