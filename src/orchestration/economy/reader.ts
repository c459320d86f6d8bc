import type { Clock } from '#platform'
import type { EconomyReader } from '#protocol'
import { readStake } from './accounts.ts'
import { readBuybacks } from './buybacks.ts'
import type { EconomyDependencies } from './context.ts'
import { readEarnings } from './earnings.ts'
import { readEpoch } from './epochs.ts'
import { readEconomy } from './overview.ts'
import { readReservoir } from './reservoir.ts'
import { readVesting } from './vesting.ts'

/** Pages that many people look at cost the chain one reading. */
const FRESH_MS = 1_000
const KEPT_ANSWERS = 200

export type EconomyReaderDependencies = EconomyDependencies & {
  readonly clock: Clock
  /** Resolves when the events are as new as the chain. */
  readonly caughtUp: () => Promise<void>
}

/** Answers are at most a second old, and whoever asks for the same at the same time gets the same. */
export function createEconomyReader(dependencies: EconomyReaderDependencies): EconomyReader {
  const { clock, caughtUp } = dependencies
  const answers = new Map<string, { readonly atMs: number; readonly answer: Promise<unknown> }>()

  function fresh<Answer>(what: string, read: () => Promise<Answer>): Promise<Answer> {
    const kept = answers.get(what)
    if (kept && clock.now() - kept.atMs < FRESH_MS) return kept.answer as Promise<Answer> // cast: kept under the name of its reader
    const answer = caughtUp().then(read)
    answers.delete(what)
    answers.set(what, { atMs: clock.now(), answer })
    // A failure is not kept: the next one asks again.
    answer.catch(() => answers.get(what)?.answer === answer && answers.delete(what))
    if (answers.size > KEPT_ANSWERS) for (const oldest of answers.keys()) if (answers.delete(oldest)) break
    return answer
  }
  return {
    overview: () => fresh('overview', () => readEconomy(dependencies)),
    epoch: epoch => fresh(`epoch ${epoch ?? 'now'}`, () => readEpoch(dependencies, epoch)),
    reservoir: () => fresh('reservoir', () => readReservoir(dependencies)),
    vesting: () => fresh('vesting', () => readVesting(dependencies)),
    stake: account => fresh(`stake ${account}`, () => readStake(dependencies, account)),
    buybacks: () => fresh('buybacks', () => readBuybacks(dependencies)),
    earnings: account => fresh(`earnings ${account}`, () => readEarnings(dependencies, account)),
  }
}
