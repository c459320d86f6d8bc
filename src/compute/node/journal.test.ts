import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isHeuristError } from '#protocol'
import { openJournal } from './journal.ts'

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'heurist-journal-'))
  path = join(directory, 'deep', 'journal.jsonl')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const lease = (number: number, fencingToken = number) => ({
  leaseId: `0x${number.toString(16).padStart(64, '0')}` as const,
  jobId: `job_${(number % 7).toString(16).padStart(32, '0')}`,
  fencingToken,
})

describe('journal', () => {
  test('default: knows after a restart what it measured and ran; only the owner can read it', () => {
    const first = openJournal(path)
    first.saveBenchmark({ deviceId: 'cpu', fingerprint: 'f', kernel: 'k', score: 5, measuredAtMs: 1 })
    first.saveSpeed('pod cpu', 42, 1)
    expect(first.admit(lease(1))).toBe(true)
    first.close()
    const second = openJournal(path)
    expect(second.benchmark('cpu')).toMatchObject({ score: 5 })
    expect(second.speed('pod cpu')).toBe(42)
    expect(second.admit(lease(1))).toBe(false)
    second.close()
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test('behavior: an older fencing token of the same job is refused, a newer one and another job are not', () => {
    const journal = openJournal(path)
    expect(journal.admit(lease(8, 10))).toBe(true)
    expect(journal.admit({ ...lease(15), fencingToken: 9 })).toBe(false)
    expect(journal.admit({ ...lease(15), fencingToken: 10 })).toBe(false)
    expect(journal.admit({ ...lease(15), fencingToken: 11 })).toBe(true)
    expect(journal.admit({ ...lease(16), fencingToken: 1 })).toBe(true)
    journal.close()
  })

  test('behavior: a last line that was cut by a kill is dropped, and the file is whole again', () => {
    const journal = openJournal(path)
    journal.admit(lease(1))
    journal.close()
    appendFileSync(path, '{"type":"lease","leaseId":"0x0')
    const again = openJournal(path)
    expect(again.admit(lease(1))).toBe(false)
    again.close()
    expect(readFileSync(path, 'utf8').endsWith('}\n')).toBe(true)
  })

  test('behavior: the file stays bounded', () => {
    const journal = openJournal(path)
    for (let i = 1; i < 12_000; i++) journal.admit({ ...lease(i), jobId: `job_${i.toString(16).padStart(32, '0')}` })
    journal.close()
    expect(readFileSync(path, 'utf8').split('\n').length).toBeLessThan(8100)
    const again = openJournal(path)
    expect(again.admit(lease(11_999))).toBe(false)
    again.close()
  })

  const corrupt: [string, string][] = [
    ['garbage', '\u0000\u0001binary\n{"type":"speed","key":"k","unitsPerSecond":1,"measuredAtMs":1}\n'],
    ['a line of another shape', '{"type":"speed","key":"k","unitsPerSecond":-1,"measuredAtMs":1}\n{}\n'],
  ]
  for (const [label, text] of corrupt) {
    test(`error: ${label} is said with the line and the way out, and nothing is overwritten`, () => {
      openJournal(path).close()
      writeFileSync(path, text)
      let problem: unknown
      try {
        openJournal(path)
      } catch (error) {
        problem = error
      }
      expect(isHeuristError(problem, 'NODE_JOURNAL_CORRUPT') && problem.message).toMatch(/Line 1 .*move the file away/)
      expect(readFileSync(path, 'utf8')).toBe(text)
    })
  }
})
