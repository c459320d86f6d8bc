import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { type Bytes32, ZERO_BYTES32 } from '#protocol'
import { openSecrets, type Secrets } from './secrets.ts'

const OTHER: Bytes32 = `0x${'11'.repeat(32)}`

describe('openSecrets', () => {
  let folder: string
  let secrets: Secrets
  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'heurist-secrets-')), 'secrets')
    secrets = openSecrets(folder)
  })
  const set = (name: string, value: string | Buffer) => secrets.set(ZERO_BYTES32, name, Buffer.from(value))

  test('default: a pod gets what its manifest names and no more', () => {
    set('TOKEN', 'a "b"\n\'c\' `d` \\n é')
    set('OTHER', 'for another')
    expect(secrets.read(ZERO_BYTES32, ['TOKEN'])).toEqual({ TOKEN: 'a "b"\n\'c\' `d` \\n é' })
    expect(secrets.read(ZERO_BYTES32, [])).toEqual({})
  })

  test('behavior: only their owner can read them, and nothing else lies beside them', () => {
    set('TOKEN', 'old')
    set('TOKEN', 'new')
    expect(secrets.read(ZERO_BYTES32, ['TOKEN'])).toEqual({ TOKEN: 'new' })
    expect(statSync(join(folder, ZERO_BYTES32)).mode & 0o777).toBe(0o700)
    expect(statSync(join(folder, ZERO_BYTES32, 'TOKEN')).mode & 0o777).toBe(0o600)
    expect(readdirSync(join(folder, ZERO_BYTES32))).toEqual(['TOKEN'])
  })

  test('behavior: listed by name and pod, never by value', () => {
    expect(secrets.list()).toEqual([])
    set('TOKEN', 'hush')
    secrets.set(OTHER, 'KEY', Buffer.from('hush'))
    // What a crash in the middle of a change leaves, and what is no secret.
    writeFileSync(join(folder, OTHER, 'KEY.0a1b2c3d4e5f'), 'hus')
    mkdirSync(join(folder, 'backup'))
    const listed = secrets.list()
    expect(listed.map(({ podId, name }) => [podId, name])).toEqual([
      [ZERO_BYTES32, 'TOKEN'],
      [OTHER, 'KEY'],
    ])
    expect(JSON.stringify(listed)).not.toContain('hus')
  })

  test('behavior: deleted once', () => {
    set('TOKEN', 'x')
    set('KEY', 'y')
    expect([secrets.delete(ZERO_BYTES32, 'TOKEN'), secrets.delete(ZERO_BYTES32, 'TOKEN'), secrets.delete(OTHER, 'KEY')]).toEqual([
      true,
      false,
      false,
    ])
    expect(secrets.list().map(({ name }) => name)).toEqual(['KEY'])
    secrets.delete(ZERO_BYTES32, 'KEY')
    expect(readdirSync(folder)).toEqual([])
  })

  test('error: a secret that is not set, or of a pod without any', () => {
    expect(() => secrets.read(ZERO_BYTES32, ['KEY'])).toThrow(`needs the secret KEY. The node's owner sets it: heurist secret set`)
    set('TOKEN', 'x')
    expect(() => secrets.read(OTHER, ['TOKEN'])).toThrow(/needs the secret TOKEN/)
    expect(() => secrets.read(ZERO_BYTES32, ['toString'])).toThrow(/needs the secret toString/)
  })

  test('error: a file that others may read', () => {
    set('TOKEN', 'x')
    chmodSync(join(folder, ZERO_BYTES32, 'TOKEN'), 0o644)
    expect(() => secrets.read(ZERO_BYTES32, ['TOKEN'])).toThrow(expect.objectContaining({ code: 'SECRETS_EXPOSED' }))
  })

  const REFUSED: [label: string, name: string, value: string | Buffer, message: string][] = [
    ['a path as a name', '../../key.json', 'x', 'is no name of an environment variable'],
    ['a name that begins with a digit', '1A', 'x', 'is no name of an environment variable'],
    ['an empty value', 'TOKEN', '', 'it is empty'],
    ['more than a variable holds', 'TOKEN', 'x'.repeat(64 * 1024 + 1), 'it has 65537 bytes'],
    ['a zero byte', 'TOKEN', 'a\0b', 'it is no text'],
    ['bytes that are no text', 'TOKEN', Buffer.from([0xff, 0xfe]), 'it is no text'],
  ]
  for (const [label, name, value, message] of REFUSED) {
    test(`error: ${label}`, () => {
      expect(() => set(name, value)).toThrow(expect.objectContaining({ code: 'SECRET_INVALID', message: expect.stringContaining(message) }))
      expect(secrets.list()).toEqual([])
    })
  }

  test('error: a change that fails leaves the old value', () => {
    set('TOKEN', 'old')
    mkdirSync(join(folder, ZERO_BYTES32, 'KEY'))
    writeFileSync(join(folder, ZERO_BYTES32, 'KEY', 'x'), '')
    expect(() => set('KEY', 'new')).toThrow(/EISDIR|ENOTEMPTY|EEXIST/)
    expect(readFileSync(join(folder, ZERO_BYTES32, 'TOKEN'), 'utf8')).toBe('old')
    expect(readdirSync(join(folder, ZERO_BYTES32)).sort()).toEqual(['KEY', 'TOKEN'])
  })
})
