import type { Clock, Logger, RandomBytes } from '#platform'
import {
  type Bytes32,
  type Delta,
  type Device,
  type EngineName,
  type FinishReason,
  HeuristError,
  type JobRequest,
  type PodManifest,
} from '#protocol'

/**
 * Why an engine refused or failed. `retryable` on the error says whether another node may succeed with the same request.
 *
 * - `ENGINE_BAD_REQUEST`: the body asks for something no node of this pod can do; `payload.param` names the member. Not retryable.
 * - `ENGINE_CONTEXT_EXCEEDED`: prompt and wanted output do not fit; `payload` has both numbers. Not retryable.
 * - `ENGINE_LOAD_FAILED`: the model could not be loaded (missing file, too little memory, an upstream that does not answer).
 * - `ENGINE_OVERLOADED`: no free sequence, or an upstream said 429 or 503. Retryable.
 * - `ENGINE_CANCELLED`: the caller's signal fired. Nobody is at fault; not retryable.
 * - `ENGINE_UPSTREAM_FAILED`: the server behind an upstream engine broke its protocol or its connection. Retryable.
 * - `ENGINE_FAILED`: the runtime failed. Retryable.
 */
export type EngineErrorCode =
  | 'ENGINE_BAD_REQUEST'
  | 'ENGINE_CONTEXT_EXCEEDED'
  | 'ENGINE_LOAD_FAILED'
  | 'ENGINE_OVERLOADED'
  | 'ENGINE_CANCELLED'
  | 'ENGINE_UPSTREAM_FAILED'
  | 'ENGINE_FAILED'

/** Codes after which the same request may succeed elsewhere. */
const RETRYABLE: ReadonlySet<EngineErrorCode> = new Set([
  'ENGINE_LOAD_FAILED',
  'ENGINE_OVERLOADED',
  'ENGINE_UPSTREAM_FAILED',
  'ENGINE_FAILED',
])

export type EngineErrorPayload = {
  /** Member of the request body at fault, in OpenAI's notation (`messages[0].content`). */
  readonly param?: string
  readonly contextTokens?: number
  readonly promptTokens?: number
  readonly requestedTokens?: number
  /** HTTP status of an upstream. */
  readonly status?: number
}

export function engineError(
  code: EngineErrorCode,
  message: string,
  options: { payload?: EngineErrorPayload; cause?: unknown } = {},
): HeuristError<EngineErrorCode, EngineErrorPayload> {
  return new HeuristError(code, message, { ...options, retryable: RETRYABLE.has(code) })
}

/** What every engine needs from outside; `random` seeds requests without a seed and names tool calls. */
export type EngineDeps = { readonly clock: Pick<Clock, 'now'>; readonly random: RandomBytes; readonly logger: Logger }

export type LoadSpec = {
  readonly podId: Bytes32
  readonly manifest: PodManifest
  /** File or directory of the pulled model; null when the engine needs none (upstream). */
  readonly modelPath: string | null
  readonly device: Device
  /** Wanted number of requests at once; the engine may give fewer (`LoadedModel.slots`), never more. */
  readonly slots: number
  readonly signal: AbortSignal
}

export type RunOptions = {
  /** Aborting stops the computation within 200 ms and frees the slot; `run` then rejects with ENGINE_CANCELLED. */
  readonly signal: AbortSignal
  /** W3C trace context for a server behind the engine. */
  readonly traceparent?: string
  /** Takes one piece of output. The engine awaits it before it computes on for that choice: this is the back-pressure. */
  emit(delta: Delta): void | Promise<void>
}

export type EngineResult = {
  /** One entry per choice (a completion or chat choice); empty for embeddings. */
  readonly finish: readonly { readonly index: number; readonly reason: FinishReason }[]
  /** Tokens of the prompt (of all inputs for an encoder). */
  readonly inputUnits: number
  /** Generated tokens; equals the sum of `tokens` over all emitted deltas. */
  readonly outputUnits: number
}

/** A model that is ready to run on one device. */
export type LoadedModel = {
  /** Requests that run at once; a further one is refused with ENGINE_OVERLOADED. */
  readonly slots: number
  /** Something else than its node holds it to its share of the device, and what it measures is of that share. */
  readonly isHeldToShare?: boolean
  /** Resolves with the reason when the model is gone without having been unloaded; absent: it ends with its node only. */
  readonly died?: Promise<string>
  /** Asks, without a job, whether it could take one; absent: it can until it died. @throws why it could not */
  health?(signal: AbortSignal): Promise<void>
  /** Measures units (output tokens, or input tokens of an encoder) per second of one stream on this device, now. */
  measure(): Promise<number>
  /** Runs one request. @throws HeuristError with an {@link EngineErrorCode} */
  run(request: JobRequest, options: RunOptions): Promise<EngineResult>
  /** Fails what runs with ENGINE_FAILED (retryable elsewhere), then frees the memory. A second call does nothing; `run` afterwards fails the same. */
  unload(): Promise<void>
}

/** One kind of runtime. Loading is the only thing that it does by itself; everything else belongs to a loaded model. */
export interface Engine {
  readonly name: EngineName
  /** Called once with the devices of this machine, before anything is placed on them. */
  prepare?(devices: readonly Device[]): Promise<void>
  /** Measures the device with this engine's fixed kernel; null when it can not compute on it. */
  benchmark?(device: Device): Promise<{ readonly score: number; readonly kernel: string } | null>
  /** Why it can not compute for the pod on the device; null, or no such member: it can. */
  objectionTo?(manifest: PodManifest, device: Device): string | null
  /** @param onProgress called with a fraction 0 to 1. @throws HeuristError ENGINE_LOAD_FAILED, ENGINE_CANCELLED */
  load(spec: LoadSpec, onProgress?: (fraction: number) => void): Promise<LoadedModel>
}
