import { encodeFunctionData, parseAbi } from 'viem'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { devUsdAbi, WAD } from '#protocol'
import { createRpcClient } from './rpc.ts'
import { createSender } from './send.ts'
import { startTestChain, type TestChain } from './testing/index.ts'
import { deployMarket, firstSqrtPriceX96, type Market, POOL_FEE, uniswapPoolAbi } from './uniswap.ts'

const routerAbi = parseAbi([
  'function exactInputSingle((address tokenIn, address tokenOut, uint24 fee, address recipient, uint256 deadline, uint256 amountIn, uint256 amountOutMinimum, uint160 sqrtPriceLimitX96) params) payable returns (uint256 amountOut)',
])

describe('deployMarket', () => {
  let world: TestChain
  let market: Market
  const options = () => ({
    wrappedHeu: world.contracts.WrappedHeu,
    usd: world.contracts.DevUsd,
    heuPriceUsdWad: WAD / 20n,
    liquidityUsd: 50_000_000_000n,
  })
  const dependencies = () => {
    const client = createRpcClient({ rpcUrl: world.devChain.rpcUrl })
    const send = createSender({ chainId: world.devChain.chainId, inclusionTimeoutMs: 20_000 }, client)
    return { client, send, deployer: world.treasury }
  }

  beforeAll(async () => {
    world = await startTestChain()
    market = await deployMarket(options(), dependencies())
  }, 120_000)
  afterAll(() => world?.stop())

  test('default: a real pool at the first price, with memory and liquidity', async () => {
    const { client } = dependencies()
    const pool = { address: market.pool, abi: uniswapPoolAbi } as const
    const [price, , , , observations] = await client.readContract({ ...pool, functionName: 'slot0' })
    expect(price).toBe(firstSqrtPriceX96(options()))
    expect(observations).toBeGreaterThanOrEqual(300)
    expect(await client.readContract({ ...pool, functionName: 'liquidity' })).toBeGreaterThan(0n)
  })

  test('behavior: anyone trades in it, at the price less fee and impact', async () => {
    const { send } = dependencies()
    const { chain, contracts, treasury } = world
    const spent = 100_000_000n
    const before = await chain.tokenBalance(treasury.address, contracts.WrappedHeu)
    const approve = encodeFunctionData({ abi: devUsdAbi, functionName: 'approve', args: [market.router, spent] })
    await send(treasury, { to: contracts.DevUsd, data: approve })
    const terms = { fee: POOL_FEE, recipient: treasury.address, deadline: 2n ** 40n, amountOutMinimum: 0n, sqrtPriceLimitX96: 0n }
    const params = { tokenIn: contracts.DevUsd, tokenOut: contracts.WrappedHeu, amountIn: spent, ...terms }
    await send(treasury, {
      to: market.router,
      data: encodeFunctionData({ abi: routerAbi, functionName: 'exactInputSingle', args: [params] }),
    })
    const bought = (await chain.tokenBalance(treasury.address, contracts.WrappedHeu)) - before
    // 100 USD at 0.05 USD are 2,000 HEU; 0.3 % fee and 0.2 % impact go off.
    expect(bought).toBeGreaterThan(1_985n * WAD)
    expect(bought).toBeLessThan(1_995n * WAD)
  })

  test('behavior: a second run changes nothing', async () => {
    const { client } = dependencies()
    const before = await client.getBlockNumber()
    expect(await deployMarket(options(), dependencies(), market)).toEqual(market)
    expect(await client.getBlockNumber()).toBe(before)
  })
})
