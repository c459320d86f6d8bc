import type { Database, JobOutcome, JobStore, Span, Tracer } from '#platform'
import { spanIdOf, type TimelineEvent, traceOf } from '#protocol'

/** The database as gateways use it; unchanged where tracing is off. */
export function tracedDatabase(database: Database, tracer: Tracer | undefined): Database {
  return tracer ? { ...database, jobs: tracedJobs(database.jobs, tracer) } : database
}

/** A job's spans, sent when its end is on disk: its timeline already says all that they say. */
export function tracedJobs(jobs: JobStore, tracer: Tracer): JobStore {
  return {
    ...jobs,
    async finish(outcome) {
      await jobs.finish(outcome)
      tracer.record(spansOf(outcome))
    },
  }
}

/** The gateway's span of the whole job, and the router's: one per wait for a slot, one per attempt. */
export function spansOf(outcome: JobOutcome): Span[] {
  const { start, timeline, finishedAtMs, state } = outcome
  const { jobId } = start
  const { traceparent } = timeline.find(({ step }) => step === 'held')?.detail ?? {}
  const trace = traceOf(jobId, typeof traceparent === 'string' ? traceparent : undefined)
  if (!trace.isSampled) return []
  const root = spanIdOf(jobId, 'job')
  const job: Span = {
    service: 'heurist-gateway',
    traceId: trace.traceId,
    spanId: root,
    parentSpanId: trace.parentSpanId,
    name: `${start.kind} ${start.model}`,
    kind: 'server',
    startMs: start.createdAtMs,
    endMs: finishedAtMs,
    attributes: {
      'heurist.job_id': jobId,
      'heurist.job_state': state,
      'heurist.attempts': outcome.attempts,
      'heurist.node_id': outcome.nodeId,
      'gen_ai.request.model': start.model,
      'gen_ai.usage.input_tokens': outcome.inputUnits,
      'gen_ai.usage.output_tokens': outcome.outputUnits,
    },
    events: timeline.map(({ step, atMs }) => ({ name: step, atMs })),
    error: outcome.errorCode,
  }
  return [job, ...routerSpans(outcome, { traceId: trace.traceId, parentSpanId: root })]
}

function routerSpans({ start, timeline, finishedAtMs, errorCode }: JobOutcome, place: Pick<Span, 'traceId' | 'parentSpanId'>): Span[] {
  const spans: Span[] = []
  const span = (name: string, startMs: number, endMs: number, more: Partial<Span> = {}): Span => ({
    service: 'heurist-router',
    ...place,
    spanId: spanIdOf(start.jobId, name),
    name,
    kind: 'internal',
    startMs,
    endMs,
    attributes: { 'heurist.job_id': start.jobId },
    error: null,
    ...more,
  })
  let waitsSinceMs = start.createdAtMs
  let attempt = 0
  let leased: TimelineEvent | null = null
  const endAttempt = (endMs: number, error: string | null): void => {
    if (leased === null) return
    const attributes = { 'heurist.job_id': start.jobId, 'heurist.node_id': String(leased.detail.nodeId), 'heurist.attempt': attempt }
    spans.push(span(`attempt ${attempt}`, leased.atMs, endMs, { kind: 'client', attributes, error }))
    leased = null
    waitsSinceMs = endMs
  }
  for (const event of timeline) {
    if (event.step === 'leased') {
      attempt = Number(event.detail.attempt)
      spans.push(span(`wait ${attempt}`, waitsSinceMs, event.atMs))
      leased = event
    } else if (event.step === 'retry') endAttempt(event.atMs, String(event.detail.code))
    else if (event.step === 'done') endAttempt(event.atMs, null)
  }
  endAttempt(finishedAtMs, errorCode)
  return spans
}
