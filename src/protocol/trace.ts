import { z } from 'zod'
import type { JobId } from './ids.ts'
import { keccak256 } from './keccak.ts'

/** W3C trace context, version 00. All-zero ids mean "none" there. */
const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/

export const traceparentSchema = z.string().regex(TRACEPARENT)

/** Where a job's spans belong. */
export type TraceContext = { readonly traceId: string; readonly parentSpanId: string | null; readonly isSampled: boolean }

/**
 * The caller's trace, or one of the job's own: its id is as long as a trace id. So every process finds the same trace by the
 * job alone, and nothing has to be passed on for it.
 */
export function traceOf(jobId: JobId, traceparent: string | undefined): TraceContext {
  const [, traceId, parentSpanId, flags = ''] = TRACEPARENT.exec(traceparent ?? '') ?? []
  if (traceId === undefined || parentSpanId === undefined) return { traceId: jobId.slice(4), parentSpanId: null, isSampled: true }
  return { traceId, parentSpanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 }
}

/** The same id in every process: the parent of a node's span is known without asking the router. */
export function spanIdOf(jobId: JobId, name: string): string {
  return keccak256(`${jobId} ${name}`).slice(2, 18)
}

export function traceparentOf({ traceId, isSampled }: TraceContext, spanId: string): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`
}
