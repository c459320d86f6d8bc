import type { Clock, Span, Tracer } from '#platform'
import { type HeuristError, spanIdOf, traceOf, traceparentOf } from '#protocol'
import type { LeaseMessage } from './lease-checks.ts'

/** Follows one lease for the trace of its job; none exists where tracing is off. */
export type LeaseTrace = {
  /** What the engine's server is told. */
  readonly traceparent: string
  mark(name: 'ready' | 'first_token'): void
  end(error: HeuristError | null): void
}
export type TraceLease = (message: LeaseMessage) => LeaseTrace

export function createLeaseTracing({ tracer, clock, nodeId }: { tracer: Tracer; clock: Clock; nodeId: string }): TraceLease {
  return message => {
    const { jobId, attempt, podId } = message
    const trace = traceOf(jobId, message.traceparent)
    const spanId = spanIdOf(jobId, `node ${attempt}`)
    const startMs = clock.now()
    const events: NonNullable<Span['events']>[number][] = []
    return {
      traceparent: traceparentOf(trace, spanId),
      mark: name => events.push({ name, atMs: clock.now() }),
      end(error) {
        if (!trace.isSampled) return
        tracer.record([
          {
            service: 'heurist-node',
            traceId: trace.traceId,
            spanId,
            parentSpanId: spanIdOf(jobId, `attempt ${attempt}`),
            name: 'run',
            kind: 'server',
            startMs,
            endMs: clock.now(),
            attributes: { 'heurist.job_id': jobId, 'heurist.node_id': nodeId, 'heurist.pod_id': podId, 'heurist.attempt': attempt },
            events,
            error: error?.code ?? null,
          },
        ])
      },
    }
  }
}
