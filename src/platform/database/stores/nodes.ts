import { type Kysely, sql } from 'kysely'
import type { NodeId } from '#protocol'
import { translated } from '../errors.ts'
import type { NodeStore } from '../port.ts'
import type { Schema } from '../schema.ts'

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
