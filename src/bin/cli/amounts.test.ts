import { describe, expect, test } from 'vitest'
import { WAD } from '#protocol'
import { durationText, heuText, parseHeu, parsePercent, percentText, wadPercent } from './amounts.ts'

describe('amounts of the CLI', () => {
  test('default: exact both ways', () => {
    expect(parseHeu('1000')).toBe(1_000n * WAD)
    expect(parseHeu('0.000000000000000001')).toBe(1n)
    expect(heuText(1n)).toBe('0.000000000000000001')
    expect(parsePercent('12.5')).toBe(1_250)
    expect(parsePercent('0.01%')).toBe(1)
    expect(parsePercent('0', 0)).toBe(0)
    expect(percentText(1_250)).toBe('12.5 %')
    expect(wadPercent(WAD / 80n)).toBe('1.25 %')
  })

  test('error: nothing that is not an amount becomes one', () => {
    for (const text of ['', ' ', '0', '-1', '1e3', '0x10', 'NaN', 'Infinity', '1,5', '1.0000000000000000001', '1 HEU', '١'])
      expect(() => parseHeu(text), text).toThrow(/no amount of HEU/)
    for (const text of ['', '0', '-5', '100.01', '101', '1.005', '1e1', '50%%', 'half', '%'])
      expect(() => parsePercent(text), text).toThrow(/no percentage/)
  })

  test('behavior: the largest unit that fits comes first', () => {
    expect([604_799, 604_800, 3_600, 3_599, 60, 59, 0].map(durationText)).toEqual([
      '6 d 23 h',
      '7 d 0 h',
      '1 h 0 min',
      '59 min',
      '1 min',
      '59 s',
      '0 s',
    ])
  })
})
