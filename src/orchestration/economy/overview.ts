import { TOTAL_SUPPLY_WEI } from '#economics'
import { type EconomyView, REWARD_SOURCES } from '#protocol'
import type { EconomyDependencies } from './context.ts'
import { readEpoch, readHistory } from './epochs.ts'
import { readVesting } from './vesting.ts'

/** Where the supply is, what stakers get, and what the present epoch gives to whom. */
export async function readEconomy(dependencies: EconomyDependencies): Promise<EconomyView> {
  const { chain } = dependencies
  const { EmissionController, Reservoir } = chain.contracts
  const [vault, owed, reservoir, staked, exiting, vesting, epoch, history, stake] = await Promise.all([
    chain.nativeBalance(EmissionController),
    chain.read('EmissionController', 'owed', []),
    chain.nativeBalance(Reservoir),
    chain.read('StakedHeu', 'totalAssets', []),
    chain.read('StakedHeu', 'exitingAssets', []),
    readVesting(dependencies),
    readEpoch(dependencies),
    readHistory(dependencies),
    readStakeRate(dependencies),
  ])
  if (!epoch) throw new RangeError('the present epoch has begun')
  const locked = vesting.reduce((sum, { total, released, revokedAt }) => sum + (revokedAt > 0 ? 0n : total - released), 0n)
  return { supply: TOTAL_SUPPLY_WEI, emissionVault: vault - owed, vesting: locked, reservoir, staked, exiting, stake, epoch, history }
}

async function readStakeRate({ chain }: EconomyDependencies): Promise<EconomyView['stake']> {
  const [rateWad, unstreamed, streamEndsAt, rewarded] = await Promise.all([
    chain.read('StakedHeu', 'rateWad', []),
    chain.read('StakedHeu', 'unstreamedRewards', []),
    chain.read('StakedHeu', 'streamEndsAt', []),
    Promise.all(REWARD_SOURCES.map(async (source, number) => ({ source, amount: await chain.read('StakedHeu', 'rewardedBy', [number]) }))),
  ])
  return { rateWad, unstreamed, streamEndsAt: Number(streamEndsAt), rewarded }
}
