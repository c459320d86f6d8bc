import { describe, expect, test } from 'vitest'
import { DEFAULT_SPLIT_BPS, type SplitBps } from '#economics'
import { silentLogger, systemClock } from '#platform'
import type { Address, FrontendView, PodRecord } from '#protocol'
import { createShareBook } from './shares.ts'

const account = (digit: number): Address => `0x${String(digit).repeat(40)}`
const podWith = (revenueShareBps?: number) => ({ manifest: { spec: { revenueShareBps } } }) as PodRecord // cast: nothing else is read
const asking = (payout: Address, feeBps: number) => ({ payout, feeBps }) as FrontendView // cast: nothing else is read

async function bookOf(frontends: readonly FrontendView[], governed = DEFAULT_SPLIT_BPS, queued: readonly SplitBps[] = []) {
  const book = createShareBook({
    chain: { shares: async () => governed },
    queued: async () => queued,
    frontends: { list: () => frontends },
    clock: systemClock,
    logger: silentLogger,
  })
  await book.start()
  book.stop()
  return book
}

describe('share book', () => {
  test('default: a pod and a frontend get what they ask for, the others what is governed', async () => {
    const { bpsOf } = await bookOf([asking(account(1), 100)])
    expect(bpsOf({ pod: podWith(300), frontend: account(1) })).toEqual({ deployer: 300, frontend: 100, voters: 200, protocol: 500 })
  })

  test('behavior: a pod that asks for nothing in particular gets all that is governed', async () => {
    const { bpsOf } = await bookOf([], { ...DEFAULT_SPLIT_BPS, deployer: 650 })
    expect(bpsOf({ pod: podWith(), frontend: null }).deployer).toBe(650)
  })

  test('behavior: nobody gets more than is governed', async () => {
    const { bpsOf } = await bookOf([asking(account(1), 900)], { deployer: 400, frontend: 250, voters: 0, protocol: 1_000 })
    expect(bpsOf({ pod: podWith(800), frontend: account(1) })).toEqual({ deployer: 400, frontend: 250, voters: 0, protocol: 1_000 })
  })

  test('behavior: a lower share counts from its decision on, a higher one when it is in force', async () => {
    const queued = [{ deployer: 400, frontend: 900, voters: 200, protocol: 300 }]
    const { bpsOf } = await bookOf([], DEFAULT_SPLIT_BPS, queued)
    expect(bpsOf({ pod: podWith(), frontend: null })).toEqual({ deployer: 400, frontend: 500, voters: 200, protocol: 300 })
  })

  test('behavior: of two frontends with one account the least fee counts, a frontend that is in no registry gets the governed share', async () => {
    const { bpsOf } = await bookOf([asking(account(1), 100), asking(account(1), 0)])
    expect(bpsOf({ pod: podWith(0), frontend: account(1) }).frontend).toBe(0)
    expect(bpsOf({ pod: podWith(0), frontend: account(2) }).frontend).toBe(500)
    expect(bpsOf({ pod: podWith(0), frontend: null }).frontend).toBe(500)
  })
})
