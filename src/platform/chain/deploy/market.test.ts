import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { encodeDeployData, encodeFunctionData, type Hex, keccak256, parseAbi } from 'viem'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { devUsdAbi, WAD } from '#protocol'
import { lower } from '../reads.ts'
import { createRpcClient } from '../rpc.ts'
import { startTestChain, type TestChain } from '../testing/index.ts'
import { firstSqrtPriceX96, type Market, marketOf, POOL_CODE_HASH, POOL_FEE, uniswapPoolAbi } from './market.ts'

const published = (path: string): Hex =>
  (JSON.parse(readFileSync(createRequire(import.meta.url).resolve(path), 'utf8')) as { bytecode: Hex }).bytecode // cast: a published artifact
const routerAbi = parseAbi([
  'constructor(address factory, address weth9)',
  'function exactInputSingle((address tokenIn, address tokenOut, uint24 fee, address recipient, uint256 deadline, uint256 amountIn, uint256 amountOutMinimum, uint160 sqrtPriceLimitX96) params) payable returns (uint256 amountOut)',
])
const ownerAbi = parseAbi(['function ownerOf(uint256 id) view returns (address)'])

describe('the market of a development chain', () => {
  let world: TestChain
  let market: Market
  const client = () => createRpcClient({ rpcUrl: world.devChain.rpcUrl })

  beforeAll(async () => {
    world = await startTestChain()
    market = await marketOf(world.contracts.WrappedHeu, world.contracts.DevUsd)
  })
  afterAll(() => world?.stop())

  test('default: a real pool at the first price, with memory and with liquidity that is the timelock’s', async () => {
    const pool = { address: market.pool, abi: uniswapPoolAbi } as const
    const [price, , , , observations] = await client().readContract({ ...pool, functionName: 'slot0' })
    const { WrappedHeu: wrappedHeu, DevUsd: usd } = world.contracts
    expect(price).toBe(firstSqrtPriceX96({ wrappedHeu, usd, heuPriceUsdWad: WAD / 10n }))
    expect(observations).toBeGreaterThanOrEqual(64)
    expect(await client().readContract({ ...pool, functionName: 'liquidity' })).toBeGreaterThan(0n)
    // The position takes all of one side and, within rounding, all of the other.
    expect(await world.chain.tokenBalance(market.pool, usd)).toBeGreaterThanOrEqual(50_000_000_000n - 1n)
    const owner = await client().readContract({ address: market.positions, abi: ownerAbi, functionName: 'ownerOf', args: [1n] })
    expect(lower(owner)).toBe(world.contracts.HeuristTimelock)
  })

  test('behavior: Buyback trades in it, behind its guards', async () => {
    const { chain } = world
    expect(lower(await chain.read('Buyback', 'pool', []))).toBe(market.pool)
    expect(await chain.read('Buyback', 'guards', [])).toMatchObject({ twapWindowSeconds: 300, maxSlippageBps: 60 })
    expect(await chain.read('Buyback', 'remainingUsd', [])).toBe(10_000_000_000n)
  })

  test('behavior: the hash by which pools are found is that of the published code', () => {
    expect(keccak256(published('@uniswap/v3-core/artifacts/contracts/UniswapV3Pool.sol/UniswapV3Pool.json'))).toBe(POOL_CODE_HASH)
  })

  test('behavior: anyone trades in it, at the price less fee and impact', async () => {
    const { chain, contracts, treasury } = world
    const bytecode = published('@uniswap/v3-periphery/artifacts/contracts/SwapRouter.sol/SwapRouter.json')
    const code = encodeDeployData({ abi: routerAbi, bytecode, args: [market.factory, contracts.WrappedHeu] })
    const { transactionHash } = await chain.send(treasury, { to: null, data: code })
    const router = (await client().getTransactionReceipt({ hash: transactionHash })).contractAddress
    if (!router) throw new Error('no router was created')
    const spent = 100_000_000n
    const before = await chain.tokenBalance(treasury.address, contracts.WrappedHeu)
    const approve = encodeFunctionData({ abi: devUsdAbi, functionName: 'approve', args: [router, spent] })
    await chain.send(treasury, { to: contracts.DevUsd, data: approve })
    const terms = { fee: POOL_FEE, recipient: treasury.address, deadline: 2n ** 40n, amountOutMinimum: 0n, sqrtPriceLimitX96: 0n }
    const params = { tokenIn: contracts.DevUsd, tokenOut: contracts.WrappedHeu, amountIn: spent, ...terms }
    await chain.send(treasury, {
      to: lower(router),
      data: encodeFunctionData({ abi: routerAbi, functionName: 'exactInputSingle', args: [params] }),
    })
    const bought = (await chain.tokenBalance(treasury.address, contracts.WrappedHeu)) - before
    // 100 USD at 0.10 USD are 1,000 HEU; 0.3 % fee and 0.2 % impact go off.
    expect(bought).toBeGreaterThan(994n * WAD)
    expect(bought).toBeLessThan(996n * WAD)
  })
})
