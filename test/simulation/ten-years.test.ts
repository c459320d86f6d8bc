import { describe, expect, test } from 'vitest'
import { EMISSION_EPOCHS, EMISSION_VAULT_WEI, SCENARIOS } from '#economics'
import { playModel } from './ten-years.ts'

describe('ten years', () => {
  test.each(SCENARIOS)('default: the vault is empty to the wei, the stHEU rate never falls: $name', scenario => {
    const records = playModel(scenario)
    expect(records).toHaveLength(EMISSION_EPOCHS)
    const paid = records.flatMap(({ nodes }) => nodes).reduce((sum, wei) => sum + wei, 0n)
    expect(paid + (records.at(-1)?.reservoirTotal ?? 0n)).toBe(EMISSION_VAULT_WEI)
    records.forEach((record, index) => {
      const before = records[index - 1]
      if (before) expect(record.stakeRateWad, `epoch ${index}`).toBeGreaterThanOrEqual(before.stakeRateWad)
    })
  })

  test('behavior: more demand gives nodes more and the reservoir less', () => {
    const reservoirs = SCENARIOS.map(scenario => playModel(scenario).at(-1)?.reservoirTotal ?? 0n)
    expect(reservoirs.toSorted((a, b) => (a < b ? 1 : -1))).toEqual(reservoirs)
  })
})
