import { Kysely, PostgresDialect } from 'kysely'
import type { JournalPiece } from '#protocol'
import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import { translated } from './errors.ts'
import { migrate } from './migrate.ts'
import { createPool } from './pool.ts'
import type { Database } from './port.ts'
import type { Schema } from './schema.ts'
import { createAccountIds } from './stores/account-ids.ts'
import { createBatchStore } from './stores/batches.ts'
import { createDelayedStarts } from './stores/delayed-starts.ts'
import { createEventStore } from './stores/events.ts'
import { type JobWrite, writeJobs } from './stores/finish.ts'
import { createGroupCommit, type GroupCommitOptions } from './stores/group-commit.ts'
import { createJobStore } from './stores/jobs.ts'
import { createJournalStore, writePieces } from './stores/journal.ts'
import { createKeyStore } from './stores/keys.ts'
import { createLedgerStore } from './stores/ledger.ts'
import { createMoneyStore } from './stores/money.ts'
import { createNodeStore } from './stores/nodes.ts'
import { createPodStore } from './stores/pods.ts'
import { createSettingStore } from './stores/settings.ts'

export type DatabaseOptions = {
  readonly connectionString: string
  /** Connections that this process may open (default 10). */
  readonly maxConnections?: number
  /** Longest time of one statement, in ms (default 15,000). */
  readonly statementTimeoutMs?: number
  /** Longest wait for a connection, in ms (default 5,000). */
  readonly connectTimeoutMs?: number
  /** How long a job's end is tried again through an outage before `finish` rejects, in ms (default 15,000). */
  readonly finishPatienceMs?: number
}

// 256 outcomes of about 4 KB are one megabyte of parameters: large enough to hide the disk sync, small enough not to delay the first of them.
const MAX_GROUP = 256
const MAX_FLIGHTS = 3
const MAX_QUEUE = 50_000

/**
 * Connects, brings the schema up to date and answers the stores.
 * @throws HeuristError DATABASE_UNAVAILABLE, DATABASE_TOO_NEW, DATABASE_CORRUPT
 * @example
 * const database = await createDatabase({ connectionString }, { logger, clock: systemClock })
 */
export async function createDatabase(
  options: DatabaseOptions,
  dependencies: { logger: Logger; clock: Clock; metrics?: Metrics },
): Promise<Database> {
  const { logger, clock } = dependencies
  const pool = createPool(
    {
      connectionString: options.connectionString,
      maxConnections: options.maxConnections ?? 10,
      statementTimeoutMs: options.statementTimeoutMs ?? 15_000,
      connectTimeoutMs: options.connectTimeoutMs ?? 5_000,
    },
    logger,
  )
  try {
    await translated(() => migrate(pool, logger))
  } catch (error) {
    await pool.end().catch(() => undefined)
    throw error
  }
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) })
  const accountIds = createAccountIds(pool)
  const observe = measure(dependencies.metrics)
  const commit: GroupCommitOptions = {
    maxGroup: MAX_GROUP,
    maxFlights: MAX_FLIGHTS,
    maxQueue: MAX_QUEUE,
    patienceMs: options.finishPatienceMs ?? 15_000,
  }
  const monotonicMs = (): number => performance.now()
  const writer = createGroupCommit<JobWrite>(commit, {
    write: items => observe(items.length, () => writeJobs(items, { pool, accountIds })),
    monotonicMs,
  })
  const journalWriter = createGroupCommit<readonly JournalPiece[]>(commit, {
    write: async items => {
      await writePieces(items.flat(), db)
      return items.map(() => null)
    },
    monotonicMs,
  })
  const starts = createDelayedStarts({ write: start => writer.add({ start, outcome: null }), clock })
  let stopped: Promise<void> | null = null
  return {
    ledger: createLedgerStore({ pool, accountIds }),
    keys: createKeyStore({ db }),
    jobs: createJobStore({ pool, writer, starts, clock }),
    batches: createBatchStore({ db }),
    pods: createPodStore({ db }),
    nodes: createNodeStore({ db }),
    events: createEventStore({ db }),
    journal: createJournalStore({ db, writer: journalWriter }),
    money: createMoneyStore({ pool }),
    settings: createSettingStore({ db }),
    ping: () => translated(async () => void (await pool.query('select 1'))),
    stop() {
      starts.flush()
      stopped ??= Promise.all([writer.idle(), journalWriter.idle()]).then(async () => {
        await db.destroy()
        // Kysely ends only a pool that it has used.
        if (!pool.ending) await pool.end()
      })
      return stopped
    },
  }
}

type Observe = <T>(size: number, work: () => Promise<T>) => Promise<T>

function measure(metrics: Metrics | undefined): Observe {
  if (!metrics) return (_size, work) => work()
  const seconds = metrics.histogram('heurist_database_commit_seconds', 'Time of one group commit of job outcomes.', {
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5],
  })
  const outcomes = metrics.counter('heurist_database_group_items_total', 'Job starts and outcomes written by group commits.')
  const failures = metrics.counter('heurist_database_group_failures_total', 'Group commits that failed and were tried again or halved.')
  return async (size, work) => {
    const startedMs = performance.now()
    try {
      const result = await work()
      outcomes.inc(size)
      return result
    } catch (error) {
      failures.inc()
      throw error
    } finally {
      seconds.observe((performance.now() - startedMs) / 1_000)
    }
  }
}
