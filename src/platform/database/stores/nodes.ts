import { type Kysely, sql } from 'kysely'
import type { NodeId } from '#protocol'
import { translated } from '../errors.ts'
import type { NodeStore } from '../port.ts'
import type { Schema } from '../schema.ts'

/** Stands for the router itself among the rows of an epoch. */
const THE_ROUTER = ''

export function createNodeStore({ db }: { db: Kysely<Schema> }): NodeStore {
  return {
    addPresence: (nodeId, { atMs, onlineMs }) =>
      translated(async () => {
        await db
          .insertInto('nodes')
          .values({ node_id: nodeId, first_seen_at_ms: atMs, last_seen_at_ms: atMs, online_ms: onlineMs })
          .onConflict(conflict =>
            conflict.column('node_id').doUpdateSet({
              last_seen_at_ms: sql`greatest(nodes.last_seen_at_ms, excluded.last_seen_at_ms)`,
              online_ms: sql`nodes.online_ms + excluded.online_ms`,
            }),
          )
          .execute()
      }),
    addEpochPresence: (epoch, { watchedMs, nodes }) =>
      translated(async () => {
        const rows = [{ nodeId: THE_ROUTER, onlineMs: watchedMs, capacity: 0 }, ...nodes]
        await db
          .insertInto('node_epochs')
          .values(rows.map(({ nodeId, onlineMs, capacity }) => ({ epoch, node_id: nodeId, online_ms: onlineMs, capacity })))
          .onConflict(conflict =>
            conflict.columns(['epoch', 'node_id']).doUpdateSet({
              online_ms: sql`node_epochs.online_ms + excluded.online_ms`,
              capacity: sql`excluded.capacity`,
            }),
          )
          .execute()
      }),
    epochPresence: epoch =>
      translated(async () => {
        const rows = await db.selectFrom('node_epochs').selectAll().where('epoch', '=', epoch).orderBy('node_id').execute()
        const nodes = rows.filter(row => row.node_id !== THE_ROUTER)
        return {
          watchedMs: rows.find(row => row.node_id === THE_ROUTER)?.online_ms ?? 0,
          nodes: nodes.map(row => ({ nodeId: row.node_id as NodeId, onlineMs: row.online_ms, capacity: row.capacity })), // cast: written from a NodeId
        }
      }),
    list: () =>
      translated(async () => {
        const rows = await db.selectFrom('nodes').selectAll().orderBy('node_id').execute()
        return rows.map(row => ({
          nodeId: row.node_id as NodeId, // cast: written from a NodeId
          firstSeenAtMs: row.first_seen_at_ms,
          lastSeenAtMs: row.last_seen_at_ms,
          onlineMs: row.online_ms,
        }))
      }),
  }
}
