import type { Chain, Signer } from '#platform'
import { type Address, formatUnits, isHeuristError, messageOf, minOf } from '#protocol'
import type { KeeperTask } from './keeper.ts'

/** What is not worth a transaction yet stays where it is. */
export type StakerTaskOptions = {
  /** Wei of HEU (default 0.01 HEU: a hundred times the gas of giving it). */
  readonly leastHeuWei?: bigint
  /** Micro-dollars (default one cent). */
  readonly leastUsd?: bigint
}
export type StakerTaskDependencies = {
  readonly chain: Pick<Chain, 'contracts' | 'read' | 'simulate' | 'write' | 'claimable' | 'tokenBalance'>
  /** Pays the gas, and gets nothing: the money has one way to go. */
  readonly signer: Signer
}

const LEAST_HEU_WEI = 10n ** 16n
const LEAST_USD = 10_000n
const heu = (wei: bigint): string => `${formatUnits(wei, 18)} HEU`
const usd = (micros: bigint): string => `${formatUnits(micros, 6)} USD`

/** Gives the gas that the chain collected, less the cost of the base layer, to stHEU (wp §2.2.1). */
export function sweepFees({ leastHeuWei = LEAST_HEU_WEI }: StakerTaskOptions, { chain, signer }: StakerTaskDependencies): KeeperTask {
  return {
    name: 'fees',
    async run() {
      const fees = await chain.read('FeeVault', 'sweepable', [])
      if (fees < leastHeuWei || fees === 0n) return []
      await chain.write(signer, { contract: 'FeeVault', call: 'sweep', args: [] })
      return [`gave ${heu(fees)} of gas to stakers`]
    },
  }
}

/**
 * Collects the protocol's share of payments, buys HEU for the stablecoin part and gives all of it to stHEU (wp §3.4.3). While the
 * pool's price is off its mean, its memory too short or the epoch's limit used up, the stablecoin waits in Buyback.
 */
export function buyBack(options: StakerTaskOptions, dependencies: StakerTaskDependencies): KeeperTask {
  const { leastHeuWei = LEAST_HEU_WEI, leastUsd = LEAST_USD } = options
  return {
    name: 'buyback',
    async run() {
      const { WrappedHeu, DevUsd } = dependencies.chain.contracts
      const gave = await collect(dependencies, WrappedHeu, leastHeuWei)
      const collected = await collect(dependencies, DevUsd, leastUsd)
      return [
        ...(gave > 0n ? [`gave ${heu(gave)} of payments to stakers`] : []),
        ...(collected > 0n ? [`collected ${usd(collected)} for buybacks`] : []),
        ...(await buy(dependencies, leastUsd)),
      ]
    },
  }
}

async function collect({ chain, signer }: StakerTaskDependencies, asset: Address, least: bigint): Promise<bigint> {
  const amount = await chain.claimable(chain.contracts.Buyback, asset)
  if (amount < least || amount === 0n) return 0n
  await chain.write(signer, { contract: 'Buyback', call: 'collect', args: [asset] })
  return amount
}

async function buy(dependencies: StakerTaskDependencies, least: bigint): Promise<string[]> {
  const { chain, signer } = dependencies
  const spendable = await spendableUsd(chain)
  if (spendable < least || (await whyNoBuyback(dependencies)) !== null) return []
  const before = await chain.tokenBalance(chain.contracts.Buyback, chain.contracts.DevUsd)
  await chain.write(signer, { contract: 'Buyback', call: 'buy', args: [] })
  const after = await chain.tokenBalance(chain.contracts.Buyback, chain.contracts.DevUsd)
  return [`bought HEU for ${usd(before - after)} and gave it to stakers`]
}

/** What Buyback holds and may still spend in this epoch (micro-dollars). */
async function spendableUsd(chain: StakerTaskDependencies['chain']): Promise<bigint> {
  const [held, remaining] = await Promise.all([
    chain.tokenBalance(chain.contracts.Buyback, chain.contracts.DevUsd),
    chain.read('Buyback', 'remainingUsd', []),
  ])
  return minOf(held, remaining)
}

/**
 * Why a buy would be refused now, in words; null when it would not.
 * @throws HeuristError CHAIN_UNAVAILABLE
 */
export async function whyNoBuyback({ chain, signer }: Pick<StakerTaskDependencies, 'chain' | 'signer'>): Promise<string | null> {
  try {
    await chain.simulate(signer.address, { contract: 'Buyback', call: 'buy', args: [] })
    return null
  } catch (error) {
    if (!isHeuristError(error, 'CHAIN_REVERTED')) throw error
    return messageOf(error)
  }
}
