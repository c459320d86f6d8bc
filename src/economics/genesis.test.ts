import { describe, expect, test } from 'vitest'
import { WAD } from '#protocol'
import { TOTAL_SUPPLY_WEI } from './emission.ts'
import { GENESIS, type GenesisPreset } from './genesis.ts'
import { MONTH_SECONDS, vestedDown } from './vesting.ts'

const presets: readonly GenesisPreset[] = ['whitepaper', 'published']
const find = (preset: GenesisPreset, name: string) => {
  const found = GENESIS[preset].find(allocation => allocation.name === name)
  if (!found) throw new Error(`${preset} has no ${name}`)
  return found
}

describe('genesis', () => {
  for (const preset of presets) {
    test(`default: ${preset} is one billion HEU to the wei, half of it emission, each name once`, () => {
      const allocations = GENESIS[preset]
      const sum = allocations.reduce((total, { schedule }) => total + schedule.total, 0n)
      expect(sum).toBe(10n ** 27n)
      expect(TOTAL_SUPPLY_WEI).toBe(sum)
      expect(new Set(allocations.map(({ name }) => name)).size).toBe(allocations.length)
      const emission = allocations.filter(({ holder }) => holder === 'emission')
      expect(emission.map(({ schedule }) => schedule.total)).toEqual([500_000_000n * WAD])
      expect(allocations.filter(({ holder }) => holder === 'treasury')).toHaveLength(1)
    })

    test(`behavior: all of ${preset} has vested five years after the start, and never more`, () => {
      for (const { name, schedule } of GENESIS[preset]) {
        expect(vestedDown(schedule, 60n * MONTH_SECONDS), name).toBe(schedule.total)
        expect(vestedDown(schedule, -1n), name).toBe(0n)
      }
    })
  }

  test('behavior: the shares of wp §3.4.2, in a thousandth', () => {
    const shares = GENESIS.whitepaper.map(({ schedule }) => Number((schedule.total * 1000n) / TOTAL_SUPPLY_WEI))
    expect(shares).toEqual([95, 45, 60, 150, 150, 500])
  })

  test('behavior: the published vesting', () => {
    const free = (name: string, months: bigint) =>
      Number(vestedDown(find('published', name).schedule, months * MONTH_SECONDS) / (1000n * WAD))
    expect([0n, 3n, 6n].map(months => free('KOLs', months))).toEqual([1300, 3900, 6500])
    expect([2n, 3n].map(months => free('unallocated grants', months))).toEqual([0, 6855])
    expect([3n, 15n, 27n].map(months => free('team and advisors', months))).toEqual([0, 75_000, 150_000])
    expect([6n, 30n, 54n].map(months => free('treasury', months))).toEqual([0, 83_500, 167_000])
  })

  test('behavior: nobody but the team of the whitepaper preset can be revoked', () => {
    const revocable = presets.flatMap(preset => GENESIS[preset].filter(item => item.revocable).map(({ name }) => [preset, name]))
    expect(revocable).toEqual([['whitepaper', 'team and advisors']])
  })
})
