import { type Kysely, sql } from 'kysely'
import type { JournalPiece } from '#protocol'
import { translated } from '../errors.ts'
import type { JournalStore } from '../port.ts'
import type { Schema } from '../schema.ts'
import type { GroupCommit } from './group-commit.ts'

/** Writes pieces in one transaction; one that is there already stays as it is. */
export async function writePieces(pieces: readonly JournalPiece[], db: Kysely<Schema>): Promise<void> {
  const rows = pieces.map(({ segment, number, podId, text, head, router, routerSignature }) => ({
    segment,
    number,
    pod_id: podId,
    text,
    head,
    router,
    router_signature: routerSignature,
  }))
  // One parameter whatever the number of pieces.
  await sql`
    insert into journal_pieces select * from jsonb_populate_recordset(null::journal_pieces, ${JSON.stringify(rows)}::jsonb)
    on conflict (segment, number) do nothing`.execute(db)
}

export type JournalStoreDependencies = {
  readonly db: Kysely<Schema>
  /** Tries again through an outage: the ends of jobs wait for their decisions. */
  readonly writer: GroupCommit<readonly JournalPiece[]>
}

export function createJournalStore({ db, writer }: JournalStoreDependencies): JournalStore {
  return {
    append: async pieces => {
      if (pieces.length > 0) await writer.add(pieces)
    },
    segments: segments =>
      translated(async () => {
        if (segments.length === 0) return []
        const rows = await db
          .selectFrom('journal_pieces')
          .selectAll()
          .where('segment', 'in', [...segments])
          .orderBy('segment')
          .orderBy('number')
          .execute()
        return rows.map(({ pod_id, router_signature, ...row }) => {
          return { ...row, podId: pod_id, routerSignature: router_signature } as JournalPiece // cast: written from a JournalPiece
        })
      }),
  }
}
