import { describe, expect, test } from 'vitest'
import { createManualClock } from '#platform'
import { DutyCycle } from './duty-cycle.ts'

/** Works in steps of `stepMs` of virtual time and takes the pauses that it is told; returns the whole time. */
async function work(duty: DutyCycle, clock: ReturnType<typeof createManualClock>, steps: number, stepMs: number): Promise<number> {
  const startMs = clock.now()
  duty.begin()
  for (let i = 0; i < steps; i++) {
    clock.advance(stepMs)
    const pause = duty.pace(i === steps - 1)
    if (!pause) continue
    let isOver = false
    void pause.then(() => {
      isOver = true
    })
    while (!isOver) {
      clock.advance(1)
      await Promise.resolve()
      await Promise.resolve()
    }
  }
  duty.end()
  return clock.now() - startMs
}

describe('DutyCycle', () => {
  for (const [shareBps, factor] of [
    [10_000, 1],
    [5000, 2],
    [2500, 4],
  ] as const) {
    test(`default: a share of ${shareBps / 100} % takes ${factor} times as long`, async () => {
      const clock = createManualClock()
      const elapsedMs = await work(new DutyCycle(shareBps, clock), clock, 500, 2)
      expect(elapsedMs / 1000).toBeGreaterThan(factor * 0.99)
      expect(elapsedMs / 1000).toBeLessThan(factor * 1.1)
    })
  }

  test('behavior: leases of one device pause together, so two of them get one share', async () => {
    const clock = createManualClock()
    const duty = new DutyCycle(5000, clock)
    duty.begin()
    duty.begin()
    clock.advance(30)
    const pause = duty.pace()
    expect(pause).not.toBeNull()
    expect(duty.pace()).toBe(pause)
    clock.advance(30)
    await pause
    expect(duty.pace()).toBeNull()
  })

  test('behavior: time without a lease and time spent waiting for credit are not paid for', () => {
    const clock = createManualClock()
    const duty = new DutyCycle(5000, clock)
    clock.advance(60_000)
    duty.begin()
    expect(duty.pace()).toBeNull()
    clock.advance(60_000)
    duty.resume()
    expect(duty.pace()).toBeNull()
    clock.advance(25)
    expect(duty.pace()).not.toBeNull()
  })
})
