import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { concatHex, encodeAbiParameters, encodeDeployData, encodeFunctionData, getContractAddress, keccak256, parseAbi } from 'viem'
import { type Address, HeuristError, type Hex, WAD, ZERO_ADDRESS, ZERO_BYTES32 } from '#protocol'
import type { ChainErrorCode } from '../port.ts'
import { lower } from '../reads.ts'
import type { MarketOptions, NewPool } from './options.ts'
import { type Step, setting, type World } from './world.ts'

/*
 * Where Buyback trades: a real Uniswap v3 pool (ADR 0012). A development chain gets one from the artifacts that Uniswap published
 * on npm. Its contracts are created through the deterministic deployment proxy that development chains begin with, so all
 * addresses follow from the code and nothing of them needs to be recorded.
 */

const CREATE2_PROXY: Address = '0x4e59b44847b379578588920ca78fbf26c0b4956c'
/** keccak256 of UniswapV3Pool's creation code: part of each pool's address. */
export const POOL_CODE_HASH: Hex = '0xe34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54'
/** Hundredths of a basis point: 0.3 %, and the tick spacing that belongs to it. */
export const POOL_FEE = 3_000
const TICK_SPACING = 60
const MAX_TICK = 887_272
/** Observations that the pool keeps, at most one of each block with a trade: few trade on a development chain. */
const OBSERVATIONS = 64
const NO_DEADLINE = 2n ** 40n
/** Creations, and many new words of memory. */
const HEAVY_GAS = 12_000_000n

const factoryAbi = parseAbi(['constructor()', 'function createPool(address tokenA, address tokenB, uint24 fee) returns (address pool)'])
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

/** `positions` is Uniswap's NonfungiblePositionManager. */
export type Market = { readonly factory: Address; readonly positions: Address; readonly pool: Address }
type Plan = { readonly market: Market; readonly factoryCode: Hex; readonly positionsCode: Hex }

/** Opens the market where there is none, and tells Buyback of it. Without `options.market` governance does so later. */
export async function marketSteps(world: World): Promise<Step[]> {
  const { market } = world.options
  if (!market) return []
  if ('pool' in market) return buybackSteps(world, market, market.pool)
  const plan = await planMarket(world.at('WrappedHeu'), world.at('DevUsd'))
  return [
    ...creationSteps(world, plan),
    ...poolSteps(world, market, plan.market.pool),
    ...liquiditySteps(world, market, plan.market),
    ...buybackSteps(world, market, plan.market.pool),
  ]
}

/** Where everything of a market of these tokens is on a chain that we opened it on. */
export async function marketOf(wrappedHeu: Address, usd: Address): Promise<Market> {
  return (await planMarket(wrappedHeu, usd)).market
}

async function planMarket(wrappedHeu: Address, usd: Address): Promise<Plan> {
  const [factoryBytecode, positionsBytecode] = await Promise.all([
    publishedBytecode('@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json'),
    publishedBytecode('@uniswap/v3-periphery/artifacts/contracts/NonfungiblePositionManager.sol/NonfungiblePositionManager.json'),
  ])
  const factoryCode = encodeDeployData({ abi: factoryAbi, bytecode: factoryBytecode })
  const factory = create2Address(factoryCode)
  const args = [factory, wrappedHeu, ZERO_ADDRESS] as const
  const positionsCode = encodeDeployData({ abi: positionsAbi, bytecode: positionsBytecode, args })
  const pool = poolAddress(factory, wrappedHeu, usd)
  return { market: { factory, positions: create2Address(positionsCode), pool }, factoryCode, positionsCode }
}

function create2Address(bytecode: Hex): Address {
  return lower(getContractAddress({ opcode: 'CREATE2', from: CREATE2_PROXY, salt: ZERO_BYTES32, bytecode }))
}

function poolAddress(factory: Address, tokenA: Address, tokenB: Address): Address {
  const tokens = sorted(tokenA, tokenB)
  const salt = keccak256(encodeAbiParameters([{ type: 'address' }, { type: 'address' }, { type: 'uint24' }], [...tokens, POOL_FEE]))
  return lower(getContractAddress({ opcode: 'CREATE2', from: factory, salt, bytecodeHash: POOL_CODE_HASH }))
}

/** As Uniswap names them: token 0 and token 1. */
function sorted(tokenA: Address, tokenB: Address): readonly [Address, Address] {
  return tokenA < tokenB ? [tokenA, tokenB] : [tokenB, tokenA]
}

/** The published bytecode, read from the installed package. */
async function publishedBytecode(path: string): Promise<Hex> {
  try {
    const file = createRequire(import.meta.url).resolve(path)
    return (JSON.parse(await readFile(file, 'utf8')) as { bytecode: Hex }).bytecode // cast: a published artifact
  } catch (cause) {
    throw new HeuristError<ChainErrorCode>('CHAIN_START_FAILED', `The package file ${path} is missing. Run npm install.`, { cause })
  }
}

const hasCode = async ({ client }: World, address: Address): Promise<boolean> => Boolean(await client.getCode({ address }))

function creationSteps(world: World, { market, factoryCode, positionsCode }: Plan): Step[] {
  const create = (name: string, address: Address, code: Hex): Step => ({
    name: `create Uniswap's ${name}`,
    to: CREATE2_PROXY,
    data: concatHex([ZERO_BYTES32, code]),
    gasLimit: HEAVY_GAS,
    done: () => hasCode(world, address),
  })
  const args = [world.at('WrappedHeu'), world.at('DevUsd'), POOL_FEE] as const
  return [
    create('factory', market.factory, factoryCode),
    create('position manager', market.positions, positionsCode),
    {
      name: 'create the pool of HEU and stablecoin',
      to: market.factory,
      data: encodeFunctionData({ abi: factoryAbi, functionName: 'createPool', args }),
      gasLimit: HEAVY_GAS,
      done: () => hasCode(world, market.pool),
    },
  ]
}

/** First price and memory. */
function poolSteps(world: World, { heuPriceUsdWad }: { heuPriceUsdWad: bigint }, pool: Address): Step[] {
  const contract = { address: pool, abi: uniswapPoolAbi } as const
  const slot0 = async () => ((await hasCode(world, pool)) ? world.client.readContract({ ...contract, functionName: 'slot0' }) : null)
  const price = firstSqrtPriceX96({ wrappedHeu: world.at('WrappedHeu'), usd: world.at('DevUsd'), heuPriceUsdWad })
  return [
    {
      name: 'set the first price of HEU',
      to: pool,
      data: encodeFunctionData({ abi: uniswapPoolAbi, functionName: 'initialize', args: [price] }),
      done: async () => ((await slot0())?.[0] ?? 0n) !== 0n,
    },
    {
      name: 'let the pool remember its prices',
      to: pool,
      data: encodeFunctionData({ abi: uniswapPoolAbi, functionName: 'increaseObservationCardinalityNext', args: [OBSERVATIONS] }),
      gasLimit: HEAVY_GAS,
      done: async () => ((await slot0())?.[4] ?? 0) >= OBSERVATIONS,
    },
  ]
}

/** Over all prices, and for ever the timelock's. The deployer holds the HEU; the stablecoin is the development chain's own. */
function liquiditySteps(world: World, { liquidityUsd, heuPriceUsdWad }: NewPool, { positions, pool }: Market): Step[] {
  const { at, calls, client, deployer, options } = world
  const heuWei = (liquidityUsd * 10n ** 12n * WAD) / heuPriceUsdWad
  const isOpen = async () =>
    (await hasCode(world, pool)) && (await client.readContract({ address: pool, abi: uniswapPoolAbi, functionName: 'liquidity' })) > 0n
  const unlessOpen = (name: string, call: Pick<Step, 'to' | 'data' | 'valueWei'>, isReady: () => Promise<boolean>): Step => ({
    name,
    ...call,
    done: async () => (await isOpen()) || (await isReady()),
  })
  const allow = (contract: 'WrappedHeu' | 'DevUsd', amount: bigint): Step =>
    unlessOpen(
      `let the position manager take ${contract}`,
      calls.encode({ contract, call: 'approve', args: [positions, amount] }),
      async () => (await calls.read(contract, 'allowance', [deployer, positions])) >= amount,
    )
  const minted = liquidityUsd + (options.faucet?.devUsd ?? 0n)
  const mint = encodeFunctionData({ abi: positionsAbi, functionName: 'mint', args: [positionOf(world, heuWei, liquidityUsd)] })
  return [
    unlessOpen(
      'mint DevUsd for the market',
      calls.encode({ contract: 'DevUsd', call: 'mint', args: [deployer, liquidityUsd] }),
      async () => (await calls.read('DevUsd', 'totalSupply', [])) >= minted,
    ),
    unlessOpen(
      'wrap HEU for the market',
      calls.encode({ contract: 'WrappedHeu', call: 'deposit', args: [], valueWei: heuWei }),
      async () => (await calls.read('WrappedHeu', 'balanceOf', [deployer])) >= heuWei,
    ),
    allow('WrappedHeu', heuWei),
    allow('DevUsd', liquidityUsd),
    unlessOpen(`give ${at('HeuristTimelock')} the first liquidity`, { to: positions, data: mint }, async () => false),
  ]
}

function positionOf({ at }: World, heuWei: bigint, liquidityUsd: bigint) {
  const [heu, usd] = [at('WrappedHeu'), at('DevUsd')]
  const [token0, token1] = sorted(heu, usd)
  const widest = Math.floor(MAX_TICK / TICK_SPACING) * TICK_SPACING
  return {
    token0,
    token1,
    fee: POOL_FEE,
    tickLower: -widest,
    tickUpper: widest,
    amount0Desired: token0 === heu ? heuWei : liquidityUsd,
    amount1Desired: token1 === usd ? liquidityUsd : heuWei,
    amount0Min: 0n,
    amount1Min: 0n,
    recipient: at('HeuristTimelock'),
    deadline: NO_DEADLINE,
  }
}

function buybackSteps({ calls }: World, { guards }: MarketOptions, pool: Address): Step[] {
  const guardsText = ({ twapWindowSeconds, maxDeviationTicks, maxSlippageBps, epochLimitUsd }: MarketOptions['guards']): string =>
    [twapWindowSeconds, maxDeviationTicks, maxSlippageBps, epochLimitUsd].join()
  // In this order: the guards are checked against the pool.
  return [
    setting('name the pool of Buyback', {
      call: calls.encode({ contract: 'Buyback', call: 'setPool', args: [pool] }),
      get: () => calls.read('Buyback', 'pool', []),
      wanted: pool,
    }),
    setting('set the guards of Buyback', {
      call: calls.encode({ contract: 'Buyback', call: 'setGuards', args: [guards] }),
      get: async () => guardsText(await calls.read('Buyback', 'guards', [])),
      wanted: guardsText(guards),
    }),
  ]
}

/** The root of token 1 per token 0 in atomic units, Q64.96, rounded down. */
export function firstSqrtPriceX96({
  wrappedHeu,
  usd,
  heuPriceUsdWad,
}: {
  readonly wrappedHeu: Address
  readonly usd: Address
  readonly heuPriceUsdWad: bigint
}): bigint {
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
