import type { Delta, JobRequest } from '#protocol'
import type { EngineErrorCode, EngineErrorPayload, EngineResult, LoadSpec } from '../engine.ts'

/** What a node says to the process of a loaded model. Both are this package's own code, of one version. */
export type ToModel =
  | { readonly op: 'load'; readonly spec: Omit<LoadSpec, 'signal'> }
  | { readonly op: 'run'; readonly id: number; readonly request: JobRequest; readonly traceparent?: string }
  /** That delta of the job was taken: the back-pressure. */
  | { readonly op: 'taken'; readonly id: number; readonly sequence: number }
  | { readonly op: 'cancel'; readonly id: number }
  | { readonly op: 'measure'; readonly id: number }
  | { readonly op: 'unload' }

export type ToNode =
  | { readonly event: 'progress'; readonly fraction: number }
  | { readonly event: 'loaded'; readonly slots: number }
  | { readonly event: 'delta'; readonly id: number; readonly sequence: number; readonly delta: Delta }
  | { readonly event: 'done'; readonly id: number; readonly result: EngineResult }
  | { readonly event: 'measured'; readonly id: number; readonly unitsPerSecond: number }
  /** `id` is null of the load. */
  | { readonly event: 'failed'; readonly id: number | null; readonly error: WireError }

export type WireError = {
  readonly code: EngineErrorCode
  readonly message: string
  readonly payload: EngineErrorPayload | undefined
}
