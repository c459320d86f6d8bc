import type { Kysely, Selectable } from 'kysely'
import type { Address } from '#protocol'
import { translated } from '../errors.ts'
import type { ApiKeyRecord, KeyStore } from '../port.ts'
import type { Schema } from '../schema.ts'

export function createKeyStore({ db }: { db: Kysely<Schema> }): KeyStore {
  return {
    create: key =>
      translated(async () => {
        await db
          .insertInto('api_keys')
          .values({
            key_id: key.keyId,
            secret_hash: key.secretHash,
            prefix: key.prefix,
            name: key.name,
            account: key.account,
            scopes: JSON.stringify(key.scopes),
            budget: key.budget,
            spent: key.spent,
            requests_per_minute: key.requestsPerMinute,
            weight: key.weight,
            frontend: key.frontend,
            created_at_ms: key.createdAtMs,
            expires_at_ms: key.expiresAtMs,
            revoked_at_ms: key.revokedAtMs,
          })
          .execute()
      }),
    bySecretHash: secretHash =>
      translated(async () => {
        const row = await db.selectFrom('api_keys').selectAll().where('secret_hash', '=', secretHash).executeTakeFirst()
        return row ? toRecord(row) : null
      }),
    list: account =>
      translated(async () => {
        const all = db.selectFrom('api_keys').selectAll().orderBy('created_at_ms').orderBy('key_id')
        const rows = await (account === undefined ? all : all.where('account', '=', account)).execute()
        return rows.map(toRecord)
      }),
    revoke: (keyId, atMs) =>
      translated(async () => {
        const result = await db
          .updateTable('api_keys')
          .set({ revoked_at_ms: atMs })
          .where('key_id', '=', keyId)
          .where('revoked_at_ms', 'is', null)
          .executeTakeFirst()
        return result.numUpdatedRows > 0n
      }),
  }
}

function toRecord(row: Selectable<Schema['api_keys']>): ApiKeyRecord {
  return {
    keyId: row.key_id,
    secretHash: row.secret_hash,
    prefix: row.prefix,
    name: row.name,
    account: row.account as Address, // cast: written from an Address
    scopes: row.scopes,
    budget: row.budget,
    spent: row.spent,
    requestsPerMinute: row.requests_per_minute,
    weight: row.weight,
    frontend: row.frontend as Address | null, // cast: written from an Address
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
    revokedAtMs: row.revoked_at_ms,
  }
}
