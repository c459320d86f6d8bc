import { type Clock, type LedgerStore, type Logger, type Metrics, repeat } from '#platform'
import { messageOf } from '#protocol'

/** Law L1 in production: the whole ledger is summed up every minute. It costs a read of all accounts, none of the postings. */
const EVERY_MS = 60_000

export function watchBalance({ ledger, clock, logger, metrics }: { ledger: LedgerStore; clock: Clock; logger: Logger; metrics: Metrics }): {
  stop(): void
} {
  const unbalanced = metrics.gauge('heurist_ledger_unbalanced_assets', 'Assets whose ledger accounts do not sum to zero (law L1).')
  const look = async (): Promise<void> => {
    const wrong = (await ledger.totals()).filter(({ sum }) => sum !== 0n)
    unbalanced.set(wrong.length)
    for (const { asset, sum } of wrong) logger.error({ asset, sum: String(sum) }, 'the ledger does not sum to zero (law L1)')
  }
  // Unknown is not balanced: the last known number stays, and the database has alarms of its own.
  const failed = (error: unknown): void => logger.debug({ reason: messageOf(error) }, 'the ledger could not be summed up')
  look().catch(failed)
  return { stop: repeat(clock, EVERY_MS, look, failed) }
}
