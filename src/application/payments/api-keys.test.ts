import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createManualClock, type KeyStore } from '#platform'
import { createTestDatabase, type TestDatabase } from '#platform/database/testing'
import { type ApiKeys, createApiKeys } from './api-keys.ts'
import { accountOf } from './testing.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.stop())

describe('createApiKeys', () => {
  let clock: ReturnType<typeof createManualClock>
  let apiKeys: ApiKeys
  let lookups: number
  beforeEach(() => {
    clock = createManualClock()
    lookups = 0
    apiKeys = open()
  })

  /** Another process on the same database, unless it counts the look-ups of this one. */
  function open(): ApiKeys {
    const store = database.database.keys
    const keys: KeyStore = {
      ...store,
      bySecretHash: hash => {
        lookups++
        return store.bySecretHash(hash)
      },
    }
    return createApiKeys({ requestsPerMinute: 600 }, { keys, clock, randomBytes })
  }
  const account = accountOf(7)

  test('default: the secret is shown once and stored as a hash', async () => {
    const { secret, key } = await apiKeys.create({ name: 'laptop', account })
    expect(secret).toMatch(/^hk_[0-9a-f]{64}$/)
    expect(key).toMatchObject({
      name: 'laptop',
      account,
      scopes: ['inference', 'read'],
      budget: null,
      spent: 0n,
      prefix: secret.slice(0, 9),
    })
    expect(await apiKeys.verify(secret)).toEqual({ ok: true, key })
    const [row] = await database.query('select row_to_json(k)::text as text from api_keys k where key_id = $1', [key.keyId])
    expect(row?.text).not.toContain(secret.slice(3))
    expect((await apiKeys.list(account)).map(listed => listed.keyId)).toContain(key.keyId)
  })

  test('behavior: a key has a weight, 1 unless it was given another', async () => {
    const [plain, gold] = [await apiKeys.create({ name: 'plain', account }), await apiKeys.create({ name: 'gold', account, weight: 100 })]
    expect([plain, gold].map(({ key }) => key.weight)).toEqual([1, 100])
    expect(await open().verify(gold.secret)).toMatchObject({ key: { weight: 100 } })
    for (const weight of [0, 101]) await expect(apiKeys.create({ name: 'x', account, weight }), `${weight}`).rejects.toThrow()
  })

  test('behavior: malformed, unknown, expired, revoked', async () => {
    for (const secret of ['', 'hk_', 'sk-123', `hk_${'A'.repeat(64)}`, `hk_${'0'.repeat(65)}`, "hk_' or 1=1"]) {
      expect(await apiKeys.verify(secret), secret).toEqual({ ok: false, reason: 'malformed' })
    }
    expect(lookups).toBe(0)
    expect(await apiKeys.verify(`hk_${'0'.repeat(64)}`)).toEqual({ ok: false, reason: 'unknown' })
    const { secret } = await apiKeys.create({ name: 'short', account, expiresAtMs: clock.now() + 100 })
    expect(await apiKeys.verify(secret)).toMatchObject({ ok: true })
    clock.advance(100)
    expect(await apiKeys.verify(secret)).toEqual({ ok: false, reason: 'expired' })
    const revoked = await apiKeys.create({ name: 'r', account })
    expect(await apiKeys.revoke(revoked.key.keyId)).toBe(true)
    expect(await apiKeys.revoke(revoked.key.keyId)).toBe(false)
    expect(await apiKeys.verify(revoked.secret)).toEqual({ ok: false, reason: 'revoked' })
  })

  test('behavior: answers from memory, for at most a second', async () => {
    const { secret } = await apiKeys.create({ name: 'hot', account })
    for (let i = 0; i < 50; i++) await apiKeys.verify(secret)
    expect(lookups).toBe(1)
    clock.advance(1_001)
    await apiKeys.verify(secret)
    expect(lookups).toBe(2)
  })

  test('behavior: concurrent first uses ask once', async () => {
    const { secret } = await apiKeys.create({ name: 'burst', account })
    const answers = await Promise.all(Array.from({ length: 20 }, () => apiKeys.verify(secret)))
    expect(answers.every(answer => answer.ok)).toBe(true)
    expect(lookups).toBe(1)
  })

  test('behavior: a revocation holds here at once and elsewhere within a second', async () => {
    const other = open()
    const { secret, key } = await apiKeys.create({ name: 'leaked', account })
    await other.verify(secret)
    await apiKeys.verify(secret)
    await apiKeys.revoke(key.keyId)
    expect(await apiKeys.verify(secret)).toEqual({ ok: false, reason: 'revoked' })
    expect(await other.verify(secret)).toMatchObject({ ok: true })
    clock.advance(1_001)
    expect(await other.verify(secret)).toEqual({ ok: false, reason: 'revoked' })
  })

  test('behavior: a key made after it was tried works', async () => {
    const fixed = createApiKeys(
      { requestsPerMinute: 600 },
      { keys: database.database.keys, clock, randomBytes: length => new Uint8Array(length).fill(0xab) },
    )
    const secret = `hk_${'ab'.repeat(32)}`
    expect(await fixed.verify(secret)).toEqual({ ok: false, reason: 'unknown' })
    await fixed.create({ name: 'late', account })
    expect(await fixed.verify(secret)).toMatchObject({ ok: true })
  })
})
