import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createModelCache } from './cache.ts'

let directory: string
let nowMs = 0
const sha = (letter: string) => letter.repeat(64)
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'heurist-cache-'))
  nowMs = 1_000_000
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function open(budgetBytes = 100) {
  const cache = createModelCache({ directory, budgetBytes }, { now: () => nowMs })
  function add(letter: string, bytes: number): string {
    nowMs += 1000
    const part = cache.partPath(letter)
    writeFileSync(part, 'x'.repeat(bytes))
    return cache.adopt(part, sha(letter))
  }
  return { cache, add }
}

describe('model cache', () => {
  test('default: found by hash, also after a restart', () => {
    const { add } = open()
    const path = add('a', 10)
    const { cache } = open()
    expect(cache.find(sha('a'))).toBe(path)
    expect(cache.find(sha('b'))).toBeNull()
    expect(cache.usedBytes()).toBe(10)
  })

  test('behavior: room is made by what was used longest ago', () => {
    const { cache, add } = open()
    add('a', 40)
    add('b', 40)
    nowMs += 1000
    cache.find(sha('a'))
    cache.makeRoom(50)
    expect([cache.find(sha('a')) !== null, cache.find(sha('b'))]).toEqual([true, null])
  })

  test('behavior: a model that is held is never deleted, until it is let go', () => {
    const { cache, add } = open()
    const path = add('a', 60)
    add('b', 30)
    const release = cache.hold(sha('a'))
    const second = cache.hold(sha('a'))
    cache.makeRoom(40)
    expect(existsSync(path)).toBe(true)
    expect(cache.find(sha('b'))).toBeNull()
    release()
    release()
    expect(() => cache.makeRoom(90)).toThrow(/loaded models hold 60/)
    second()
    cache.makeRoom(90)
    expect(existsSync(path)).toBe(false)
  })

  test('error: what can not fit costs nobody his place', () => {
    const { cache, add } = open()
    const path = add('a', 60)
    expect(() => cache.makeRoom(101)).toThrow(/budget is 100/)
    expect(existsSync(path)).toBe(true)
  })

  test('behavior: references survive a restart; a torn one is forgotten, another source does not match', () => {
    const { cache } = open()
    cache.refer('hf:a/b main', sha('a'))
    expect(open().cache.reference('hf:a/b main')).toBe(sha('a'))
    expect(open().cache.reference('hf:a/b v2')).toBeNull()
    const [name] = [cache.partPath('hf:a/b main').split('/').at(-1)]
    writeFileSync(join(directory, 'references', String(name)), '{"key":"hf:a/b ma')
    expect(open().cache.reference('hf:a/b main')).toBeNull()
  })

  test('behavior: other users of the machine can not look in', () => {
    open()
    expect(statSync(join(directory, 'blobs')).mode & 0o777).toBe(0o700)
  })
})
