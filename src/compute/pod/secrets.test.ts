import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ZERO_BYTES32 } from '#protocol'
import { secretsIn } from './secrets.ts'

describe('secretsIn', () => {
  const folder = mkdtempSync(join(tmpdir(), 'heurist-secrets-'))
  const path = join(folder, `${ZERO_BYTES32}.env`)
  writeFileSync(path, 'TOKEN="a b"\nOTHER=for another\n', { mode: 0o600 })
  const secrets = secretsIn(folder)

  test('default: a pod gets what its manifest names and no more', () => {
    expect(secrets(ZERO_BYTES32, ['TOKEN'])).toEqual({ TOKEN: 'a b' })
    expect(secrets(ZERO_BYTES32, [])).toEqual({})
  })

  test('error: a secret that is not set, or of a pod without a file', () => {
    expect(() => secrets(ZERO_BYTES32, ['KEY'])).toThrow(/needs the secret KEY/)
    expect(() => secrets(`0x${'11'.repeat(32)}`, ['TOKEN'])).toThrow(/needs the secret TOKEN/)
    expect(() => secrets(ZERO_BYTES32, ['toString'])).toThrow(/needs the secret toString/)
  })

  test('error: a file that others may read', () => {
    chmodSync(path, 0o644)
    expect(() => secrets(ZERO_BYTES32, ['TOKEN'])).toThrow(expect.objectContaining({ code: 'SECRETS_EXPOSED' }))
    chmodSync(path, 0o600)
  })
})
