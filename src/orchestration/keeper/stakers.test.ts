import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { quoteBuyback } from '#economics'
import { createSigner, newPrivateKey } from '#platform'
import { deposit, readMarket, setSpendingCap, transferUsd, warpDevChain } from '#platform/chain'
import { type Address, formatUnits, WAD } from '#protocol'
import { createSettlementWorld, type SettlementWorld, storeReceipts, USD } from '../sequencer/testing.ts'
import { buyBack, sweepFees, whyNoBuyback } from './stakers.ts'

/** Positions in `RewardSource`. */
const SOURCE = { buyback: 0, fees: 1 }
const MEAN_SECONDS = 300
const TWO_WINDOWS_SECONDS = 30

let world: SettlementWorld
beforeAll(async () => {
  world = await createSettlementWorld()
})
afterAll(() => world?.stop())

const parts = () => ({ chain: world.testChain.chain, signer: createdKeeper })
const createdKeeper = createSigner(newPrivateKey())
const rewardedBy = (source: number) => world.testChain.chain.read('StakedHeu', 'rewardedBy', [source])
const warp = (seconds: number) => warpDevChain(world.testChain.devChain.rpcUrl, seconds)

async function payHeu(price: bigint): Promise<void> {
  const { chain, contracts, treasury } = world.testChain
  const payer = createSigner(newPrivateKey())
  const asset: Address = contracts.WrappedHeu
  await deposit(chain, treasury, { asset, amount: price, account: payer.address })
  await setSpendingCap(chain, treasury, { account: payer, asset, cumulativeCap: price, expiresAtSeconds: 4_000_000_000 })
  await storeReceipts(world.testDatabase.database, [world.receipts.make({ payer: payer.address, asset, price })])
}

describe('buyBack', () => {
  beforeAll(async () => {
    const { chain, treasury } = world.testChain
    await chain.send(treasury, { to: createdKeeper.address, data: '0x', valueWei: WAD })
    await world.jobs(await world.payer({ deposit: 100n * USD }), [20n * USD])
    await payHeu(40n * WAD)
    const sequencer = world.sequencer()
    await sequencer.flush({ timeoutMs: 20_000 })
    await sequencer.stop()
  })

  test('behavior: nothing is done while earnings wait', async () => {
    expect(await buyBack({}, parts()).run()).toEqual([])
  })

  test('default: HEU goes to stakers at once; the stablecoin waits until the pool remembers enough, and buys then', async () => {
    await warp(TWO_WINDOWS_SECONDS)
    expect(await buyBack({}, parts()).run()).toEqual(['gave 2 HEU of payments to stakers', 'collected 1 USD for buybacks'])
    expect(await rewardedBy(SOURCE.buyback)).toBe(2n * WAD)
    expect(await whyNoBuyback(parts())).toMatch(/does not remember its prices long enough/)

    await warp(MEAN_SECONDS)
    expect(await whyNoBuyback(parts())).toBeNull()
    const quote = quoteBuyback(USD, await readMarket({ rpcUrl: world.testChain.devChain.rpcUrl, contracts: world.testChain.contracts }))
    expect(await buyBack({}, parts()).run()).toEqual(['bought HEU for 1 USD and gave it to stakers'])
    // One dollar at 0.10 dollars, less 0.3 % fee and a little impact.
    const bought = (await rewardedBy(SOURCE.buyback)) - 2n * WAD
    expect(formatUnits(quote.priceUsdWad, 18)).toMatch(/^0\.(1|0999)/)
    expect(quote.leastHeu, 'what a dry run promises').toBeLessThanOrEqual(bought)
    expect(quote.leastHeu * 1_000n, 'within the slippage of 0.6 %').toBeGreaterThan(bought * 993n)
    expect(bought).toBeGreaterThan(9_960n * 10n ** 15n)
    expect(bought).toBeLessThan(9_970n * 10n ** 15n)
  })

  test('behavior: a second run finds nothing to do', async () => {
    const before = await world.testChain.chain.head()
    expect(await buyBack({}, parts()).run()).toEqual([])
    expect((await world.testChain.chain.head()).number).toBe(before.number)
    expect(await whyNoBuyback(parts())).toMatch(/nothing to spend/)
  })

  test('behavior: less than is worth a transaction is left where it is', async () => {
    const { chain, contracts, treasury } = world.testChain
    await transferUsd(chain, treasury, { to: contracts.Buyback, amount: 999n })
    expect(await buyBack({ leastUsd: 1_000n }, parts()).run()).toEqual([])
    expect(await buyBack({ leastUsd: 999n }, parts()).run()).toEqual(['bought HEU for 0.000999 USD and gave it to stakers'])
  })
})

describe('sweepFees', () => {
  test('default: gas goes to stakers to the wei, dust waits, and a second run finds nothing', async () => {
    const { chain, contracts, devChain, treasury } = world.testChain
    expect(await sweepFees({ leastHeuWei: 1n }, parts()).run()).toEqual([])
    await devChain.setFeeVault(contracts.FeeVault)
    await chain.send(treasury, { to: treasury.address, data: '0x' })
    const paid = await chain.read('FeeVault', 'sweepable', [])
    expect(paid).toBeGreaterThan(0n)
    expect(await sweepFees({}, parts()).run()).toEqual([])
    // The sweep's own gas must not come in while it is counted.
    await devChain.setFeeVault(treasury.address)
    expect(await sweepFees({ leastHeuWei: 1n }, parts()).run()).toHaveLength(1)
    expect(await rewardedBy(SOURCE.fees)).toBe(paid)
    expect(await sweepFees({ leastHeuWei: 1n }, parts()).run()).toEqual([])
  })
})
