import { type Kysely, type Selectable, sql } from 'kysely'
import { type Bytes32, HeuristError, type Hex, type NodeId } from '#protocol'
import { translated } from '../errors.ts'
import type { BatchRow, BatchState, BatchStore, DatabaseErrorCode, NodeWork } from '../port.ts'
import type { Schema } from '../schema.ts'
import { toStoredReceipt } from './job-rows.ts'

export function createBatchStore({ db }: { db: Kysely<Schema> }): BatchStore {
  const batches = () => db.selectFrom('batches').selectAll()
  return {
    unsettled: limit =>
      translated(async () => {
        const rows = await db
          .selectFrom('receipts')
          .selectAll()
          .where('batch_number', 'is', null)
          .orderBy('sequence')
          .limit(limit)
          .execute()
        return rows.map(toStoredReceipt)
      }),
    form: (batch, receiptSequences, work = []) => translated(() => form(db, batch, receiptSequences, work)),
    workOf: batchNumbers =>
      translated(async () => {
        const rows = await db
          .selectFrom('batch_work')
          .select(({ fn }) => ['node_id', fn.sum<bigint>('organic_units').as('organic_units')])
          .where(sql<boolean>`batch_number = any(${[...batchNumbers]}::bigint[])`)
          .groupBy('node_id')
          .orderBy('node_id')
          .execute()
        return rows.map(row => ({ nodeId: row.node_id as NodeId, organicUnits: BigInt(row.organic_units) })) // cast: written from a NodeId
      }),
    markPosted: (number, transactionHash) =>
      translated(async () => {
        await db
          .updateTable('batches')
          .set({ state: 'posted', transaction_hash: transactionHash })
          .where('number', '=', number)
          .where('state', '<>', 'confirmed')
          .execute()
      }),
    markConfirmed: (number, facts) =>
      translated(async () => {
        await db
          .updateTable('batches')
          .set({
            state: 'confirmed',
            transaction_hash: facts.transactionHash,
            block_number: facts.blockNumber,
            gas_used: facts.gasUsed,
            confirmed_at_ms: facts.confirmedAtMs,
          })
          .where('number', '=', number)
          .execute()
      }),
    reopenAfter: number =>
      translated(async () => {
        const result = await db
          .updateTable('batches')
          .set({ state: 'formed', transaction_hash: null, block_number: null, gas_used: null, confirmed_at_ms: null })
          .where('number', '>', number)
          .where('state', '<>', 'formed')
          .executeTakeFirst()
        return Number(result.numUpdatedRows)
      }),
    dissolveFrom: number => translated(() => dissolveFrom(db, number)),
    get: number =>
      translated(async () => {
        const row = await batches().where('number', '=', number).executeTakeFirst()
        return row ? toBatch(row) : null
      }),
    last: () =>
      translated(async () => {
        const row = await batches().orderBy('number', 'desc').limit(1).executeTakeFirst()
        return row ? toBatch(row) : null
      }),
    unconfirmed: () => translated(async () => (await batches().where('state', '<>', 'confirmed').orderBy('number').execute()).map(toBatch)),
    list: ({ beforeNumber, limit }) =>
      translated(async () => {
        const page = batches().orderBy('number', 'desc').limit(limit)
        const rows = await (beforeNumber === undefined ? page : page.where('number', '<', beforeNumber)).execute()
        return rows.map(toBatch)
      }),
    leaves: number =>
      translated(async () => {
        const rows = await db.selectFrom('receipts').select('digest').where('batch_number', '=', number).orderBy('sequence').execute()
        return rows.map(row => row.digest as Bytes32) // cast: written from a Bytes32
      }),
  }
}

async function form(db: Kysely<Schema>, batch: BatchRow, receiptSequences: readonly number[], work: readonly NodeWork[]): Promise<void> {
  await db.transaction().execute(async transaction => {
    const made = await transaction
      .insertInto('batches')
      .values(fromBatch(batch))
      .onConflict(conflict => conflict.column('number').doNothing())
      .executeTakeFirst()
    if (made.numInsertedOrUpdatedRows !== 1n) throw conflictOf(batch.number, `batch ${batch.number} exists already`)
    if (work.length > 0) {
      await sql`
        insert into batch_work (batch_number, node_id, organic_units)
        select ${batch.number}, * from unnest(${work.map(({ nodeId }) => nodeId)}::text[], ${work.map(entry => String(entry.organicUnits))}::numeric[])
      `.execute(transaction)
    }
    if (receiptSequences.length === 0) return
    const tied = await transaction
      .updateTable('receipts')
      .set({ batch_number: batch.number })
      // One array and not a list: a statement takes at most 65,535 parameters.
      .where(sql<boolean>`sequence = any(${[...receiptSequences]}::bigint[])`)
      .where('batch_number', 'is', null)
      .executeTakeFirst()
    if (tied.numUpdatedRows !== BigInt(receiptSequences.length)) {
      throw conflictOf(
        batch.number,
        `${receiptSequences.length - Number(tied.numUpdatedRows)} of its receipts are unknown or in another batch`,
      )
    }
  })
}

async function dissolveFrom(db: Kysely<Schema>, number: number): Promise<number> {
  return db.transaction().execute(async transaction => {
    const rows = await transaction.selectFrom('batches').select(['number', 'state']).where('number', '>=', number).forUpdate().execute()
    const confirmed = rows.find(row => row.state === 'confirmed')
    if (confirmed) throw conflictOf(number, `batch ${confirmed.number} is confirmed on the chain`, 'dissolved')
    const freed = await transaction
      .updateTable('receipts')
      .set({ batch_number: null })
      .where('batch_number', '>=', number)
      .executeTakeFirst()
    await transaction.deleteFrom('batch_work').where('batch_number', '>=', number).execute()
    await transaction.deleteFrom('batches').where('number', '>=', number).execute()
    return Number(freed.numUpdatedRows)
  })
}

function conflictOf(number: number, why: string, what = 'formed'): HeuristError<DatabaseErrorCode> {
  return new HeuristError<DatabaseErrorCode>(
    'BATCH_CONFLICT',
    `Batch ${number} was not ${what}: ${why}. Read the last batch and the unsettled receipts again; only one sequencer may run.`,
    { payload: { number } },
  )
}

function fromBatch(batch: BatchRow): Selectable<Schema['batches']> {
  return {
    number: batch.number,
    state: batch.state,
    previous_hash: batch.previousHash,
    batch_hash: batch.batchHash,
    receipts_root: batch.receiptsRoot,
    job_count: batch.jobCount,
    calldata: batch.calldata,
    transaction_hash: batch.transactionHash,
    block_number: batch.blockNumber,
    gas_used: batch.gasUsed,
    formed_at_ms: batch.formedAtMs,
    confirmed_at_ms: batch.confirmedAtMs,
  }
}

// casts: every text was written from the same type by fromBatch
function toBatch(row: Selectable<Schema['batches']>): BatchRow {
  return {
    number: row.number,
    state: row.state as BatchState, // cast: as above
    previousHash: row.previous_hash as Bytes32, // cast: as above
    batchHash: row.batch_hash as Bytes32, // cast: as above
    receiptsRoot: row.receipts_root as Bytes32, // cast: as above
    jobCount: row.job_count,
    calldata: row.calldata as Hex, // cast: as above
    transactionHash: row.transaction_hash as Hex | null, // cast: as above
    blockNumber: row.block_number,
    gasUsed: row.gas_used,
    formedAtMs: row.formed_at_ms,
    confirmedAtMs: row.confirmed_at_ms,
  }
}
