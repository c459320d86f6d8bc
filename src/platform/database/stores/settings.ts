import type { Kysely } from 'kysely'
import { translated } from '../errors.ts'
import type { SettingStore } from '../port.ts'
import type { Schema } from '../schema.ts'

export function createSettingStore({ db }: { db: Kysely<Schema> }): SettingStore {
  return {
    get: name =>
      translated(async () => {
        const row = await db.selectFrom('settings').select('value').where('name', '=', name).executeTakeFirst()
        return row?.value ?? null
      }),
    put: (name, value) =>
      translated(async () => {
        const text = JSON.stringify(value ?? null)
        await db
          .insertInto('settings')
          .values({ name, value: text })
          .onConflict(conflict => conflict.column('name').doUpdateSet({ value: text }))
          .execute()
      }),
  }
}
