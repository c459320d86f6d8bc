/** One piece of work of one process, OpenTelemetry's words. Attributes are ids and numbers: never prompts, answers or keys. */
export type Span = {
  /** `service.name` of the role that did it. */
  readonly service: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | null
  readonly name: string
  readonly kind: 'internal' | 'server' | 'client'
  readonly startMs: number
  readonly endMs: number
  readonly attributes: Readonly<Record<string, string | number | null>>
  readonly events?: readonly { readonly name: string; readonly atMs: number }[]
  /** Code of what failed; null on success. */
  readonly error: string | null
}

/** Where finished spans go. */
export interface Tracer {
  /** Takes spans for the next send and returns at once; what can not be sent in time is dropped and counted. */
  record(spans: readonly Span[]): void
  /** Sends what is left, for a bounded time. */
  stop(): Promise<void>
}
