import { GENESIS, type GenesisPreset } from '#economics'
import type { DeployOptions, GenesisPart } from '#platform/chain'
import { type Address, parseUnits } from '#protocol'
import type { Config } from '../config.ts'

// Short enough to watch on one machine; a public chain gets its own numbers (scripts/deploy.ts).
const HEU_PRICE_USD = '0.05'
const FAUCET_USD = '100000'
const WITHDRAWAL_DELAY_SECONDS = 60
const UNBONDING_DELAY_SECONDS = 3600
/** wp §3.4.3 */
const EXIT_DELAY_SECONDS = 365 * 86_400
const LATE_QUORUM_EXTENSION_SECONDS = 60
const QUORUM_PERCENT = 4n

export type DeployAccounts = {
  readonly treasury: { address: Address }
  readonly operator: { address: Address }
  readonly sequencer: { address: Address }
}

/** What the network of `up` is deployed with. */
export function deployOptions(
  config: Config,
  { signers, rpcUrl, chainId, isDevChain }: { signers: DeployAccounts; rpcUrl: string; chainId: number; isDevChain: boolean },
): DeployOptions {
  return {
    rpcUrl,
    chainId,
    sequencer: signers.sequencer.address,
    guardian: signers.operator.address,
    heuPriceUsdWad: parseUnits(HEU_PRICE_USD, 18),
    challengeWindowSeconds: config.challengeWindowSeconds,
    withdrawalDelaySeconds: WITHDRAWAL_DELAY_SECONDS,
    unbondingDelaySeconds: UNBONDING_DELAY_SECONDS,
    minCollateralWei: parseUnits(String(config.minCollateralHeu), 18),
    exitDelaySeconds: EXIT_DELAY_SECONDS,
    governance: {
      votingDelaySeconds: config.votingDelaySeconds,
      votingPeriodSeconds: config.votingPeriodSeconds,
      lateQuorumExtensionSeconds: Math.min(LATE_QUORUM_EXTENSION_SECONDS, config.votingPeriodSeconds),
      timelockDelaySeconds: config.timelockDelaySeconds,
      quorumPercent: QUORUM_PERCENT,
      proposalThresholdWei: parseUnits(String(config.proposalThresholdHeu), 18),
      quorumFloorWei: parseUnits(String(config.quorumFloorHeu), 18),
    },
    ...(isDevChain && { genesis: genesisOf(config.genesisPreset, signers.treasury.address) }),
    faucet: { account: signers.treasury.address, devUsd: parseUnits(FAUCET_USD, 6) },
  }
}

/** What is free at once stays with the faucet's account, which also stands for the people whose part vests. */
function genesisOf(preset: GenesisPreset, faucet: Address): GenesisPart[] {
  return GENESIS[preset]
    .filter(({ holder, schedule }) => holder !== 'holders' || schedule.startBps < 10_000)
    .map(({ holder, ...part }) => ({ ...part, holder: holder === 'holders' ? faucet : holder }))
}
