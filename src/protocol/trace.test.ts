import { describe, expect, test } from 'vitest'
import { jobIdFrom } from './ids.ts'
import { spanIdOf, traceOf, traceparentOf, traceparentSchema } from './trace.ts'

const JOB = jobIdFrom(new Uint8Array(16).fill(0xab))
const [TRACE, SPAN] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7']

describe('trace context', () => {
  test("default: a caller's trace goes on, with its wish not to be sampled", () => {
    expect(traceOf(JOB, `00-${TRACE}-${SPAN}-01`)).toEqual({ traceId: TRACE, parentSpanId: SPAN, isSampled: true })
    expect(traceOf(JOB, `00-${TRACE}-${SPAN}-02`).isSampled).toBe(false)
    const here = spanIdOf(JOB, 'job')
    expect(traceOf(JOB, traceparentOf(traceOf(JOB, `00-${TRACE}-${SPAN}-00`), here))).toEqual({
      traceId: TRACE,
      parentSpanId: here,
      isSampled: false,
    })
  })

  test('behavior: without one, every process finds the same trace and spans by the job', () => {
    const trace = traceOf(JOB, undefined)
    expect(trace).toEqual({ traceId: 'ab'.repeat(16), parentSpanId: null, isSampled: true })
    expect(spanIdOf(JOB, 'attempt 1')).toMatch(/^[0-9a-f]{16}$/)
    expect(spanIdOf(JOB, 'attempt 1')).toBe(spanIdOf(JOB, 'attempt 1'))
    expect(new Set(['job', 'attempt 1', 'attempt 2', 'node 1'].map(name => spanIdOf(JOB, name))).size).toBe(4)
    expect(traceparentSchema.safeParse(traceparentOf(trace, spanIdOf(JOB, 'node 1'))).success).toBe(true)
  })

  test('error: what is not valid counts as none', () => {
    const zeros = '0'.repeat(32)
    for (const bad of [
      '',
      'x',
      `01-${TRACE}-${SPAN}-01`,
      `00-${zeros}-${SPAN}-01`,
      `00-${TRACE}-${'0'.repeat(16)}-01`,
      `00-${TRACE}-${SPAN}`,
      `00-${TRACE.toUpperCase()}-${SPAN}-01`,
      `00-${TRACE}-${SPAN}-01\n`,
    ]) {
      expect(traceparentSchema.safeParse(bad).success, JSON.stringify(bad)).toBe(false)
      expect(traceOf(JOB, bad).traceId, JSON.stringify(bad)).toBe('ab'.repeat(16))
    }
  })
})
