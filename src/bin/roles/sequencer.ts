import { createPayments } from '#application'
import { becomeLeader } from '#platform/database'
import { BUS_TOPICS } from '#protocol'
import type { Config } from '../config.ts'
import { createRetirement } from '../network/retire.ts'
import { createSettling } from '../network/settling.ts'
import { type Alone, type RoleOptions, runAlone } from './alone.ts'

/** Runs a sequencer until a signal: the leader settles, all others stand by. Resolves with the exit code. */
export function runSequencer(config: Config, options: RoleOptions): Promise<number> {
  return runAlone('sequencer', config, options, startSequencer)
}

async function startSequencer(alone: Alone): Promise<{ says: string; lost: Promise<string> } | null> {
  const { config, joined, clock, logger, metrics, signal, undo } = alone
  const { infrastructure, bus } = joined
  const { database, databaseUrl } = infrastructure
  process.stdout.write(`sequencer ${config.instance}: standing by\n`)
  const leadership = await becomeLeader({ connectionString: databaseUrl, name: 'sequencer', signal }, { clock, logger })
  // It was asked to stop while it stood by.
  if (!leadership) return null
  undo.push(() => leadership.release())
  // It applies deposits and holds nothing: what it never leases it needs not return.
  const owner = { instance: config.instance, epoch: String(clock.now()) }
  const payments = await createPayments({ owner, assets: [] }, { ledger: database.ledger, clock, logger })
  undo.push(() => payments.stop())
  const settling = createSettling(config, { infrastructure, clock, logger, metrics }, payments.applyDeposit)
  settling.start()
  undo.push(() => settling.stop())
  const retirement = createRetirement({ retireMs: config.gatewayRetireMs }, { infrastructure, clock, logger })
  const stopRetiring = retirement.start()
  undo.push(async () => stopRetiring())
  const unsubscribe = bus.subscribe(BUS_TOPICS.receipts, payload => settling.sequencer.notify(Number(payload) || 1))
  undo.push(async () => unsubscribe())
  return { says: `sequencer ${config.instance}: leads`, lost: leadership.lost }
}
