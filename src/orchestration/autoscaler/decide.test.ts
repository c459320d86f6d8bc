import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  DEFAULT_SCALE_SPEC,
  decideScale,
  newScaleState,
  type ScaleLimits,
  type ScaleObservation,
  type ScaleSpec,
  type ScaleState,
} from './decide.ts'

const TICK_MS = 2_000
const SPEC: ScaleSpec = { ...DEFAULT_SCALE_SPEC, target: 4, scaleDownAfterMs: 120_000 }
const WIDE: ScaleLimits = { ceiling: 1_000, places: 1_000 }

/** A pod under a load over time, whose replicas take a while to load and serve `target` jobs each; the rest waits. */
class Run {
  state: ScaleState
  nowMs = 1_000_000
  desired: number
  readonly loading: number[] = []
  warm: number
  waitedMs = 0
  readonly spec: ScaleSpec
  readonly limits: ScaleLimits
  reasons: readonly string[] = []
  constructor(options: { warm?: number; spec?: ScaleSpec; limits?: ScaleLimits } = {}) {
    this.warm = options.warm ?? 0
    this.spec = options.spec ?? SPEC
    this.limits = options.limits ?? WIDE
    this.state = newScaleState(this.warm)
    this.desired = this.warm
  }

  observe(jobs: number): ScaleObservation {
    const inFlight = Math.min(jobs, this.warm * this.spec.target)
    const pending = jobs - inFlight
    this.waitedMs = pending > 0 ? this.waitedMs + TICK_MS : 0
    return { inFlight, pending, oldestPendingMs: this.waitedMs, warm: this.warm, loading: this.loading.length, utilization: null }
  }

  tick(jobs: number): number {
    this.nowMs += TICK_MS
    while (this.loading.length > 0 && (this.loading[0] ?? 0) <= this.nowMs) {
      this.loading.shift()
      this.warm += 1
    }
    const decision = decideScale(this.observe(jobs), this, this.state, this.nowMs)
    this.state = decision.state
    this.reasons = decision.reasons
    this.desired = decision.desired
    while (this.warm + this.loading.length < this.desired) this.loading.push(this.nowMs + 10_000)
    if (this.warm > this.desired)
      this.warm = Math.max(this.desired, Math.ceil(Math.min(jobs, this.warm * this.spec.target) / this.spec.target))
    return this.desired
  }

  for(ms: number, jobs: number): number[] {
    return Array.from({ length: Math.round(ms / TICK_MS) }, () => this.tick(jobs))
  }
}

describe('decideScale', () => {
  test('default: from zero with the first job, to the mean of the load, and back to zero', () => {
    const run = new Run()
    expect(run.for(60_000, 0).every(desired => desired === 0)).toBe(true)
    expect(run.tick(1)).toBe(1)
    run.for(120_000, 12)
    expect(run.desired).toBe(3)
    const idle = run.for(400_000, 0)
    expect(idle.at(-1)).toBe(0)
    // Fewer only after fewer have been enough for the whole delay.
    expect(idle.slice(0, 60).every(desired => desired >= 1)).toBe(true)
  })

  test('behavior: a step is answered within one panic window and not taken back in panic', () => {
    const run = new Run({ warm: 1 })
    run.for(200_000, 2)
    const after = run.for(SPEC.panicWindowMs, 80)
    expect(after.at(-1)).toBe(20)
    expect(run.for(SPEC.stableWindowMs / 2, 8).every(desired => desired >= 20)).toBe(true)
  })

  test('behavior: a job that waits asks for one more, once', () => {
    const spec = { ...SPEC, panicWindowMs: 1 }
    const run = new Run({ warm: 1, spec })
    run.for(4_000, 5)
    expect(run.desired).toBe(2)
    expect(run.reasons.join()).toMatch(/waited|load/)
  })

  test('behavior: devices that compute all the time ask for one more', () => {
    const busy = { inFlight: 4, pending: 0, oldestPendingMs: 0, warm: 1, loading: 0, utilization: 0.99 }
    const { desired, reasons } = decideScale(busy, { spec: SPEC, limits: WIDE }, newScaleState(1), 1_000)
    expect(desired).toBe(2)
    expect(reasons.join()).toContain('99 % busy')
  })

  test('behavior: no data keeps the present number, however long', () => {
    let state = newScaleState(7)
    for (let nowMs = 0; nowMs < 3_600_000; nowMs += 60_000) {
      const decision = decideScale(null, { spec: SPEC, limits: WIDE }, state, nowMs)
      expect(decision.desired).toBe(7)
      state = decision.state
    }
  })

  test('behavior: what is there at a restart stays for the delay', () => {
    const run = new Run({ warm: 5 })
    expect(run.for(SPEC.scaleDownAfterMs, 0).every(desired => desired === 5)).toBe(true)
    run.for(SPEC.scaleDownAfterMs, 0)
    expect(run.desired).toBe(0)
  })

  test('behavior: the manifest, votes and nodes bound it, and the reason says who', () => {
    const run = new Run({ spec: { ...SPEC, min: 2, max: 9 }, limits: { ceiling: 5, places: 50 } })
    run.for(20_000, 0)
    expect(run.desired).toBe(2)
    run.for(60_000, 1_000)
    expect(run.desired).toBe(5)
    expect(run.reasons.join()).toContain('votes allow only 5')
  })

  const loads = fc.array(fc.record({ jobs: fc.integer({ min: 0, max: 200 }), ms: fc.integer({ min: 2_000, max: 200_000 }) }), {
    minLength: 1,
    maxLength: 8,
  })
  const limits = fc.record({ ceiling: fc.integer({ min: 0, max: 60 }), places: fc.integer({ min: 0, max: 60 }) })

  test('behavior: never above the ceiling, the places or the manifest, never below zero', () => {
    fc.assert(
      fc.property(loads, limits, fc.integer({ min: 1, max: 60 }), (steps, bounds, max) => {
        const run = new Run({ spec: { ...SPEC, max }, limits: bounds })
        for (const { jobs, ms } of steps) {
          for (const desired of run.for(ms, jobs)) {
            expect(desired).toBeLessThanOrEqual(Math.min(bounds.ceiling, bounds.places, max))
            expect(desired).toBeGreaterThanOrEqual(0)
          }
        }
      }),
      { numRuns: 60 },
    )
  })

  test('behavior: a constant load settles and stays, enough for it and at most one more', () => {
    fc.assert(
      fc.property(loads, fc.integer({ min: 1, max: 200 }), (before, jobs) => {
        const run = new Run()
        for (const step of before) run.for(step.ms, step.jobs)
        run.for(2 * (SPEC.scaleDownAfterMs + SPEC.stableWindowMs), jobs)
        const settled = run.desired
        expect(run.for(600_000, jobs).every(desired => desired === settled)).toBe(true)
        expect(settled).toBeGreaterThanOrEqual(Math.ceil(jobs / SPEC.target))
        expect(settled).toBeLessThanOrEqual(Math.ceil(jobs / SPEC.target) + 1)
      }),
      { numRuns: 40 },
    )
  })

  test('behavior: whatever came before, no jobs end at zero', () => {
    fc.assert(
      fc.property(loads, steps => {
        const run = new Run()
        for (const { jobs, ms } of steps) run.for(ms, jobs)
        expect(run.for(2 * SPEC.scaleDownAfterMs + 2 * SPEC.stableWindowMs, 0).at(-1)).toBe(0)
      }),
      { numRuns: 40 },
    )
  })
})
