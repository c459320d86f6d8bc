import type { JobOutcome, JobStart } from '../port.ts'
import type { AccountIds } from './account-ids.ts'
import { int4Array, int8Array, textArray } from './binary-arrays.ts'
import { type JobRow, jobRow, plainText, signedReceiptJson, splitJson, toJson } from './job-rows.ts'
import { addEvents, insertLedgerSql, insertNewLedgerSql, ledgerColumns, ledgerParameters } from './ledger-rows.ts'

/** Columns of `jobs` in the order of their parameters, with the type in which each is sent. */
const JOB_COLUMNS = {
  job_id: 'text',
  state: 'text',
  kind: 'text',
  model: 'text',
  pod_id: 'text',
  payer: 'text',
  frontend: 'text',
  key_id: 'text',
  node_id: 'text',
  attempts: 'int4',
  asset: 'text',
  max_price: 'numeric',
  price: 'numeric',
  credits: 'numeric',
  input_units: 'int8',
  output_units: 'int8',
  error_code: 'text',
  error_message: 'text',
  created_at_ms: 'int8',
  finished_at_ms: 'int8',
  timeline: 'text',
  decisions: 'text',
  discard: 'text',
} as const satisfies Record<keyof JobRow, 'text' | 'numeric' | 'int4' | 'int8'>

const COLUMNS = Object.entries(JOB_COLUMNS)
const NAMES = COLUMNS.map(([name]) => name).join(', ')
const ARRAYS = COLUMNS.map(([, type], i) => `$${i + 1}::${type === 'numeric' ? 'text' : type}[]`).join(', ')
const VALUES = COLUMNS.map(([name, type]) => (type === 'numeric' ? `${name}::numeric` : name)).join(', ')
const RECEIPT = COLUMNS.length + 1
const LEDGER = RECEIPT + 4

// The rows are locked in the order of their names: two transactions that touch the same keys never wait for each other.
const SPENDING = (source: string): string => `spending as (
  update api_keys k set spent = k.spent + s.credits
  from (select key_id, sum(credits::numeric) as credits from ${source} where credits::numeric > 0 group by key_id) s
  join (select key_id from api_keys where key_id = any ($${column('key_id')}::text[]) order by key_id for no key update) locked on locked.key_id = s.key_id
  where k.key_id = s.key_id
)`
const RECEIPTS = `unnest($${RECEIPT}::text[], $${RECEIPT + 1}::text[], $${RECEIPT + 2}::text[], $${RECEIPT + 3}::text[]) as r(job_id, digest, signed, split)`

/**
 * Everything that ends a group of jobs, in one statement and so in one transaction and one round trip. A job or business id that
 * is there already fails it (23505) and nothing is written; then {@link FINISH_AGAIN_SQL} finds out which.
 */
export const FINISH_SQL = `
with job as (
  insert into jobs (${NAMES}) select ${VALUES} from unnest(${ARRAYS}) as x(${NAMES})
), closed as (
  delete from open_jobs where job_id = any ($1::text[])
), receipt as (
  insert into receipts (job_id, digest, signed, split) select r.* from ${RECEIPTS}
), ${insertNewLedgerSql(LEDGER)}, ${SPENDING(`unnest($${column('key_id')}::text[], $${column('credits')}::text[]) as x(key_id, credits)`)}
select 1`

/**
 * The same for a group of which a part may be there already: whatever hangs on a job (receipt, ledger events, the key's spending)
 * is written only where its row was new, so a repeat after a lost answer changes nothing. Answers the jobs that had ended before.
 */
export const FINISH_AGAIN_SQL = `
with job_in as materialized (
  select * from unnest(${ARRAYS}) as x(${NAMES})
), fresh as (
  insert into jobs (${NAMES}) select ${VALUES} from job_in on conflict (job_id) do nothing returning job_id, key_id, credits
), closed as (
  delete from open_jobs where job_id = any ($1::text[])
), receipt as (
  insert into receipts (job_id, digest, signed, split)
  select r.* from ${RECEIPTS} join fresh on fresh.job_id = r.job_id
), ${insertLedgerSql(LEDGER, 'select event_all.* from event_all join fresh on fresh.job_id = event_all.job_id')}, ${SPENDING('fresh')}
select job_in.job_id from job_in left join fresh on fresh.job_id = job_in.job_id where fresh.job_id is null`

function column(name: keyof JobRow): number {
  return COLUMNS.findIndex(([candidate]) => candidate === name) + 1
}

/** Parameters of both. @throws HeuristError LEDGER_UNBALANCED */
export function finishParameters(outcomes: readonly JobOutcome[], accountIds: AccountIds): Buffer[] {
  const rows = outcomes.map(jobRow)
  const receipts = outcomes.flatMap(({ start, receipt }) => (receipt ? [{ jobId: start.jobId, ...receipt }] : []))
  const ledger = ledgerColumns()
  for (const outcome of outcomes) addEvents(ledger, outcome.ledger, accountIds, outcome.start.jobId)
  return [
    ...COLUMNS.map(([name, type]) => jobColumn(rows, name as keyof JobRow, type)), // cast: keys of JOB_COLUMNS
    textArray(receipts.map(receipt => receipt.jobId)),
    textArray(receipts.map(receipt => receipt.digest)),
    textArray(receipts.map(receipt => signedReceiptJson(receipt.signed))),
    textArray(receipts.map(receipt => splitJson(receipt.split))),
    ...ledgerParameters(ledger),
  ]
}

function jobColumn(rows: readonly JobRow[], name: keyof JobRow, type: string): Buffer {
  const column = rows.map(row => row[name])
  if (type === 'int4') return int4Array(column as number[]) // cast: the type of these columns in JobRow
  if (type === 'int8') return int8Array(column as number[]) // cast: as above
  return textArray(column as (string | null)[]) // cast: as above
}

/** A job that is known to have ended is not opened again by a start that comes late. */
export const START_SQL = `
insert into open_jobs (job_id, owner_epoch, payer, pod_id, created_at_ms, start)
select s.* from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int8[], $6::text[]) as s(job_id, owner_epoch, payer, pod_id, created_at_ms, start)
where not exists (select 1 from jobs j where j.job_id = s.job_id)
on conflict (job_id) do nothing`

/** Parameters of {@link START_SQL}. */
export function startParameters(starts: readonly JobStart[]): Buffer[] {
  return [
    textArray(starts.map(start => start.jobId)),
    textArray(starts.map(start => plainText(start.ownerEpoch))),
    textArray(starts.map(start => start.payer)),
    textArray(starts.map(start => start.podId)),
    int8Array(starts.map(start => start.createdAtMs)),
    textArray(starts.map(start => toJson({ ...start, maxPrice: start.maxPrice.toString() }))),
  ]
}
