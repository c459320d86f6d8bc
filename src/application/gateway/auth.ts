import type { ApiKeyRecord } from '#platform'
import type { VerifiedKey } from '../payments/api-keys.ts'
import { type GatewayError, gatewayError } from './errors.ts'

export type AuthenticatorDependencies = {
  /** Whose secret it is, or why nobody's (`application/payments/api-keys.ts`: by hash, remembered for a second at most). */
  readonly verifyKey: (secret: string) => Promise<VerifiedKey>
}

/** @throws HeuristError missing_api_key, invalid_api_key */
export type Authenticate = (authorization: string | undefined) => Promise<ApiKeyRecord>

const MAKE_ONE = 'Create a key with "heurist key create".'
const REASONS: Readonly<Record<Extract<VerifiedKey, { ok: false }>['reason'], string>> = {
  malformed: 'it is not known here.',
  unknown: 'it is not known here.',
  revoked: 'it was revoked.',
  expired: 'it has expired.',
}

function secretOf(authorization: string | undefined): string {
  if (authorization === undefined || authorization.trim() === '') {
    throw gatewayError('missing_api_key', `No API key was given. Send the header "Authorization: Bearer <key>". ${MAKE_ONE}`)
  }
  const match = /^Bearer[ \t]+(\S{1,512})[ \t]*$/i.exec(authorization)
  if (!match?.[1])
    throw gatewayError('invalid_api_key', `The Authorization header must be "Bearer <key>", with nothing after the key. ${MAKE_ONE}`)
  return match[1]
}

function refusal(secret: string, why: string): GatewayError {
  // Enough to recognise one's own key, too little to use it.
  const shown = secret.length > 16 ? `${secret.slice(0, 9)}…` : '…'
  return gatewayError('invalid_api_key', `Incorrect API key provided (${shown}): ${why} ${MAKE_ONE}`)
}

/** API keys by `Authorization: Bearer`. */
export function createAuthenticator({ verifyKey }: AuthenticatorDependencies): Authenticate {
  return async authorization => {
    const secret = secretOf(authorization)
    const verified = await verifyKey(secret)
    if (!verified.ok) throw refusal(secret, REASONS[verified.reason])
    return verified.key
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
