import { type Kysely, sql } from 'kysely'
import type { Bytes32 } from '#protocol'
import type { ChainCursor, IndexedEvent } from '../../chain/port.ts'
import { translated } from '../errors.ts'
import type { EventFilter, EventStore } from '../port.ts'
import type { Schema } from '../schema.ts'

const CURSOR = 'chain-events-cursor'

export function createEventStore({ db }: { db: Kysely<Schema> }): EventStore {
  return {
    cursor: () =>
      translated(async () => {
        const row = await db.selectFrom('settings').select('value').where('name', '=', CURSOR).executeTakeFirst()
        return (row?.value ?? null) as ChainCursor | null // cast: written below
      }),
    apply: ({ events, cursor, rewoundTo }) =>
      translated(() =>
        db.transaction().execute(async transaction => {
          if (rewoundTo !== null) await transaction.deleteFrom('chain_events').where('block_number', '>', rewoundTo).execute()
          await insert(transaction, events)
          const value = JSON.stringify(cursor)
          await transaction
            .insertInto('settings')
            .values({ name: CURSOR, value })
            .onConflict(conflict => conflict.column('name').doUpdateSet({ value }))
            .execute()
        }),
      ),
    list: filter => translated(() => list(db, filter)),
  }
}

/** One parameter whatever the number of events. */
async function insert(db: Kysely<Schema>, events: readonly IndexedEvent[]): Promise<void> {
  if (events.length === 0) return
  const rows = events.map(event => ({
    block_number: event.blockNumber,
    log_index: event.logIndex,
    block_hash: event.blockHash,
    transaction_hash: event.transactionHash,
    timestamp_seconds: event.timestampSeconds,
    contract: event.contract,
    name: event.name,
    args: event.args,
  }))
  await sql`
    insert into chain_events select * from jsonb_populate_recordset(null::chain_events, ${JSON.stringify(rows)}::jsonb)
    on conflict (block_number, log_index) do nothing`.execute(db)
}

async function list(db: Kysely<Schema>, filter: EventFilter): Promise<IndexedEvent[]> {
  const { contract, names, args, fromBlock, betweenSeconds, limit } = filter
  const order = filter.newestFirst ? 'desc' : 'asc'
  let query = db.selectFrom('chain_events').selectAll().orderBy('block_number', order).orderBy('log_index', order)
  if (contract) query = query.where('contract', '=', contract)
  if (names) query = query.where('name', 'in', [...names])
  if (args) query = query.where(sql<boolean>`args @> ${JSON.stringify(args)}::jsonb`)
  if (fromBlock !== undefined) query = query.where('block_number', '>=', fromBlock)
  if (betweenSeconds) {
    const [from, before] = betweenSeconds
    query = query.where('timestamp_seconds', '>=', from).where('timestamp_seconds', '<', before)
  }
  if (limit !== undefined) query = query.limit(limit)
  const rows = await query.execute()
  return rows.map(row => ({
    blockNumber: row.block_number,
    logIndex: row.log_index,
    blockHash: row.block_hash as Bytes32, // cast: written from an IndexedEvent, like the rest
    transactionHash: row.transaction_hash as Bytes32, // cast: likewise
    timestampSeconds: row.timestamp_seconds,
    contract: row.contract as IndexedEvent['contract'], // cast: likewise
    name: row.name,
    args: row.args as IndexedEvent['args'], // cast: likewise
  }))
}
