import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { isTerminal, JOB_TRANSITIONS, type JobState } from '#protocol'
import { filesUnder, ROOT } from './support/source.ts'

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const production = filesUnder('src', /\.ts$/).filter(path => !/\.test\.ts$|\/testing(\/|\.ts$)|conformance(\/|\.ts$)/.test(path))
/** `path: line` of every match in production code. */
const found = (pattern: RegExp): string[] =>
  production.flatMap(path => [...read(path).matchAll(pattern)].map(([text]) => `${path}: ${text.replace(/\s+/g, ' ').trim()}`))

/** The table of `protocol/job.ts` is the only one: nothing else moves a job, in memory or on the disk. */
describe('job states (law L2)', () => {
  test('behavior: one function moves a job in memory, and it asks the table', () => {
    expect(found(/\bjob\.state\s*=[^=].*/g)).toEqual(['src/orchestration/router/job.ts: job.state = to'])
    expect(read('src/orchestration/router/job.ts')).toMatch(/export function moveJob[^}]*if \(!canMove\(job\.state, to\)\)/)
  })

  test('behavior: every move in code leads to a state of the table', () => {
    const moves = found(/moveJob\(job, [^\n]*\)/g).flatMap(line => [...line.matchAll(/'(\w+)'/g)].map(([, state]) => state!))
    const targets = new Set(moves.filter(state => state in JOB_TRANSITIONS))
    expect([...targets].sort()).toEqual(Object.keys(JOB_TRANSITIONS).sort())
  })

  test('behavior: on the disk a job is written once, at its end, and never changed', () => {
    const terminal = (Object.keys(JOB_TRANSITIONS) as JobState[]).filter(isTerminal) // cast: the keys of the literal table
    const [, listed = ''] =
      /constraint jobs_terminal check \(state in \(([^)]*)\)\)/.exec(read('src/platform/database/migrations/0001-initial.ts')) ?? []
    expect(listed.split(', ').map(state => state.slice(1, -1))).toEqual(terminal)
    expect(read('src/platform/database/migrations/0001-initial.ts')).toContain(
      'create trigger jobs_terminal_is_final before update on jobs',
    )
    expect(
      found(/\bupdate jobs\b.*|updateTable\('jobs'\).*|\bdelete from jobs\b.*|deleteFrom\('jobs'\).*/gi).filter(
        line => !line.includes('trigger'),
      ),
    ).toEqual([])
    expect(new Set(found(/\binsert into jobs\b/gi).map(line => line.split(':')[0]))).toEqual(
      new Set(['src/platform/database/stores/finish-sql.ts']),
    )
  })
})
