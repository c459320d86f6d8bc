import { createHash } from 'node:crypto'
import type { ApiKeyRecord, Clock } from '#platform'
import { gatewayError } from './errors.ts'

export type AuthenticatorOptions = {
  /** How long a key's record may be believed without asking again, in ms: the delay of a revocation by another process. */
  readonly cacheMs: number
  /** Bound of remembered keys, right and wrong ones together. */
  readonly cacheEntries: number
}
export const AUTHENTICATOR_DEFAULTS: AuthenticatorOptions = { cacheMs: 1_000, cacheEntries: 10_000 }

export type AuthenticatorDependencies = {
  /** Key by the hex sha256 of its secret. */
  readonly findKey: (secretHash: string) => Promise<ApiKeyRecord | null>
  readonly clock: Clock
}

/** @throws HeuristError missing_api_key, invalid_api_key */
export type Authenticate = (authorization: string | undefined) => Promise<ApiKeyRecord>

type Known = { readonly record: ApiKeyRecord | null; readonly untilMs: number }

function secretOf(authorization: string | undefined): string {
  if (authorization === undefined || authorization.trim() === '') {
    throw gatewayError(
      'missing_api_key',
      'No API key was given. Send the header "Authorization: Bearer <key>"; create a key with "heurist key create".',
    )
  }
  const match = /^Bearer[ \t]+(\S{1,512})[ \t]*$/i.exec(authorization)
  if (!match?.[1]) throw gatewayError('invalid_api_key', 'The Authorization header must be "Bearer <key>", with nothing after the key.')
  return match[1]
}

function refuse(secret: string, why: string): Error {
  // Enough to recognise one's own key, too little to use it.
  const shown = secret.length > 16 ? `${secret.slice(0, 8)}…` : '…'
  return gatewayError('invalid_api_key', `Incorrect API key provided (${shown}): ${why} Create one with "heurist key create".`)
}

function checked(record: ApiKeyRecord | null, secret: string, nowMs: number): ApiKeyRecord {
  if (!record) throw refuse(secret, 'it is not known here.')
  if (record.revokedAtMs !== null && record.revokedAtMs <= nowMs) throw refuse(secret, 'it was revoked.')
  if (record.expiresAtMs !== null && record.expiresAtMs <= nowMs) throw refuse(secret, 'it has expired.')
  return record
}

/**
 * API keys by `Authorization: Bearer`. Keys are looked up by hash, so nothing is compared secret by secret and no timing tells how close a guess was.
 * Answers, wrong ones too, are remembered for a moment, and equal questions share one look-up: a flood of one wrong key costs one query.
 */
export function createAuthenticator(options: AuthenticatorOptions, dependencies: AuthenticatorDependencies): Authenticate {
  const { clock, findKey } = dependencies
  const known = new Map<string, Known>()
  const asking = new Map<string, Promise<ApiKeyRecord | null>>()

  function remember(hash: string, record: ApiKeyRecord | null): void {
    known.delete(hash)
    known.set(hash, { record, untilMs: clock.now() + options.cacheMs })
    if (known.size > options.cacheEntries) known.delete(known.keys().next().value!)
  }

  async function ask(hash: string): Promise<ApiKeyRecord | null> {
    const running = asking.get(hash)
    if (running) return running
    const question = findKey(hash).finally(() => asking.delete(hash))
    asking.set(hash, question)
    const record = await question
    remember(hash, record)
    return record
  }

  return async authorization => {
    const secret = secretOf(authorization)
    const hash = createHash('sha256').update(secret).digest('hex')
    const entry = known.get(hash)
    const record = entry && entry.untilMs > clock.now() ? entry.record : await ask(hash)
    return checked(record, secret, clock.now())
  }
}

/** @throws HeuristError insufficient_permissions */
export function requireScope(key: ApiKeyRecord, scope: string): void {
  if (key.scopes.includes(scope) || key.scopes.includes('admin')) return
  throw gatewayError(
    'insufficient_permissions',
    `This API key lacks the scope "${scope}". Create one that has it with "heurist key create --scope ${scope}".`,
  )
}
