import { epochAt } from '#economics'
import type { IndexedEvent } from '#platform'
import type { BuybackEvent } from '#protocol'
import { type EconomyDependencies, integerOf, readTime } from './context.ts'

const MOST = 100

/** What Buyback gave to stakers, newest first: each gift with what its transaction sold for it. */
export async function readBuybacks(dependencies: EconomyDependencies): Promise<BuybackEvent[]> {
  const { genesis } = await readTime(dependencies)
  const told = await dependencies.events.list({ contract: 'Buyback', names: ['HeuBoughtBack', 'HeuGivenToStakers'] })
  return told
    .map((event, index) => eventOf(event, told[index - 1], genesis))
    .filter(event => event !== null)
    .slice(-MOST)
    .reverse()
}

/** A gift; null for a purchase, which is told by the gift right behind it. */
function eventOf(event: IndexedEvent, before: IndexedEvent | undefined, genesis: number): BuybackEvent | null {
  if (event.name !== 'HeuGivenToStakers') return null
  const { timestampSeconds: at, blockNumber, transactionHash } = event
  const isBought = before?.name === 'HeuBoughtBack' && before.transactionHash === transactionHash
  const spentUsd = isBought ? integerOf(before, 'spentUsd') : 0n
  return { epoch: epochAt(genesis, at), spentUsd, givenHeu: integerOf(event, 'amount'), at, blockNumber, transactionHash }
}
