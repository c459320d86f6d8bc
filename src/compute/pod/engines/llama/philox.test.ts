import { describe, expect, test } from 'vitest'
import { philox, uniform } from './philox.ts'

describe('philox', () => {
  // Known answers of the Random123 distribution (kat_vectors, philox4x32 10).
  test.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ] as const)('known answer for counter %j', (counter, key, expected) => {
    expect(philox(counter, key)).toEqual(expected)
  })
})

describe('uniform', () => {
  test('is a function of seed, choice, position and draw', () => {
    const at = { choice: 1, position: 2, draw: 0 }
    expect(uniform(7n, at)).toBe(uniform(7n, at))
    const others = [
      uniform(8n, at),
      uniform(7n, { ...at, choice: 2 }),
      uniform(7n, { ...at, position: 3 }),
      uniform(7n, { ...at, draw: 1 }),
      uniform(7n + 2n ** 32n, at),
    ]
    expect(new Set([uniform(7n, at), ...others]).size).toBe(6)
  })

  test('property: fills [0, 1) evenly', () => {
    const bins = new Array<number>(10).fill(0)
    for (let position = 0; position < 20_000; position++) {
      const value = uniform(1n, { choice: 0, position, draw: 0 })
      expect(value >= 0 && value < 1, String(value)).toBe(true)
      bins[Math.floor(value * 10)]!++
    }
    // Standard deviation of a bin is 42.
    for (const [i, count] of bins.entries()) expect(Math.abs(count - 2000), `bin ${i}`).toBeLessThan(220)
  })
})
