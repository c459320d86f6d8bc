import { parseAbi } from 'viem'
import { buybackAbi } from '#protocol'
import { translating } from './errors.ts'
import type { ContractAddresses } from './port.ts'
import { createRpcClient } from './rpc.ts'

/** The pool that Buyback trades in, now. `fee`: hundredths of a basis point. */
export type MarketState = {
  readonly sqrtPriceX96: bigint
  readonly usdIsToken0: boolean
  readonly fee: number
  readonly maxSlippageBps: number
}

const poolAbi = parseAbi([
  'function slot0() view returns (uint160 sqrtPriceX96, int24 tick, uint16 observationIndex, uint16 observationCardinality, uint16 observationCardinalityNext, uint8 feeProtocol, bool unlocked)',
  'function fee() view returns (uint24)',
])

/** @throws HeuristError CHAIN_UNAVAILABLE, CHAIN_REVERTED (no pool was set) */
export function readMarket(network: { rpcUrl: string; contracts: ContractAddresses }): Promise<MarketState> {
  const client = createRpcClient(network)
  const { Buyback, DevUsd, WrappedHeu } = network.contracts
  const buyback = { address: Buyback, abi: buybackAbi } as const
  return translating('read the pool of buybacks', async () => {
    const [address, { maxSlippageBps }] = await Promise.all([
      client.readContract({ ...buyback, functionName: 'pool' }),
      client.readContract({ ...buyback, functionName: 'guards' }),
    ])
    const pool = { address, abi: poolAbi } as const
    const [[sqrtPriceX96], fee] = await Promise.all([
      client.readContract({ ...pool, functionName: 'slot0' }),
      client.readContract({ ...pool, functionName: 'fee' }),
    ])
    return { sqrtPriceX96, fee, maxSlippageBps, usdIsToken0: BigInt(DevUsd) < BigInt(WrappedHeu) }
  })
}
