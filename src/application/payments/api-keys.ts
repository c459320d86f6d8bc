import { hash } from 'node:crypto'
import type { ApiKeyRecord, Clock, KeyStore, RandomBytes } from '#platform'
import type { Address } from '#protocol'

export const API_KEY_SCOPES = ['inference', 'read', 'admin'] as const
export type ApiKeyScope = (typeof API_KEY_SCOPES)[number]

export type NewApiKey = {
  readonly name: string
  readonly account: Address
  /** Default: inference and read. */
  readonly scopes?: readonly ApiKeyScope[]
  /** Nano-credits in all; null without a limit. */
  readonly budget?: bigint | null
  /** Default: that of this process. */
  readonly requestsPerMinute?: number
  /** 1 to 100; default 1, like everybody. */
  readonly weight?: number
  readonly frontend?: Address | null
  readonly expiresAtMs?: number | null
}

export type VerifiedKey =
  | { readonly ok: true; readonly key: ApiKeyRecord }
  | { readonly ok: false; readonly reason: 'malformed' | 'unknown' | 'revoked' | 'expired' }

export type ApiKeys = {
  /** Makes a key. `secret` is told here once and can never be read again. */
  create(options: NewApiKey): Promise<{ readonly secret: string; readonly key: ApiKeyRecord }>
  /** Whose key it is, or why not. Answers from memory at most one second old. */
  verify(secret: string): Promise<VerifiedKey>
  /** False when there is no such live key. Holds here at once, in other processes within a second. */
  revoke(keyId: string): Promise<boolean>
  list(account?: Address): Promise<ApiKeyRecord[]>
}

type Cached = { record: ApiKeyRecord | null; loadedAtMs: number; loading: Promise<ApiKeyRecord | null> | null }

const SECRET = /^hk_[0-9a-f]{64}$/
const CACHE_LIMIT = 10_000
/** Asked again in the background after half of the second in which a revocation must hold everywhere. */
const FRESH_MS = 500
const USABLE_MS = 1_000

/**
 * API keys: 32 random bytes, of which only the sha256 is stored. A key is found by its hash, so no comparison takes
 * longer for a better guess.
 */
export function createApiKeys(
  options: { readonly requestsPerMinute: number },
  dependencies: { keys: KeyStore; clock: Clock; randomBytes: RandomBytes },
): ApiKeys {
  const { keys, clock, randomBytes } = dependencies
  const cache = new Map<string, Cached>()

  const load = (hash: string, entry: Cached): Promise<ApiKeyRecord | null> => {
    const askedAtMs = clock.now()
    entry.loading ??= keys
      .bySecretHash(hash)
      .then(record => {
        entry.record = record
        entry.loadedAtMs = askedAtMs
        return record
      })
      .finally(() => {
        entry.loading = null
      })
    return entry.loading
  }

  const find = async (hash: string): Promise<ApiKeyRecord | null> => {
    let entry = cache.get(hash)
    if (entry) cache.delete(hash)
    entry ??= { record: null, loadedAtMs: Number.NEGATIVE_INFINITY, loading: null }
    cache.set(hash, entry) // The most recently used stands last.
    if (cache.size > CACHE_LIMIT) for (const oldest of cache.keys()) if (cache.delete(oldest)) break
    const ageMs = clock.now() - entry.loadedAtMs
    if (ageMs > USABLE_MS) return load(hash, entry)
    if (ageMs > FRESH_MS) load(hash, entry).catch(() => undefined) // An outage shows when the entry is too old.
    return entry.record
  }

  return {
    async create(wanted) {
      const secret = `hk_${hex(randomBytes(32))}`
      const key: ApiKeyRecord = {
        keyId: `key_${hex(randomBytes(12))}`,
        secretHash: sha256(secret),
        prefix: secret.slice(0, 9),
        name: wanted.name,
        account: wanted.account,
        scopes: wanted.scopes ?? ['inference', 'read'],
        budget: wanted.budget ?? null,
        spent: 0n,
        requestsPerMinute: wanted.requestsPerMinute ?? options.requestsPerMinute,
        weight: wanted.weight ?? 1,
        frontend: wanted.frontend ?? null,
        createdAtMs: clock.now(),
        expiresAtMs: wanted.expiresAtMs ?? null,
        revokedAtMs: null,
      }
      await keys.create(key)
      cache.delete(key.secretHash)
      return { secret, key }
    },
    async verify(secret) {
      if (!SECRET.test(secret)) return { ok: false, reason: 'malformed' }
      const key = await find(sha256(secret))
      if (!key) return { ok: false, reason: 'unknown' }
      if (key.revokedAtMs !== null) return { ok: false, reason: 'revoked' }
      if (key.expiresAtMs !== null && key.expiresAtMs <= clock.now()) return { ok: false, reason: 'expired' }
      return { ok: true, key }
    },
    async revoke(keyId) {
      const revoked = await keys.revoke(keyId, clock.now())
      for (const [hash, entry] of cache) if (entry.record?.keyId === keyId || entry.loading) cache.delete(hash)
      return revoked
    },
    list: account => keys.list(account),
  }
}

function sha256(secret: string): string {
  return hash('sha256', secret)
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
