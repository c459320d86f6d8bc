import type pg from 'pg'
import type { JobId, JobView, SignedDecision, SignedDiscardReceipt } from '#protocol'
import type { Clock } from '../../clock.ts'
import { translated } from '../errors.ts'
import type { DecidedJob, HeldKey, JobStore } from '../port.ts'
import type { DelayedStarts } from './delayed-starts.ts'
import type { JobWrite } from './finish.ts'
import type { GroupCommit } from './group-commit.ts'
import { type JobTableRow, openJobView, plainText, type ReceiptTableRow, toJobView, toStoredReceipt } from './job-rows.ts'

const SELECT_JOB = `
select j.job_id, j.state, j.kind, j.model, j.pod_id, j.payer, j.frontend, j.key_id, j.node_id, j.attempts, j.asset, j.max_price, j.price,
  j.input_units, j.output_units, j.error_code, j.error_message, j.created_at_ms, j.finished_at_ms, j.timeline,
  r.batch_number, b.state as batch_state, b.formed_at_ms, b.confirmed_at_ms, b.transaction_hash, b.block_number, b.gas_used, b.job_count
from jobs j left join receipts r on r.job_id = j.job_id left join batches b on b.number = r.batch_number`

const NOT_ENDED = 'not exists (select 1 from jobs j where j.job_id = o.job_id)'
const ANSWER_KEPT_MS = 24 * 3_600_000
const PRUNE_EVERY_MS = 600_000

export type JobStoreDependencies = {
  readonly pool: pg.Pool
  readonly writer: GroupCommit<JobWrite>
  readonly starts: DelayedStarts
  readonly clock: Clock
}

export function createJobStore({ pool, writer, starts, clock }: JobStoreDependencies): JobStore {
  return {
    start: starts.add,
    startNow: starts.hasten,
    finish(outcome) {
      starts.drop(outcome.start.jobId)
      return writer.add({ start: outcome.start, outcome })
    },
    get: jobId =>
      translated(async () => {
        const ended = await pool.query<JobTableRow>(`${SELECT_JOB} where j.job_id = $1`, [jobId])
        if (ended.rows[0]) return toJobView(ended.rows[0])
        const open = await pool.query('select start from open_jobs where job_id = $1', [jobId])
        return open.rows[0] ? openJobView(open.rows[0].start) : null
      }),
    list: options => translated(() => list(pool, options)),
    decisions: jobId =>
      translated(async () => {
        const { rows } = await pool.query<{ decisions: string }>('select decisions from jobs where job_id = $1', [jobId])
        return rows[0] ? (JSON.parse(rows[0].decisions) as SignedDecision[]) : [] // cast: written from SignedDecision[]
      }),
    decisionsSince: options => translated(() => decisionsSince(pool, options)),
    receipt: jobId =>
      translated(async () => {
        const { rows } = await pool.query<ReceiptTableRow>('select * from receipts where job_id = $1', [jobId])
        return rows[0] ? toStoredReceipt(rows[0]) : null
      }),
    discard: jobId =>
      translated(async () => {
        const { rows } = await pool.query<{ discard: string | null }>('select discard from jobs where job_id = $1', [jobId])
        return rows[0]?.discard ? (JSON.parse(rows[0].discard) as SignedDiscardReceipt) : null // cast: written from a SignedDiscardReceipt
      }),
    orphaned: ownerEpoch =>
      translated(async () => {
        // A start that was committed after its own end (both were under way at once) is no orphan.
        await pool.query('delete from open_jobs o using jobs j where j.job_id = o.job_id')
        const { rows } = await pool.query(
          `select start from open_jobs where owner_epoch <> $1 and split_part(owner_epoch, ':', 1) = split_part($1, ':', 1)
           order by created_at_ms`,
          [ownerEpoch],
        )
        return rows.map(row => openJobView(row.start))
      }),
    ...idempotencyKeys(pool, clock),
  }
}

type KeyStore = Pick<JobStore, 'takeKey' | 'rememberAnswer' | 'releaseKey'>

const HELD_KEY = 'request_hash as "requestHash", status, body, job_id as "jobId", created_at_ms as "createdAtMs"'

function idempotencyKeys(pool: pg.Pool, clock: Clock): KeyStore {
  let prunedAtMs = 0
  async function prune(nowMs: number): Promise<void> {
    if (nowMs - prunedAtMs < PRUNE_EVERY_MS) return
    prunedAtMs = nowMs
    await pool.query('delete from idempotency where created_at_ms <= $1', [nowMs - ANSWER_KEPT_MS])
  }
  return {
    takeKey: (account, idempotencyKey, { requestHash, jobId, instead }) =>
      translated(async () => {
        const nowMs = clock.now()
        await prune(nowMs)
        const place = [account, plainText(idempotencyKey)]
        for (;;) {
          const taken = await pool.query<HeldKey>(
            `insert into idempotency (account, idempotency_key, request_hash, status, body, job_id, created_at_ms) values ($1, $2, $3, 0, '', $4, $5)
             on conflict (account, idempotency_key) do update set request_hash = excluded.request_hash, status = 0, body = '',
               job_id = excluded.job_id, created_at_ms = excluded.created_at_ms
               where idempotency.created_at_ms <= $6 or (idempotency.job_id = $7 and idempotency.status = 0)
             returning ${HELD_KEY}`,
            [...place, requestHash, jobId, nowMs, nowMs - ANSWER_KEPT_MS, instead ?? null],
          )
          const held =
            taken.rows[0] ??
            (await pool.query<HeldKey>(`select ${HELD_KEY} from idempotency where account = $1 and idempotency_key = $2`, place)).rows[0]
          // Else it was released between the two.
          if (held) return held
        }
      }),
    rememberAnswer: (account, idempotencyKey, { status, body, jobId }) =>
      translated(async () => {
        const values = [account, plainText(idempotencyKey), jobId, status, plainText(body)]
        await pool.query(
          'update idempotency set status = $4, body = $5 where account = $1 and idempotency_key = $2 and job_id = $3',
          values,
        )
      }),
    releaseKey: (account, idempotencyKey, jobId) =>
      translated(async () => {
        const values = [account, plainText(idempotencyKey), jobId]
        await pool.query('delete from idempotency where account = $1 and idempotency_key = $2 and job_id = $3 and status = 0', values)
      }),
  }
}

async function decisionsSince(pool: pg.Pool, { sinceMs, after, limit }: Parameters<JobStore['decisionsSince']>[0]): Promise<DecidedJob[]> {
  const { rows } = await pool.query<{ job_id: JobId; created_at_ms: number; decisions: string }>(
    `select job_id, created_at_ms, decisions from jobs where created_at_ms >= $1 and (created_at_ms, job_id) > ($2, $3)
     order by created_at_ms, job_id limit $4`,
    [sinceMs, after?.createdAtMs ?? -1, after?.jobId ?? '', limit],
  )
  return rows.map(row => ({
    jobId: row.job_id,
    createdAtMs: row.created_at_ms,
    decisions: JSON.parse(row.decisions) as SignedDecision[], // cast: written from SignedDecision[]
  }))
}

async function list(pool: pg.Pool, options: Parameters<JobStore['list']>[0]): Promise<JobView[]> {
  const beforeMs = options.beforeMs ?? Number.MAX_SAFE_INTEGER
  const filter = [beforeMs, options.limit, options.account ?? null, options.podId ?? null]
  const wantsEnded = options.state === undefined || ['succeeded', 'failed', 'cancelled'].includes(options.state)
  const wantsOpen = options.state === undefined || !wantsEnded
  const [ended, open] = await Promise.all([
    wantsEnded
      ? pool.query<JobTableRow>(
          `${SELECT_JOB} where j.created_at_ms < $1 and ($3::text is null or j.payer = $3) and ($4::text is null or j.pod_id = $4)
             and ($5::text is null or j.state = $5) order by j.created_at_ms desc, j.job_id desc limit $2`,
          [...filter, options.state ?? null],
        )
      : null,
    wantsOpen
      ? pool.query(
          `select o.start from open_jobs o where o.created_at_ms < $1 and ($3::text is null or o.payer = $3) and ($4::text is null or o.pod_id = $4)
             and ${NOT_ENDED} order by o.created_at_ms desc limit $2`,
          filter,
        )
      : null,
  ])
  const views = [...(ended?.rows ?? []).map(toJobView), ...(open?.rows ?? []).map(row => openJobView(row.start))]
  return views.sort((a, b) => b.createdAtMs - a.createdAtMs).slice(0, options.limit)
}
