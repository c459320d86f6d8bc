import type { Clock, LedgerStore, Logger, Metrics } from '#platform'
import { messageOf } from '#protocol'

/** Law L1 in production: the whole ledger is summed up every minute. It costs a read of all accounts, none of the postings. */
const EVERY_MS = 60_000

export function watchBalance({ ledger, clock, logger, metrics }: { ledger: LedgerStore; clock: Clock; logger: Logger; metrics: Metrics }): {
  stop(): void
} {
  const unbalanced = metrics.gauge('heurist_ledger_unbalanced_assets', 'Assets whose ledger accounts do not sum to zero (law L1).')
  let cancel = (): void => undefined
  let stopped = false
  const look = async (): Promise<void> => {
    try {
      const wrong = (await ledger.totals()).filter(({ sum }) => sum !== 0n)
      unbalanced.set(wrong.length)
      for (const { asset, sum } of wrong) logger.error({ asset, sum: String(sum) }, 'the ledger does not sum to zero (law L1)')
    } catch (error) {
      // Unknown is not balanced: the last known number stays, and the database has alarms of its own.
      logger.debug({ reason: messageOf(error) }, 'the ledger could not be summed up')
    }
    if (!stopped) cancel = clock.after(EVERY_MS, look)
  }
  void look()
  return {
    stop() {
      stopped = true
      cancel()
    },
  }
}
