import { describe, expect, test } from 'vitest'
import { sinceOf } from './audit-route.ts'

describe('sinceOf', () => {
  const nowMs = Date.UTC(2026, 0, 31, 12)
  const cases: [string, number][] = [
    ['90s', nowMs - 90_000],
    ['30m', nowMs - 1_800_000],
    ['24h', nowMs - 86_400_000],
    ['7d', nowMs - 7 * 86_400_000],
    ['2026-01-31', Date.UTC(2026, 0, 31)],
    ['99999d', 0],
  ]
  test.each(cases)('default: %s', (text, expected) => {
    expect(sinceOf(text, nowMs)).toBe(expected)
  })

  test.each(['', 'yesterday', '24', '-3h', '1.5h', '3 h'])('error: "%s" is no time', text => {
    expect(() => sinceOf(text, nowMs)).toThrow(/is no time|How long|Say how/)
  })
})
