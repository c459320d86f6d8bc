import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { ROOT } from './support/source.ts'

const rowSchema = z.strictObject({
  section: z.string(),
  row: z.string().min(3),
  status: z.enum(['works', 'simulated', 'planned']),
  note: z.string(),
  sources: z.array(z.string()),
  tests: z.array(z.string()),
})
const rows = z.array(rowSchema).parse(JSON.parse(readFileSync(join(ROOT, 'docs/coverage.json'), 'utf8')))
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')

/** The sections of the whitepaper that ask for something; none may be missing from the table. */
const SECTIONS = [
  '2.1.1',
  '2.1.2',
  '2.1.3',
  '2.2.1',
  '2.2.2',
  '2.3.1',
  '2.3.2',
  '3.2.1',
  '3.2.2',
  '3.2.3',
  '3.2.4',
  '3.2.5',
  '3.3',
  '3.4.1',
  '3.4.2',
  '3.4.3',
  '3.4.4',
  '3.4.5',
  'A',
]

describe('coverage of the whitepaper', () => {
  test('default: every section has its rows', () => {
    expect(SECTIONS.filter(section => !rows.some(row => row.section === section))).toEqual([])
    expect(rows.length).toBeGreaterThanOrEqual(30)
  })

  for (const row of rows) {
    test(`behavior: §${row.section} ${row.row} (${row.status})`, () => {
      const missing = [...row.sources, ...row.tests].filter(path => !existsSync(join(ROOT, path)))
      expect(missing).toEqual([])
      if (row.status === 'planned') return expect(row.note, 'a planned row says what is missing').not.toBe('')
      expect(row.sources.length, 'the files that carry it').toBeGreaterThan(0)
      expect(row.tests.length, 'the tests that prove it').toBeGreaterThan(0)
      if (row.status !== 'works') expect(row.note, 'what is not there yet').not.toBe('')
    })

    test(`behavior: the README tells §${row.section} ${row.row} the same way`, () => {
      expect(readme).toContain(`| ${row.section} | ${row.row} | ${row.status} |`)
    })
  }
})
