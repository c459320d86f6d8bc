import type pg from 'pg'
import { HeuristError, type JobId } from '#protocol'
import type { DatabaseErrorCode, JobOutcome, JobStart } from '../port.ts'
import type { AccountIds } from './account-ids.ts'
import { FINISH_AGAIN_SQL, FINISH_SQL, finishParameters, START_SQL, startParameters } from './finish-sql.ts'
import { plainText } from './job-rows.ts'

/** What the group commit writes: jobs that begin and jobs that end. */
export type JobWrite = { readonly start: JobStart; readonly outcome: JobOutcome | null }

/**
 * Writes one group; the answer has one entry per item, null where it is durable.
 * A start whose end is in the same group is not written at all.
 */
export async function writeJobs(
  items: readonly JobWrite[],
  { pool, accountIds }: { pool: pg.Pool; accountIds: AccountIds },
): Promise<(Error | null)[]> {
  const outcomes = items.flatMap(item => (item.outcome ? [item.outcome] : []))
  const ended = new Set(outcomes.map(outcome => outcome.start.jobId))
  const starts = items.flatMap(item => (item.outcome || ended.has(item.start.jobId) ? [] : [item.start]))
  if (outcomes.length > 1 && ended.size < outcomes.length) throw new Error('a group may end a job only once') // Halving parts them.
  const repeated = outcomes.length > 0 ? await writeOutcomes(outcomes, pool, accountIds) : new Map<JobId, Error | null>()
  if (starts.length > 0) await pool.query({ name: 'job-start', text: START_SQL, values: startParameters(starts) })
  return items.map(item => (item.outcome && repeated.get(item.start.jobId)) ?? null)
}

async function writeOutcomes(outcomes: readonly JobOutcome[], pool: pg.Pool, accountIds: AccountIds): Promise<Map<JobId, Error | null>> {
  await accountIds.resolve(outcomes.flatMap(outcome => outcome.ledger))
  const values = finishParameters(outcomes, accountIds)
  try {
    await pool.query({ name: 'job-finish', text: FINISH_SQL, values })
    return new Map()
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
  }
  const { rows } = await pool.query<{ job_id: JobId }>({ name: 'job-finish-again', text: FINISH_AGAIN_SQL, values })
  return rows.length === 0
    ? new Map()
    : compareRepeated(
        rows.map(row => row.job_id),
        outcomes,
        pool,
      )
}

function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '23505'
}

/** A repeat of the same end is fine (the first answer was lost); another end of the same job is refused (law L2). */
async function compareRepeated(
  jobIds: readonly JobId[],
  outcomes: readonly JobOutcome[],
  pool: pg.Pool,
): Promise<Map<JobId, Error | null>> {
  const { rows } = await pool.query('select job_id, state, finished_at_ms, price, error_code from jobs where job_id = any($1)', [jobIds])
  const result = new Map<JobId, Error | null>()
  for (const row of rows) {
    const outcome = outcomes.find(candidate => candidate.start.jobId === row.job_id)
    const same =
      outcome !== undefined &&
      row.state === outcome.state &&
      row.finished_at_ms === outcome.finishedAtMs &&
      row.price === outcome.price &&
      row.error_code === plainText(outcome.errorCode)
    result.set(row.job_id, same ? null : alreadyEnded(row.job_id, row.state))
  }
  return result
}

function alreadyEnded(jobId: JobId, state: string): HeuristError<DatabaseErrorCode> {
  return new HeuristError<DatabaseErrorCode>(
    'JOB_ALREADY_ENDED',
    `Job ${jobId} had already ended as ${state}; the other end was not written and nothing was charged for it.`,
    { payload: { jobId, state } },
  )
}
