import { describe, expect, test } from 'vitest'
import { createManualClock, type JobOutcome, type JobStore, type Span, silentLogger } from '#platform'
import { jobIdFrom, spanIdOf, ZERO_ADDRESS, ZERO_BYTES32 } from '#protocol'
import { loadConfig } from '../config.ts'
import { spansOf, tracedJobs } from './traced-jobs.ts'
import { createTracer } from './tracer.ts'

const jobId = jobIdFrom(new Uint8Array(16).fill(7))
const parties = { payer: ZERO_ADDRESS, frontend: ZERO_ADDRESS, keyId: 'key', asset: ZERO_ADDRESS, podId: ZERO_BYTES32 }
const start = { jobId, kind: 'chat', model: 'heurist/chat', ...parties, maxPrice: 1n, createdAtMs: 1_000, ownerEpoch: 'e' } as const
const lease = (attempt: number, nodeId: string, atMs: number) => ({ step: 'leased', atMs, detail: { attempt, nodeId } }) as const
const outcome = (timeline: JobOutcome['timeline'], changes: Partial<JobOutcome> = {}): JobOutcome => ({
  start,
  state: 'succeeded',
  nodeId: '0x00000000000000000000000000000000000000b2',
  attempts: 2,
  price: 1n,
  credits: 1n,
  inputUnits: 3,
  outputUnits: 4,
  errorCode: null,
  errorMessage: null,
  finishedAtMs: 1_900,
  timeline,
  decisions: [],
  receipt: null,
  discard: null,
  ledger: [],
  ...changes,
})
const RETRIED: JobOutcome['timeline'] = [
  { step: 'held', atMs: 1_001, detail: {} },
  lease(1, '0xa1', 1_100),
  { step: 'retry', atMs: 1_300, detail: { code: 'NODE_DEADLINE' } },
  lease(2, '0xb2', 1_350),
  { step: 'first_token', atMs: 1_500, detail: {} },
  { step: 'done', atMs: 1_800, detail: {} },
  { step: 'receipt', atMs: 1_810, detail: {} },
]
const brief = ({ name, startMs, endMs, error }: Span) => ({ name, startMs, endMs, error })

describe('traced jobs', () => {
  test('default: the job, each wait and each attempt, under one trace of the job itself', () => {
    const spans = spansOf(outcome(RETRIED))
    expect(spans.map(brief)).toEqual([
      { name: 'chat heurist/chat', startMs: 1_000, endMs: 1_900, error: null },
      { name: 'wait 1', startMs: 1_000, endMs: 1_100, error: null },
      { name: 'attempt 1', startMs: 1_100, endMs: 1_300, error: 'NODE_DEADLINE' },
      { name: 'wait 2', startMs: 1_300, endMs: 1_350, error: null },
      { name: 'attempt 2', startMs: 1_350, endMs: 1_800, error: null },
    ])
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set(['07'.repeat(16)]))
    expect(spans.slice(1).every(({ parentSpanId }) => parentSpanId === spans[0]?.spanId)).toBe(true)
    // A node names this parent without having been told.
    expect(spans[4]?.spanId).toBe(spanIdOf(jobId, 'attempt 2'))
  })

  test("behavior: a failed job ends its attempt with the reason; the caller's trace is its parent, or says not to", () => {
    const traceparent = `00-${'4b'.repeat(16)}-${'5c'.repeat(8)}-01`
    const held = (flags: string) => ({ step: 'held', atMs: 1_001, detail: { traceparent: traceparent.replace(/01$/, flags) } }) as const
    const failed = { state: 'failed', errorCode: 'ROUTER_DEADLINE' } as const
    const [job, , attempt] = spansOf(outcome([held('01'), lease(1, '0xa1', 1_100)], failed))
    expect(job).toMatchObject({ traceId: '4b'.repeat(16), parentSpanId: '5c'.repeat(8), error: 'ROUTER_DEADLINE' })
    expect(attempt).toMatchObject({ traceId: '4b'.repeat(16), endMs: 1_900, error: 'ROUTER_DEADLINE' })
    expect(spansOf(outcome([held('00'), lease(1, '0xa1', 1_100)]))).toEqual([])
  })

  test('behavior: spans are sent when the end is on disk, not when it is refused', async () => {
    const recorded: Span[] = []
    const tracer = { record: (spans: readonly Span[]) => void recorded.push(...spans), stop: async () => undefined }
    let isStored = false
    const finish = async () => {
      if (!isStored) throw new Error('the database is away')
    }
    const jobs = tracedJobs({ finish } as unknown as JobStore, tracer) // cast: nothing else is called
    await expect(jobs.finish(outcome(RETRIED))).rejects.toThrow('away')
    expect(recorded).toEqual([])
    isStored = true
    await jobs.finish(outcome(RETRIED))
    expect(recorded).toHaveLength(5)
  })

  test('behavior: off unless a collector is named', () => {
    const dependencies = { logger: silentLogger, clock: createManualClock() }
    expect(createTracer(loadConfig('/', {}), dependencies)).toBeUndefined()
    expect(createTracer(loadConfig('/', { HEURIST_OTLP_URL: 'http://127.0.0.1:4318' }), dependencies)).toBeDefined()
  })
})
