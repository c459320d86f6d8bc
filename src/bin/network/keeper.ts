import { epochAt } from '#economics'
import { buyBack, closeEpochs, collectPots, createKeeper, type Indexer, type Keeper, sweepFees } from '#orchestration'
import type { Chain, Clock, Logger, Metrics } from '#platform'
import type { Config } from '../config.ts'
import type { Infrastructure } from './infrastructure.ts'

type KeeperParts = { readonly infrastructure: Infrastructure; readonly clock: Clock; readonly logger: Logger; readonly metrics: Metrics }

/** The sequencer's chores on chain: what nobody calls for is still done in time. */
export function createKeeperOf(config: Config, { infrastructure, clock, logger, metrics }: KeeperParts, indexer: Indexer): Keeper {
  const { chain, database, signers } = infrastructure
  const { batches, nodes, events } = database
  const epochs = closeEpochs({ chain, signer: signers.sequencer, batches, nodes, events, caughtUp: indexer.caughtUp })
  const anyone = { chain, signer: signers.sequencer }
  const tasks = [epochs, collectPots({ ...anyone, pods: database.pods }), sweepFees({}, anyone), buyBack({}, anyone)]
  return createKeeper({ everyMs: config.keeperEveryMs }, { tasks, clock, logger, metrics })
}

/** The emission epoch of now, by the chain's own time; null before the first. */
export function epochClock(chain: Pick<Chain, 'read' | 'head'>): () => Promise<number | null> {
  let genesis: Promise<bigint> | null = null
  return async () => {
    genesis ??= chain.read('EmissionController', 'epochGenesis', [])
    try {
      // Together: who waited for one first would not hear the other fail, and an answer that nobody hears ends the process.
      const [{ timestampSeconds }, start] = await Promise.all([chain.head(), genesis])
      const epoch = epochAt(Number(start), timestampSeconds)
      return epoch < 0 ? null : epoch
    } catch (error) {
      genesis = null
      throw error
    }
  }
}
