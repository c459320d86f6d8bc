import { GENESIS, type GenesisPreset, LAUNCH_SECURITY } from '#economics'
import type { CollateralOptions, DeployOptions, GenesisPart, MarketOptions } from '#platform/chain'
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
/** As much HEU lies on the other side: 5 % of a week's 1,000 dollars of jobs moves the price by a tenth of a percent. */
const MARKET_USD = '50000'
const BUYBACK_GUARDS = {
  twapWindowSeconds: 300,
  maxDeviationTicks: 100,
  // Twice the pool's fee of 0.3 % (ADR 0012).
  maxSlippageBps: 60,
  epochLimitUsd: parseUnits('10000', 6),
}

/** The same on every chain; what a chain of one machine wants shorter is changed below. */
export const LAUNCH_COLLATERAL: CollateralOptions = {
  security: {
    ...LAUNCH_SECURITY,
    auditsToDetect: Number(LAUNCH_SECURITY.auditsToDetect),
    latencyTasks: Number(LAUNCH_SECURITY.latencyTasks),
  },
  minValidatorBondWei: parseUnits('1000', 18),
  // DESIGN §7.2: a day to answer a proposal. A jail without one ends after two days, and the same accuser waits for three.
  windowsSeconds: { commit: 3600, vote: 6 * 3600, reveal: 3600, dispute: 86_400, jail: 2 * 86_400, cooldown: 3 * 86_400 },
  stakesWei: { accusation: parseUnits('100', 18), duty: parseUnits('20', 18), dispute: parseUnits('20', 18) },
  committeeSize: 101,
  restaking: {
    heuPerEthWad: parseUnits('60000', 18),
    haircutBps: 5_000,
    capWei: parseUnits('100000', 18),
    // EigenLayer lets stake go after 126,000 blocks (17.5 days); a case with three rounds lasts about two.
    horizonBlocks: 100_000,
    deallocationDelayBlocks: 126_000,
  },
}
const DEV_COLLATERAL: CollateralOptions = {
  ...LAUNCH_COLLATERAL,
  windowsSeconds: { commit: 60, vote: 120, reveal: 60, dispute: 300, jail: 600, cooldown: 900 },
}

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
  const heuPriceUsdWad = parseUnits(HEU_PRICE_USD, 18)
  return {
    rpcUrl,
    chainId,
    sequencer: signers.sequencer.address,
    guardian: signers.operator.address,
    heuPriceUsdWad,
    challengeWindowSeconds: config.challengeWindowSeconds,
    withdrawalDelaySeconds: WITHDRAWAL_DELAY_SECONDS,
    unbondingDelaySeconds: UNBONDING_DELAY_SECONDS,
    minCollateralWei: parseUnits(String(config.minCollateralHeu), 18),
    exitDelaySeconds: EXIT_DELAY_SECONDS,
    collateral: DEV_COLLATERAL,
    governance: {
      votingDelaySeconds: config.votingDelaySeconds,
      votingPeriodSeconds: config.votingPeriodSeconds,
      lateQuorumExtensionSeconds: Math.min(LATE_QUORUM_EXTENSION_SECONDS, config.votingPeriodSeconds),
      timelockDelaySeconds: config.timelockDelaySeconds,
      quorumPercent: QUORUM_PERCENT,
      proposalThresholdWei: parseUnits(String(config.proposalThresholdHeu), 18),
      quorumFloorWei: parseUnits(String(config.quorumFloorHeu), 18),
    },
    // A development chain has no base layer to pay.
    l1Cost: { perEpochWei: 0n, receiver: signers.operator.address },
    ...(isDevChain && { market: marketOf(heuPriceUsdWad) }),
    ...(isDevChain && { genesis: genesisOf(config.genesisPreset, signers.treasury.address) }),
    faucet: { account: signers.treasury.address, devUsd: parseUnits(FAUCET_USD, 6) },
  }
}

function marketOf(heuPriceUsdWad: bigint): MarketOptions {
  return { guards: BUYBACK_GUARDS, heuPriceUsdWad, liquidityUsd: parseUnits(MARKET_USD, 6) }
}

/** What is free at once stays with the faucet's account, which also stands for the people whose part vests. */
function genesisOf(preset: GenesisPreset, faucet: Address): GenesisPart[] {
  return GENESIS[preset]
    .filter(({ holder, schedule }) => holder !== 'holders' || schedule.startBps < 10_000)
    .map(({ holder, ...part }) => ({ ...part, holder: holder === 'holders' ? faucet : holder }))
}
