import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../clock.ts'
import { silentLogger } from '../logger.ts'
import { createDatabase } from './database.ts'
import { readSchemaManifest } from './manifest.ts'
import { migrations } from './migrations/index.ts'
import { asSuperuser, createTestDatabase, type TestDatabase, testServerUrl, withDatabase } from './testing/index.ts'

let subject: TestDatabase
beforeAll(async () => {
  subject = await createTestDatabase()
})
afterAll(() => subject.stop())

test('default: the schema is the one in schema.manifest.json (vitest -u writes it anew)', async () => {
  const manifest = await asSuperuser(subject.connectionString, readSchemaManifest)
  await expect(`${JSON.stringify(manifest, null, 2)}\n`).toMatchFileSnapshot('./schema.manifest.json')
})

test('behavior: versions count up from 1 without gaps', () => {
  expect(migrations.map(step => step.version)).toEqual(migrations.map((_, i) => i + 1))
})

test('behavior: roles that start together on an empty database take turns', async () => {
  const server = await testServerUrl()
  const name = `test_${randomBytes(6).toString('hex')}`
  await asSuperuser(server, admin => admin.query(`create database ${name}`))
  const open = () => createDatabase({ connectionString: withDatabase(server, name) }, { logger: silentLogger, clock: systemClock })
  const databases = await Promise.all([open(), open(), open()])
  await Promise.all(databases.map(database => database.ping()))
  await Promise.all(databases.map(database => database.stop()))
  await asSuperuser(server, admin => admin.query(`drop database ${name} with (force)`))
})

test('error: a database of a newer program is not touched', async () => {
  await subject.query(`insert into schema_version (version, name) values (999, 'from the future')`)
  await expect(subject.open()).rejects.toMatchObject({ code: 'DATABASE_TOO_NEW', payload: { current: 999 } })
  await subject.query('delete from schema_version where version = 999')
})

test('error: nobody listens', async () => {
  const options = { connectionString: 'postgres://x:y@127.0.0.1:1/none', connectTimeoutMs: 500 }
  await expect(createDatabase(options, { logger: silentLogger, clock: systemClock })).rejects.toMatchObject({
    code: 'DATABASE_UNAVAILABLE',
    retryable: true,
  })
})
