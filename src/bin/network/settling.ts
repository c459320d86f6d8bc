import type { Payments } from '#application'
import { createIndexer, createSequencer, type Indexer, type Sequencer, watchDeposits } from '#orchestration'
import type { Clock, Logger, Metrics } from '#platform'
import type { Config } from '../config.ts'
import type { Infrastructure } from './infrastructure.ts'
import { createKeeperOf } from './keeper.ts'

export type SettlingDependencies = {
  readonly infrastructure: Infrastructure
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
}

/** What one process of a network does at a time: batches, chores on chain, deposits, and the chain's history. */
export type Settling = {
  readonly sequencer: Sequencer
  readonly indexer: Indexer
  start(): void
  stop(): Promise<void>
}

/** Time that the last receipts get to be settled at a shutdown; what is left is settled by the next start. */
const FLUSH_MS = 1500

/** The event's place in its transaction: the last part of a deposit's business id. */
function placeOf(businessId: string): number {
  return Number(businessId.split(':').at(-1))
}

/** Deposits become credits when they are final, exactly once: the ledger knows each by its business id. */
function followDeposits(
  { infrastructure, clock }: SettlingDependencies,
  applyDeposit: Payments['applyDeposit'],
): { stop(): Promise<void> } {
  const { chain, database, fromBlock } = infrastructure
  return watchDeposits(
    { fromBlock },
    {
      chain,
      settings: database.settings,
      onDeposit: async deposit =>
        void (await applyDeposit({ ...deposit, chainId: chain.chainId, logIndex: placeOf(deposit.businessId), atMs: clock.now() })),
    },
  )
}

export function createSettling(config: Config, dependencies: SettlingDependencies, applyDeposit: Payments['applyDeposit']): Settling {
  const { infrastructure, clock, logger, metrics } = dependencies
  const { database, chain, signers } = infrastructure
  const indexer = createIndexer({ fromBlock: infrastructure.fromBlock }, { chain, events: database.events, clock, logger, metrics })
  const sequencer = createSequencer(
    { maxJobs: config.batchMaxJobs, maxAgeMs: config.batchMaxAgeMs },
    { batches: database.batches, chain, signer: signers.sequencer, clock, logger, metrics },
  )
  const keeper = createKeeperOf(config, dependencies, indexer)
  let deposits: { stop(): Promise<void> } | null = null
  return {
    sequencer,
    indexer,
    start() {
      deposits = followDeposits(dependencies, applyDeposit)
      indexer.start()
      sequencer.start()
      keeper.start()
    },
    async stop() {
      await indexer.stop()
      await keeper.stop()
      await deposits?.stop()
      await sequencer.flush({ timeoutMs: FLUSH_MS })
      await sequencer.stop()
    },
  }
}
