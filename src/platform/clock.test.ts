import { describe, expect, test } from 'vitest'
import { createManualClock, repeat } from './clock.ts'

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
const never = (error: unknown): void => {
  throw error
}

describe('repeat', () => {
  test('default: again after each pause, until it is ended', () => {
    const clock = createManualClock()
    let runs = 0
    const stop = repeat(clock, 10, () => ++runs, never)
    clock.advance(35)
    expect(runs).toBe(3)
    stop()
    clock.advance(100)
    expect(runs).toBe(3)
  })

  test('behavior: the pause begins when a run has ended; one that is under way at the end is the last', async () => {
    const clock = createManualClock()
    const runs: PromiseWithResolvers<void>[] = []
    const stop = repeat(
      clock,
      10,
      () => {
        const run = Promise.withResolvers<void>()
        runs.push(run)
        return run.promise
      },
      never,
    )
    clock.advance(100)
    expect(runs).toHaveLength(1)
    runs[0]?.resolve()
    await turn()
    clock.advance(10)
    expect(runs).toHaveLength(2)
    stop()
    runs[1]?.resolve()
    await turn()
    clock.advance(100)
    expect(runs).toHaveLength(2)
  })

  test('error: what a run throws or rejects with is told, and the next one comes', async () => {
    const clock = createManualClock()
    const told: unknown[] = []
    const faults = [
      () => {
        throw new Error('thrown')
      },
      () => Promise.reject(new Error('rejected')),
      () => undefined,
    ]
    let runs = 0
    repeat(
      clock,
      10,
      () => faults[runs++]?.(),
      error => told.push(error),
    )
    for (let count = 0; count < 3; count++) {
      clock.advance(10)
      await turn()
    }
    expect(runs).toBe(3)
    expect(told.map(String)).toEqual(['Error: thrown', 'Error: rejected'])
  })
})
