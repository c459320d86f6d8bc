import { describe, expect, test } from 'vitest'
import { createManualClock } from '#platform'
import { measureAgain } from './repetition.ts'

const HOUR = 3_600_000

function scene(draws: number[]) {
  const clock = createManualClock()
  const stop = new AbortController()
  const state = { idle: true, measured: 0, failures: 0, fails: false }
  measureAgain({
    clock,
    random: () => draws.shift() ?? 0.5,
    signal: stop.signal,
    isIdle: () => state.idle,
    measure: async () => {
      state.measured += 1
      if (state.fails) throw new Error('no')
    },
    failed: () => {
      state.failures += 1
    },
  })
  /** Lets what was due end, so that the next time is set. */
  const advance = async (ms: number): Promise<number> => {
    clock.advance(ms)
    await new Promise(resolve => setImmediate(resolve))
    return state.measured
  }
  return { state, stop, advance }
}

describe('measureAgain', () => {
  test('default: again and again, after pauses that are drawn', async () => {
    const { advance } = scene([0.5, 0.9])
    expect(await advance(0.69 * HOUR)).toBe(0)
    expect(await advance(0.01 * HOUR)).toBe(1)
    expect(await advance(2.2 * HOUR)).toBe(1)
    expect(await advance(0.2 * HOUR)).toBe(2)
  })

  test('behavior: not while anything runs, and soon after', async () => {
    const { state, advance } = scene([0.5])
    state.idle = false
    expect(await advance(HOUR)).toBe(0)
    state.idle = true
    expect(await advance(60_000)).toBe(1)
  })

  test('behavior: a measurement that fails is not the last one, and after the end there is none', async () => {
    const { state, stop, advance } = scene([])
    state.fails = true
    await advance(0.7 * HOUR)
    expect([await advance(0.7 * HOUR), state.failures]).toEqual([2, 2])
    stop.abort()
    expect(await advance(10 * HOUR)).toBe(2)
  })
})
