import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fullJitterMs } from './backoff.ts'

const OPTIONS = { baseMs: 250, maxMs: 30_000 }
const most = (attempt: number): number => fullJitterMs(attempt, OPTIONS, () => 1 - 2 ** -20)

describe('backoff', () => {
  test('default: the longest wait doubles with each attempt, up to its bound', () => {
    expect([0, 1, 2, 3, 6, 7, 40].map(attempt => Math.ceil(most(attempt) / 250) * 250)).toEqual([
      250, 500, 1_000, 2_000, 16_000, 30_000, 30_000,
    ])
  })

  test('property: a wait is anywhere between nothing and the longest, so that thousands do not come back in waves', () => {
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    fc.assert(
      fc.property(fc.nat(100), chance, (attempt, random) => {
        const wait = fullJitterMs(attempt, OPTIONS, () => random)
        expect(wait).toBeGreaterThanOrEqual(0)
        expect(wait).toBeLessThanOrEqual(most(attempt))
        expect(Math.abs(wait - random * most(attempt))).toBeLessThanOrEqual(1)
      }),
    )
  })
})
