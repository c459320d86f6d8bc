import { collateralSteps } from './collateral.ts'
import { type Step, setting, type World } from './world.ts'

/** Ties the contracts together, while the deployer still owns them. */
export function wiringSteps(world: World): Step[] {
  const { at, calls } = world
  return [
    setting('let JobSettlement debit the vault', {
      call: calls.encode({ contract: 'CreditVault', call: 'setSettlement', args: [at('JobSettlement')] }),
      get: () => calls.read('CreditVault', 'settlement', []),
      wanted: at('JobSettlement'),
    }),
    setting("let VoterRewards collect the voters' share", {
      call: calls.encode({ contract: 'JobSettlement', call: 'setVoterRewards', args: [at('VoterRewards')] }),
      get: () => calls.read('JobSettlement', 'voterRewards', []),
      wanted: at('VoterRewards'),
    }),
    setting('tell the gauges of every stake', {
      call: calls.encode({ contract: 'StakedHeu', call: 'setGauges', args: [at('NodeGauge'), at('PodGauge')] }),
      get: () => calls.read('StakedHeu', 'podGauge', []),
      wanted: at('PodGauge'),
    }),
    ...Object.keys(REWARD_SOURCES).map(name => rewardSource(world, name as RewardName)), // cast: its own keys
    ...collateralSteps(world),
    ...faucetSteps(world),
  ]
}

function rewardSource({ at, calls }: World, name: RewardName): Step {
  const source = REWARD_SOURCES[name]
  return setting(`let ${name} reward stakers`, {
    call: calls.encode({ contract: 'StakedHeu', call: 'setRewardSource', args: [source, at(name)] }),
    get: () => calls.read('StakedHeu', 'rewardSourceOf', [source]),
    wanted: at(name),
  })
}

/** `RewardSource` of IStakedHeu. */
const REWARD_SOURCES = { Buyback: 0, FeeVault: 1, Reservoir: 2 } as const
type RewardName = keyof typeof REWARD_SOURCES

function faucetSteps({ calls, options }: World): Step[] {
  const { faucet, stablecoin } = options
  if (!faucet || stablecoin) return []
  return [
    {
      name: 'fill the faucet with DevUsd',
      ...calls.encode({ contract: 'DevUsd', call: 'mint', args: [faucet.account, faucet.devUsd] }),
      // Once: what the faucet gave away is not filled up again.
      done: async () => (await calls.read('DevUsd', 'totalSupply', [])) >= faucet.devUsd,
    },
  ]
}
