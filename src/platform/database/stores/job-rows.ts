import {
  type Address,
  type Bytes32,
  type JobId,
  type JobView,
  jsonText,
  receiptToJson,
  type SignedReceipt,
  type TimelineEvent,
} from '#protocol'
import type { JobOutcome, JobSplit, JobStart, StoredReceipt } from '../port.ts'

/** JSON with bigints as decimal strings. Tried without looking for them first: a replacer makes it four times slower. */
export function toJson(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch {
    return jsonText(value)
  }
}

export function signedReceiptJson(signed: SignedReceipt): string {
  return JSON.stringify({ ...signed, receipt: receiptToJson(signed.receipt) })
}

export function splitJson(split: JobSplit): string {
  return JSON.stringify(split.map(({ role, account, amount }) => ({ role, account, amount: amount.toString() })))
}

/** PostgreSQL's text takes neither NUL nor half a surrogate pair; both can stand in what clients and nodes send. */
export function plainText(text: string | null): string | null {
  return text === null ? null : text.replaceAll('\0', '\uFFFD').toWellFormed()
}

export type JobRow = ReturnType<typeof jobRow>

/** The outcome as one row of `jobs`: amounts as decimal text, documents as JSON text. */
export function jobRow(outcome: JobOutcome) {
  const { start } = outcome
  return {
    job_id: start.jobId,
    state: outcome.state,
    kind: start.kind,
    model: plainText(start.model),
    pod_id: start.podId,
    payer: start.payer,
    frontend: start.frontend,
    key_id: plainText(start.keyId),
    node_id: outcome.nodeId,
    attempts: outcome.attempts,
    asset: start.asset,
    max_price: start.maxPrice.toString(),
    price: outcome.price.toString(),
    credits: outcome.credits.toString(),
    input_units: outcome.inputUnits,
    output_units: outcome.outputUnits,
    error_code: plainText(outcome.errorCode),
    error_message: plainText(outcome.errorMessage),
    created_at_ms: start.createdAtMs,
    finished_at_ms: outcome.finishedAtMs,
    timeline: toJson(outcome.timeline),
    decisions: toJson(outcome.decisions),
    discard: outcome.discard && toJson(outcome.discard),
  }
}

export type JobTableRow = {
  job_id: JobId
  state: JobView['state']
  kind: JobView['kind']
  model: string
  pod_id: Bytes32
  payer: Address
  frontend: Address
  key_id: string
  node_id: Address | null
  attempts: number
  asset: Address
  max_price: bigint
  price: bigint
  input_units: number
  output_units: number
  error_code: string | null
  error_message: string | null
  created_at_ms: number
  finished_at_ms: number
  timeline: string
  batch_number: number | null
  batch_state: string | null
  formed_at_ms: number | null
  confirmed_at_ms: number | null
  transaction_hash: string | null
  block_number: number | null
  gas_used: number | null
  job_count: number | null
}

export function toJobView(row: JobTableRow): JobView {
  return {
    jobId: row.job_id,
    kind: row.kind,
    state: row.state,
    model: row.model,
    podId: row.pod_id,
    payer: row.payer,
    frontend: row.frontend,
    keyId: row.key_id,
    nodeId: row.node_id,
    attempts: row.attempts,
    asset: row.asset,
    maxPrice: row.max_price,
    price: row.price,
    units: { inputUnits: row.input_units, outputUnits: row.output_units },
    errorCode: row.error_code,
    errorMessage: row.error_message,
    createdAtMs: row.created_at_ms,
    finishedAtMs: row.finished_at_ms,
    timeline: [...parseTimeline(row.timeline), ...settlementSteps(row)],
  }
}

function parseTimeline(text: string): TimelineEvent[] {
  return JSON.parse(text) as TimelineEvent[] // cast: written by jobRow
}

/** Batching and settlement are read from the batch, so that confirming one writes one row and not a thousand. */
function settlementSteps(row: JobTableRow): TimelineEvent[] {
  if (row.batch_number === null || row.formed_at_ms === null) return []
  const steps: TimelineEvent[] = [{ step: 'batched', atMs: row.formed_at_ms, detail: { batch: row.batch_number, jobs: row.job_count } }]
  if (row.batch_state === 'confirmed' && row.confirmed_at_ms !== null) {
    const detail = { batch: row.batch_number, transactionHash: row.transaction_hash, blockNumber: row.block_number, gasUsed: row.gas_used }
    steps.push({ step: 'settled', atMs: row.confirmed_at_ms, detail })
  }
  return steps
}

/** A job that has not ended, as far as the database knows. */
export function openJobView(start: string): JobView {
  const { ownerEpoch: _, ...known } = JSON.parse(start) as Omit<JobStart, 'maxPrice'> & { maxPrice: string } // cast: written from a JobStart
  return {
    ...known,
    maxPrice: BigInt(known.maxPrice),
    state: 'held',
    nodeId: null,
    attempts: 0,
    price: null,
    units: null,
    errorCode: null,
    errorMessage: null,
    finishedAtMs: null,
    timeline: [],
  }
}

type WireReceipt = Omit<SignedReceipt, 'receipt'> & { receipt: Omit<SignedReceipt['receipt'], 'price'> & { price: string } }
type WireShare = Omit<JobSplit[number], 'amount'> & { amount: string }

export type ReceiptTableRow = {
  sequence: number
  job_id: string
  digest: string
  signed: string
  split: string
  batch_number: number | null
}

export function toStoredReceipt(row: ReceiptTableRow): StoredReceipt {
  const signed = JSON.parse(row.signed) as WireReceipt // cast: written from a SignedReceipt
  const split = JSON.parse(row.split) as WireShare[] // cast: written from a JobSplit
  return {
    sequence: row.sequence,
    jobId: row.job_id,
    signed: { ...signed, receipt: { ...signed.receipt, price: BigInt(signed.receipt.price) } },
    digest: row.digest as Bytes32, // cast: written from a Bytes32
    split: split.map(share => ({ ...share, amount: BigInt(share.amount) })),
    batchNumber: row.batch_number,
  }
}
