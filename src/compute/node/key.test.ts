import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isHeuristError } from '#protocol'
import { openKey } from './key.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'heurist-key-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

describe('openKey', () => {
  test('default: made once, the same at the next start, readable by the owner only', () => {
    const path = join(directory, 'node', 'key.json')
    const first = openKey(path)
    const second = openKey(path)
    expect([first.isNew, second.isNew]).toEqual([true, false])
    expect(second.signer.address).toBe(first.signer.address)
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test('behavior: a keystore that others can read is closed', () => {
    const path = join(directory, 'key.json')
    openKey(path)
    chmodSync(path, 0o644)
    openKey(path)
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  for (const [label, text] of [
    ['an empty file', ''],
    ['half a key', '{"privateKey":"0x1234"}'],
    ['a key outside the curve', `{"privateKey":"0x${'00'.repeat(32)}"}`],
  ] as const) {
    test(`error: ${label} is never replaced and never quoted`, () => {
      const path = join(directory, 'key.json')
      writeFileSync(path, text)
      let problem: unknown
      try {
        openKey(path)
      } catch (error) {
        problem = error
      }
      expect(isHeuristError(problem)).toBe(true)
      expect(String(problem)).not.toContain('0x12')
      expect(readFileSync(path, 'utf8')).toBe(text)
    })
  }
})
