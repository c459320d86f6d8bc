import { type Kysely, type Selectable, sql } from 'kysely'
import { type Address, type Bytes32, type PodRecord, podManifestSchema } from '#protocol'
import { translated } from '../errors.ts'
import type { PodStore } from '../port.ts'
import type { Schema } from '../schema.ts'
import { toJson } from './job-rows.ts'

export function createPodStore({ db }: { db: Kysely<Schema> }): PodStore {
  const newest = () => db.selectFrom('pods').selectAll().distinctOn('pod_id').orderBy('pod_id').orderBy('version', 'desc')
  return {
    put: pod => translated(() => put(db, pod)),
    list: () => translated(async () => (await newest().execute()).map(toPod)),
    versions: podId =>
      translated(async () => {
        const rows = await db.selectFrom('pods').selectAll().where('pod_id', '=', podId).orderBy('version', 'desc').execute()
        return rows.map(toPod)
      }),
  }
}

async function put(db: Kysely<Schema>, pod: PodRecord): Promise<void> {
  await db.transaction().execute(async transaction => {
    // Two deployments of one pod must not read the same newest version.
    await sql`select pg_advisory_xact_lock(hashtextextended(${pod.podId}, 0))`.execute(transaction)
    const current = await transaction
      .selectFrom('pods')
      .select(['version', 'manifest_hash'])
      .where('pod_id', '=', pod.podId)
      .orderBy('version', 'desc')
      .limit(1)
      .executeTakeFirst()
    if (current?.manifest_hash === pod.manifestHash) return
    await transaction
      .insertInto('pods')
      .values({
        pod_id: pod.podId,
        version: Math.max(pod.version, (current?.version ?? 0) + 1),
        name: pod.name,
        deployer: pod.deployer,
        manifest: toJson(pod.manifest),
        manifest_hash: pod.manifestHash,
        created_at_ms: pod.createdAtMs,
      })
      .execute()
  })
}

function toPod(row: Selectable<Schema['pods']>): PodRecord {
  return {
    podId: row.pod_id as Bytes32, // cast: written from a Bytes32
    name: row.name,
    deployer: row.deployer as Address, // cast: written from an Address
    manifest: podManifestSchema.parse(row.manifest),
    manifestHash: row.manifest_hash as Bytes32, // cast: written from a Bytes32
    version: row.version,
    createdAtMs: row.created_at_ms,
  }
}
