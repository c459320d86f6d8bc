import { type Kysely, sql } from 'kysely'
import type { NodeId } from '#protocol'
import { translated } from '../errors.ts'
import type { NodeStore } from '../port.ts'
import type { Schema } from '../schema.ts'

/** A router's own watch stands among the rows of an epoch under this and its name; no node id begins so. */
const ROUTER = 'router:'

const isRouter = ({ node_id }: { readonly node_id: string }): boolean => node_id.startsWith(ROUTER)

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
    addEpochPresence: (epoch, { router, watchedMs, nodes }) =>
      translated(async () => {
        const rows = [{ nodeId: `${ROUTER}${router}`, onlineMs: watchedMs, capacity: 0 }, ...nodes]
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
        const [routers, nodes] = [rows.filter(isRouter), rows.filter(row => !isRouter(row))]
        return {
          watchedMs: Math.max(0, ...routers.map(row => row.online_ms)),
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
