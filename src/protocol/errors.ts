/**
 * One error shape for the whole project. `message` says what happened and what to do about it;
 * `code` is a stable machine word (a union is documented beside the module that throws it);
 * `payload` carries the facts; `retryable` says whether the same call may succeed later.
 */
export class HeuristError<Code extends string = string, Payload = unknown> extends Error {
  override readonly name: string = 'HeuristError'
  readonly code: Code
  readonly payload: Payload | undefined
  readonly retryable: boolean

  constructor(code: Code, message: string, options: { payload?: Payload; retryable?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.payload = options.payload
    this.retryable = options.retryable ?? false
  }
}

/** True when `error` is ours and carries `code` (or any code when none is given). */
export function isHeuristError(error: unknown, code?: string): error is HeuristError {
  return error instanceof HeuristError && (code === undefined || error.code === code)
}

/** Best message of anything thrown, for logs and wire errors. Never includes a stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
