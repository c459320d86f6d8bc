import { expect, test, vi } from 'vitest'
import { createManualClock, createMetrics, type LedgerStore, silentLogger } from '#platform'
import { watchBalance } from './balance-watch.ts'
import { HEU, USD } from './testing.ts'

test('behavior: an alarm can see that the ledger is out of balance, and that it is sound again', async () => {
  const [clock, metrics] = [createManualClock(), createMetrics()]
  let totals: () => ReturnType<LedgerStore['totals']> = async () => [
    { asset: USD, sum: 0n },
    { asset: HEU, sum: 0n },
  ]
  const ledger = { totals: () => totals() } as LedgerStore // cast: nothing else is asked of it
  const watch = watchBalance({ ledger, clock, logger: silentLogger, metrics })
  const unbalanced = async () => (await metrics.registry.getSingleMetric('heurist_ledger_unbalanced_assets')?.get())?.values[0]?.value
  /** Until the next look is planned, a minute passes without one. */
  const becomes = (count: number) =>
    vi.waitFor(
      async () => {
        clock.advance(60_000)
        expect(await unbalanced()).toBe(count)
      },
      { timeout: 10_000, interval: 5 },
    )
  await becomes(0)
  totals = async () => [{ asset: USD, sum: 1n }]
  await becomes(1)
  totals = () => Promise.reject(new Error('the database is away'))
  for (let i = 0; i < 5; i++) {
    clock.advance(60_000)
    await new Promise(setImmediate)
  }
  expect(await unbalanced()).toBe(1)
  totals = async () => []
  await becomes(0)
  watch.stop()
})
