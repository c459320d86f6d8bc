import type { ContractConstructorArgs } from 'viem'
import type { Address, contractAbis } from '#protocol'
import type { Logger } from '../../logger.ts'
import type { Signer } from '../../signing.ts'
import type { ContractName } from '../port.ts'
import type { DeploymentStore } from './record.ts'

export type ConstructorArguments<Name extends ContractName> = ContractConstructorArgs<(typeof contractAbis)[Name]>

/** How proposals run. Bounds: `Constants.sol`, section governance. */
export type GovernanceOptions = {
  readonly votingDelaySeconds: number
  readonly votingPeriodSeconds: number
  readonly lateQuorumExtensionSeconds: number
  /** Seconds between the vote and its execution. */
  readonly timelockDelaySeconds: number
  /** Percent of all wrapped HEU. */
  readonly quorumPercent: bigint
  /** Wei of votes. */
  readonly proposalThresholdWei: bigint
  /** Wei of votes. */
  readonly quorumFloorWei: bigint
}

/** What nodes can lose, and how they lose it. Bounds: `Constants.sol`, sections collateral, slashing, validators, restaking. */
export type CollateralOptions = {
  /** Appendix A, see `SecurityModel.sol`: which amount keeps a node honest. */
  readonly security: ConstructorArguments<'CollateralFloor'>[2]
  /** Bond of a validator. */
  readonly minValidatorBondWei: bigint
  readonly windowsSeconds: ConstructorArguments<'Slasher'>[2]
  readonly stakesWei: ConstructorArguments<'Slasher'>[3]
  /** Odd, 51 to 101: up to so many validators all sit in a committee. */
  readonly committeeSize: number
  readonly restaking: {
    /** HEU for one ETH. */
    readonly heuPerEthWad: bigint
    readonly haircutBps: number
    /** Most that one operator's stake counts (wei of HEU). */
    readonly capWei: bigint
    /** Stake counts when it stays slashable for so many blocks; less than the protocol's own delay. */
    readonly horizonBlocks: number
    /** Of the simulated protocol. */
    readonly deallocationDelayBlocks: number
  }
}

/** Where Buyback trades, and how carefully. Bounds: `Constants.sol`, section buyback. */
export type MarketOptions = {
  readonly guards: {
    /** The price is compared with its mean over this time. */
    readonly twapWindowSeconds: number
    /** Ticks (0.01 %) between price and mean. */
    readonly maxDeviationTicks: number
    /** Basis points that one buy may move the price; at most twice the pool's fee. */
    readonly maxSlippageBps: number
    /** Micro-dollars. */
    readonly epochLimitUsd: bigint
  }
} & (ExistingPool | NewPool)
/** A public chain's Uniswap v3 pool of wrapped HEU and stablecoin. */
export type ExistingPool = { readonly pool: Address }
/**
 * A pool of our own on a development chain, at this first price (USD per HEU, 18 decimals) and with this much of each side:
 * micro-dollars, at most 100,000e6. The deployer holds the HEU.
 */
export type NewPool = { readonly heuPriceUsdWad: bigint; readonly liquidityUsd: bigint }

/** One allocation of the genesis supply. Times in seconds, counted from the start of epoch 0; see `VestingMath.sol`. */
export type GenesisPart = {
  readonly name: string
  /** `treasury`: the timelock. An address: that account. `emission`: the EmissionController, without vesting. */
  readonly holder: 'emission' | 'treasury' | Address
  readonly schedule: {
    readonly total: bigint
    readonly startBps: number
    readonly cliffSeconds: bigint
    readonly vestSeconds: bigint
  }
  /** Whether the treasury may take back what has not vested. */
  readonly revocable: boolean
}

export type DeployOptions = {
  readonly rpcUrl: string
  readonly chainId: number
  /** May post batches. */
  readonly sequencer: Address
  /** May stop new money for a bounded time; moves nothing. */
  readonly guardian: Address
  /** USD per HEU, 18 decimals. */
  readonly heuPriceUsdWad: bigint
  /** 10 s to 14 days: earnings wait at least this long. */
  readonly challengeWindowSeconds: number
  /** 60 s to 30 days. */
  readonly withdrawalDelaySeconds: number
  /** 60 s to 60 days. */
  readonly unbondingDelaySeconds: number
  /** Wei of HEU asked of a node. */
  readonly minCollateralWei: bigint
  /** Between asking for staked HEU back and getting it. */
  readonly exitDelaySeconds: number
  readonly governance: GovernanceOptions
  readonly collateral: CollateralOptions
  /** Distributes the genesis supply, all of which the deployer holds. Without it nothing is distributed. */
  readonly genesis?: readonly GenesisPart[]
  /** What the base layer costs (wei of HEU), and who pays for it. */
  readonly l1Cost: { readonly perEpochWei: bigint; readonly receiver: Address }
  /** Without it Buyback keeps the stablecoin until governance names a pool. */
  readonly market?: MarketOptions
  /** The stablecoin of a public chain; without it a DevUsd is deployed, which refuses all but development chains. */
  readonly stablecoin?: Address
  /** The restaking protocol of a public chain, with its ETH strategies ascending; without it a simulated one is deployed. */
  readonly restaking?: { readonly allocationManager: Address; readonly strategies: readonly Address[] }
  /** DevUsd for the faucet, micro-dollars, at most 100,000e6. Skipped when the account has that much. */
  readonly faucet?: { readonly account: Address; readonly devUsd: bigint }
}

export type DeployStep = { readonly done: number; readonly total: number; readonly name: string; readonly skipped: boolean }
export type DeployDependencies = {
  /** Pays for the deployment and owns nothing after it. */
  readonly deployer: Signer
  readonly store: DeploymentStore
  readonly logger: Logger
  readonly onStep?: (step: DeployStep) => void
  /** Makes what was done final before the deployment is called complete (the dev chain's `persist`). */
  readonly persist?: () => Promise<unknown>
  /** Transactions sent before the first is waited for. Default 100. */
  readonly window?: number
}
