import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { encodeDeployData, encodeFunctionData, type PublicClient, parseAbi } from 'viem'
import { type Address, HeuristError, type Hex, WAD, wrappedHeuAbi, ZERO_ADDRESS } from '#protocol'
import type { Signer } from '../signing.ts'
import { translating } from './errors.ts'
import type { ChainErrorCode } from './port.ts'
import { lower } from './reads.ts'
import type { Sender } from './send.ts'

/*
 * A real Uniswap v3 market on a development chain, from the artifacts that Uniswap published on npm (ADR 0012). A public
 * chain has one already: there only the pool's address is configured.
 */

export type MarketOptions = {
  readonly wrappedHeu: Address
  readonly usd: Address
  /** USD per HEU, 18 decimals: the first price. */
  readonly heuPriceUsdWad: bigint
  /** First liquidity over all prices, from the deployer's own HEU (native) and stablecoin; the other half follows from the price. */
  readonly liquidityUsd: bigint
}
/** `router` and `positions` are Uniswap's SwapRouter and NonfungiblePositionManager. */
export type Market = { readonly factory: Address; readonly router: Address; readonly positions: Address; readonly pool: Address }
export type MarketDependencies = {
  readonly client: PublicClient
  readonly send: Sender
  readonly deployer: Signer
  /** Called after each contract with all that is known; give it back as `known` and a second run goes on from there. */
  readonly record?: (known: Partial<Market>) => Promise<void>
}

/** Hundredths of a basis point: 0.3 %, and the tick spacing that belongs to it. */
export const POOL_FEE = 3_000
const TICK_SPACING = 60
const MAX_TICK = 887_272
/** Observations that the pool keeps; one a block at most, so that a mean of half an hour survives a busy chain. */
const OBSERVATIONS = 300
const DEADLINE_SECONDS = 2n ** 40n

const factoryAbi = parseAbi([
  'constructor()',
  'function createPool(address tokenA, address tokenB, uint24 fee) returns (address pool)',
  'function getPool(address tokenA, address tokenB, uint24 fee) view returns (address pool)',
])
const peripheryAbi = parseAbi(['constructor(address factory, address weth9)'])
const positionsAbi = parseAbi([
  'constructor(address factory, address weth9, address tokenDescriptor)',
  'function mint((address token0, address token1, uint24 fee, int24 tickLower, int24 tickUpper, uint256 amount0Desired, uint256 amount1Desired, uint256 amount0Min, uint256 amount1Min, address recipient, uint256 deadline) params) returns (uint256 tokenId, uint128 liquidity, uint256 amount0, uint256 amount1)',
])
export const uniswapPoolAbi = parseAbi([
  'function initialize(uint160 sqrtPriceX96)',
  'function increaseObservationCardinalityNext(uint16 observationCardinalityNext)',
  'function slot0() view returns (uint160 sqrtPriceX96, int24 tick, uint16 observationIndex, uint16 observationCardinality, uint16 observationCardinalityNext, uint8 feeProtocol, bool unlocked)',
  'function liquidity() view returns (uint128)',
])

/**
 * Deploys factory, router, position manager and the HEU/stablecoin pool, sets its first price, makes it remember, and adds the
 * first liquidity. Safe to run again: what `known` names and the chain has is left alone. The deployment calls it after the
 * tokens exist and the deployer holds `liquidityUsd` of the stablecoin and as much in HEU; `pool` then goes to
 * `Buyback.setPool`.
 * @throws HeuristError CHAIN_REVERTED, CHAIN_UNAVAILABLE
 * @example
 * const market = await deployMarket({ wrappedHeu, usd, heuPriceUsdWad, liquidityUsd: 50_000_000_000n }, { client, send, deployer })
 */
export async function deployMarket(options: MarketOptions, dependencies: MarketDependencies, known: Partial<Market> = {}): Promise<Market> {
  const { client, record } = dependencies
  let market = known
  const contract = async (name: keyof Market, make: () => Promise<Address>): Promise<Address> => {
    const present = market[name]
    if (present && (await translating(`look for the ${name}`, () => client.getCode({ address: present })))) return present
    const address = await make()
    market = { ...market, [name]: address }
    await record?.(market)
    return address
  }
  const factory = await contract('factory', () => create(dependencies, 'factory', []))
  const router = await contract('router', () => create(dependencies, 'router', [factory, options.wrappedHeu]))
  const positions = await contract('positions', () => create(dependencies, 'positions', [factory, options.wrappedHeu, ZERO_ADDRESS]))
  const pool = await contract('pool', () => createPool(options, dependencies, factory))
  await openPool(options, dependencies, { factory, router, positions, pool })
  return { factory, router, positions, pool }
}

const ARTIFACTS = {
  factory: { path: '@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json', abi: factoryAbi },
  router: { path: '@uniswap/v3-periphery/artifacts/contracts/SwapRouter.sol/SwapRouter.json', abi: peripheryAbi },
  positions: {
    path: '@uniswap/v3-periphery/artifacts/contracts/NonfungiblePositionManager.sol/NonfungiblePositionManager.json',
    abi: positionsAbi,
  },
} as const

/** The published bytecode, read at deploy time from the installed package. */
async function publishedBytecode(path: string): Promise<Hex> {
  try {
    const file = createRequire(import.meta.url).resolve(path)
    return (JSON.parse(await readFile(file, 'utf8')) as { bytecode: Hex }).bytecode // cast: a published artifact
  } catch (cause) {
    throw new HeuristError<ChainErrorCode>('CHAIN_START_FAILED', `The package file ${path} is missing. Run npm install.`, { cause })
  }
}

async function create(
  { client, send, deployer }: MarketDependencies,
  name: keyof typeof ARTIFACTS,
  args: readonly Address[],
): Promise<Address> {
  const { path, abi } = ARTIFACTS[name]
  const data = encodeDeployData({ abi, bytecode: await publishedBytecode(path), args } as Parameters<typeof encodeDeployData>[0]) // cast: the three constructors differ only in how many addresses they take
  const { transactionHash } = await send(deployer, { to: null, data })
  const receipt = await translating(`read the address of the ${name}`, () => client.getTransactionReceipt({ hash: transactionHash }))
  if (!receipt.contractAddress) throw new Error(`transaction ${transactionHash} created no contract`)
  return lower(receipt.contractAddress)
}

async function createPool(
  { wrappedHeu, usd }: MarketOptions,
  { client, send, deployer }: MarketDependencies,
  factory: Address,
): Promise<Address> {
  const find = () =>
    translating('look for the pool', () =>
      client.readContract({ address: factory, abi: factoryAbi, functionName: 'getPool', args: [wrappedHeu, usd, POOL_FEE] }),
    )
  const present = lower(await find())
  if (present !== ZERO_ADDRESS) return present
  await send(deployer, {
    to: factory,
    data: encodeFunctionData({ abi: factoryAbi, functionName: 'createPool', args: [wrappedHeu, usd, POOL_FEE] }),
  })
  return lower(await find())
}

/** First price, memory and liquidity, each only when it is not there yet. */
async function openPool(options: MarketOptions, dependencies: MarketDependencies, market: Market): Promise<void> {
  const { client, send, deployer } = dependencies
  const pool = { address: market.pool, abi: uniswapPoolAbi } as const
  const state = await translating('read the pool', () => client.readContract({ ...pool, functionName: 'slot0' }))
  const [price, , , , observations] = state
  if (price === 0n) {
    const args = [firstSqrtPriceX96(options)] as const
    await send(deployer, { to: market.pool, data: encodeFunctionData({ abi: uniswapPoolAbi, functionName: 'initialize', args }) })
  }
  if (observations < OBSERVATIONS) {
    const call = { abi: uniswapPoolAbi, functionName: 'increaseObservationCardinalityNext', args: [OBSERVATIONS] } as const
    await send(deployer, { to: market.pool, data: encodeFunctionData(call) })
  }
  const liquidity = await translating('read the liquidity', () => client.readContract({ ...pool, functionName: 'liquidity' }))
  if (liquidity === 0n && options.liquidityUsd > 0n) await addLiquidity(options, dependencies, market)
}

async function addLiquidity(options: MarketOptions, { send, deployer }: MarketDependencies, market: Market): Promise<void> {
  const { wrappedHeu, usd, liquidityUsd, heuPriceUsdWad } = options
  const heuWei = (liquidityUsd * 10n ** 12n * WAD) / heuPriceUsdWad
  await send(deployer, { to: wrappedHeu, data: encodeFunctionData({ abi: wrappedHeuAbi, functionName: 'deposit' }), valueWei: heuWei })
  for (const [token, amount] of [
    [wrappedHeu, heuWei],
    [usd, liquidityUsd],
  ] as const) {
    await send(deployer, {
      to: token,
      data: encodeFunctionData({ abi: wrappedHeuAbi, functionName: 'approve', args: [market.positions, amount] }),
    })
  }
  const isHeuFirst = wrappedHeu < usd
  const wide = Math.floor(MAX_TICK / TICK_SPACING) * TICK_SPACING
  const params = {
    token0: isHeuFirst ? wrappedHeu : usd,
    token1: isHeuFirst ? usd : wrappedHeu,
    fee: POOL_FEE,
    tickLower: -wide,
    tickUpper: wide,
    amount0Desired: isHeuFirst ? heuWei : liquidityUsd,
    amount1Desired: isHeuFirst ? liquidityUsd : heuWei,
    amount0Min: 0n,
    amount1Min: 0n,
    recipient: deployer.address,
    deadline: DEADLINE_SECONDS,
  }
  await send(deployer, { to: market.positions, data: encodeFunctionData({ abi: positionsAbi, functionName: 'mint', args: [params] }) })
}

/** The root of token 1 per token 0 in atomic units, Q64.96, rounded down. */
export function firstSqrtPriceX96({
  wrappedHeu,
  usd,
  heuPriceUsdWad,
}: Pick<MarketOptions, 'wrappedHeu' | 'usd' | 'heuPriceUsdWad'>): bigint {
  // One HEU is 10^18 wei and costs heuPriceUsdWad / 10^12 micro-dollars.
  const [heu, dollars] = [10n ** 30n, heuPriceUsdWad]
  return wrappedHeu < usd ? rootDown((dollars << 192n) / heu) : rootDown((heu << 192n) / dollars)
}

function rootDown(value: bigint): bigint {
  if (value < 2n) return value
  let root = 1n << BigInt(Math.ceil(value.toString(2).length / 2))
  for (;;) {
    const next = (root + value / root) >> 1n
    if (next >= root) return root
    root = next
  }
}
