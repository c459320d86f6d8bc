import { describe, expect, test } from 'vitest'
import { EMISSION_VAULT_WEI, emissionBudgetOf, SCENARIOS } from '#economics'
import { withDevChain } from './dev-rpc.ts'
import { playModel } from './ten-years.ts'
import { deployWorld, leftovers, playChain } from './ten-years-chain.ts'

/** Past the first 13, so that old revenue leaves the trailing window. All 520 are played by `npm run simulate`. */
const EPOCHS = 24

describe('ten years on the real contracts', () => {
  test('default: the first epochs are the model, to the wei', async () => {
    const scenario = SCENARIOS[2] ?? { name: '', limitBps: 0n, halfEpoch: 1n }
    const told: number[] = []
    const { records, left } = await withDevChain(async rpc => {
      const world = await deployWorld(rpc)
      const played = await playChain(world, scenario, EPOCHS, epoch => told.push(epoch))
      return { records: played, left: await leftovers(world) }
    })
    expect(records).toEqual(playModel(scenario, EPOCHS))
    expect(told).toHaveLength(EPOCHS)
    // Votes and revenue were really there: otherwise both sides could agree on nothing.
    expect(records.at(-1)?.dynamic).toBeGreaterThan(10n ** 22n)
    expect(records.at(-1)?.stakeRateWad).toBeGreaterThan(10n ** 18n)

    const budgets = [...Array(EPOCHS).keys()].reduce((sum, epoch) => sum + emissionBudgetOf(epoch), 0n)
    expect(left.vault).toBe(EMISSION_VAULT_WEI - budgets)
    expect(left.paidToNodes).toBe(records.flatMap(({ nodes }) => nodes).reduce((sum, wei) => sum + wei, 0n))
  })
})
