import { describe, expect, test } from 'vitest'
import { parseDuration, warpStops } from './dev.ts'

const WEEK = 604_800

describe('parseDuration', () => {
  test.each([
    ['90s', 90],
    ['2h', 7200],
    ['7d', WEEK],
    ['52w', 52 * WEEK],
  ])('default: %s', (text, seconds) => expect(parseDuration(text)).toBe(seconds))

  test.each(['', '7', 'd', '-7d', '7.5d', '0d', '7 d', '101y', '5300w', '99999999999d'])('error: "%s"', text =>
    expect(() => parseDuration(text)).toThrow(/no duration.*7d/),
  )
})

describe('warpStops', () => {
  test('default: within an epoch there is one step', () => expect(warpStops(1_000, 1_010, 1_500)).toEqual([1_500]))

  test('behavior: each epoch that ends on the way is a stop', () =>
    expect(warpStops(1_000, 1_010, 1_010 + 2 * WEEK)).toEqual([1_000 + WEEK, 1_000 + 2 * WEEK, 1_010 + 2 * WEEK]))

  test('behavior: to the very end of an epoch is one stop', () => expect(warpStops(1_000, 1_010, 1_000 + WEEK)).toEqual([1_000 + WEEK]))
})
