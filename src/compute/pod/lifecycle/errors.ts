import { HeuristError } from '#protocol'

/**
 * Why a model is not on the node. The message says what to do.
 * - `MODEL_UNKNOWN_BUILTIN`: no model of that id ships with this version
 * - `MODEL_FILE_MISSING`: a `file:` source or a shipped file is not there
 * - `MODEL_CATALOGUE_BROKEN`: models/models.json can not be read
 * - `MODEL_BAD_SOURCE`: the source is not one that a node pulls from
 * - `MODEL_FORBIDDEN_ADDRESS`: the source or a redirect leads to a place that a node must not reach
 * - `MODEL_NOT_FOUND`: the hub or server has no such file (or the repository is private)
 * - `MODEL_NOT_ALLOWED`: the server wants a login or an accepted licence
 * - `MODEL_UNREACHABLE`: the server could not be reached, or broke the connection too often. Retryable.
 * - `MODEL_CHECKSUM`: the file is not what the manifest or the hub says; it was deleted
 * - `MODEL_SIZE`: the server sends another number of bytes than announced
 * - `MODEL_DISK_FULL`: no room on the disk
 * - `MODEL_CACHE_FULL`: the model is larger than what the cache budget leaves beside loaded models
 * - `MODEL_CANCELLED`: the caller's signal fired
 */
export type ModelErrorCode =
  | 'MODEL_UNKNOWN_BUILTIN'
  | 'MODEL_FILE_MISSING'
  | 'MODEL_CATALOGUE_BROKEN'
  | 'MODEL_BAD_SOURCE'
  | 'MODEL_FORBIDDEN_ADDRESS'
  | 'MODEL_NOT_FOUND'
  | 'MODEL_NOT_ALLOWED'
  | 'MODEL_UNREACHABLE'
  | 'MODEL_CHECKSUM'
  | 'MODEL_SIZE'
  | 'MODEL_DISK_FULL'
  | 'MODEL_CACHE_FULL'
  | 'MODEL_CANCELLED'

export type ModelErrorPayload = {
  /** Earliest time to try again, from the server's Retry-After, in ms. */
  readonly retryAfterMs?: number
  readonly expectedSha256?: string
  readonly actualSha256?: string
}

export function modelError(
  code: ModelErrorCode,
  message: string,
  options: { payload?: ModelErrorPayload; cause?: unknown } = {},
): HeuristError<ModelErrorCode, ModelErrorPayload> {
  return new HeuristError(code, message, { ...options, retryable: code === 'MODEL_UNREACHABLE' })
}
