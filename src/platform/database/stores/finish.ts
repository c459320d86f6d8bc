import type pg from 'pg'
import { HeuristError, type JobId } from '#protocol'
import type { DatabaseErrorCode, JobOutcome, JobStart } from '../port.ts'
import type { AccountIds } from './account-ids.ts'
import { jobRow, plainText, receiptRow, startRow, toJson } from './job-rows.ts'
import { appendEvents, type EventRow, type PostingRow } from './ledger-rows.ts'

/** What the group commit writes: jobs that begin and jobs that end. */
export type JobWrite = { readonly start: JobStart; readonly outcome: JobOutcome | null }

const JOB_COLUMNS = `job_id, state, kind, model, pod_id, payer, frontend, key_id, node_id, attempts, asset, max_price, price, credits,
  input_units, output_units, error_code, error_message, created_at_ms, finished_at_ms, timeline, decisions, discard`

/**
 * Everything that ends a group of jobs, in one statement and so in one transaction and one round trip. Whatever hangs on a job
 * (receipt, ledger events, the key's spending) is written only where its row was new: a repeat after a lost answer changes nothing.
 * Answers the jobs that had ended before.
 */
const FINISH = `
with job_in as materialized (
  select * from json_to_recordset($1::json) as x(job_id text, state text, kind text, model text, pod_id text, payer text, frontend text,
    key_id text, node_id text, attempts integer, asset text, max_price numeric, price numeric, credits numeric, input_units bigint,
    output_units bigint, error_code text, error_message text, created_at_ms bigint, finished_at_ms bigint, timeline json, decisions json, discard json)
), fresh as (
  insert into jobs (${JOB_COLUMNS}) select ${JOB_COLUMNS} from job_in on conflict (job_id) do nothing returning job_id
), closed as (
  delete from open_jobs using job_in where open_jobs.job_id = job_in.job_id
), receipt as (
  insert into receipts (job_id, digest, signed, split)
  select r.job_id, r.digest, r.signed, r.split
  from json_to_recordset($2::json) as r(job_id text, digest text, signed json, split json) join fresh on fresh.job_id = r.job_id
), event_in as materialized (
  select e.* from json_to_recordset($3::json) as e(i integer, job_id text, business_id text, kind text, at_ms bigint, memo json)
  join fresh on fresh.job_id = e.job_id
), event as (
  insert into ledger_events (business_id, kind, at_ms, memo)
  select business_id, kind, at_ms, memo from event_in order by i
  on conflict (business_id) do nothing returning sequence, business_id
), posting as (
  insert into ledger_postings (event_sequence, account_id, amount)
  select event.sequence, p.account_id, p.amount
  from json_to_recordset($4::json) as p(i integer, account_id integer, amount numeric)
  join event_in on event_in.i = p.i join event on event.business_id = event_in.business_id
), spending as (
  update api_keys k set spent = k.spent + s.credits
  from (select key_id, sum(credits) as credits from job_in join fresh using (job_id) where credits > 0 group by key_id) s
  where k.key_id = s.key_id
)
select job_in.job_id from job_in left join fresh on fresh.job_id = job_in.job_id where fresh.job_id is null`

// A job that is known to have ended is not opened again by a start that comes late.
const START = `
insert into open_jobs (job_id, owner_epoch, payer, pod_id, created_at_ms, start)
select s.job_id, s.owner_epoch, s.payer, s.pod_id, s.created_at_ms, s.start
from json_to_recordset($1::json) as s(job_id text, owner_epoch text, payer text, pod_id text, created_at_ms bigint, start json)
where not exists (select 1 from jobs j where j.job_id = s.job_id)
on conflict (job_id) do nothing`

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
  const starts = items.flatMap(item => (item.outcome || ended.has(item.start.jobId) ? [] : [startRow(item.start)]))
  if (outcomes.length > 1 && ended.size < outcomes.length) throw new Error('a group may end a job only once') // Halving parts them.
  const repeated = outcomes.length > 0 ? await writeOutcomes(outcomes, pool, accountIds) : new Map<JobId, Error | null>()
  if (starts.length > 0) await pool.query({ name: 'job-start', text: START, values: [toJson(starts)] })
  return items.map(item => (item.outcome && repeated.get(item.start.jobId)) ?? null)
}

async function writeOutcomes(outcomes: readonly JobOutcome[], pool: pg.Pool, accountIds: AccountIds): Promise<Map<JobId, Error | null>> {
  await accountIds.resolve(outcomes.flatMap(outcome => outcome.ledger))
  const jobs: unknown[] = []
  const receipts: unknown[] = []
  const ledger: { eventRows: EventRow[]; postingRows: PostingRow[] } = { eventRows: [], postingRows: [] }
  for (const outcome of outcomes) {
    jobs.push(jobRow(outcome))
    if (outcome.receipt) receipts.push(receiptRow(outcome.start.jobId, outcome.receipt))
    appendEvents(outcome.ledger, accountIds, { ...ledger, jobId: outcome.start.jobId })
  }
  const values = [toJson(jobs), toJson(receipts), JSON.stringify(ledger.eventRows), JSON.stringify(ledger.postingRows)]
  const { rows } = await pool.query<{ job_id: JobId }>({ name: 'job-finish', text: FINISH, values })
  return rows.length === 0
    ? new Map()
    : compareRepeated(
        rows.map(row => row.job_id),
        outcomes,
        pool,
      )
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
