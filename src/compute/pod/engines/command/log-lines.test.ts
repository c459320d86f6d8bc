import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLogReader } from './log-lines.ts'
import { createRedactor } from './redact.ts'

/** The lines of what a program wrote in these pieces. */
function linesOf(pieces: readonly Buffer[], secrets: Readonly<Record<string, string>> = {}): string[] {
  const lines: string[] = []
  const read = createLogReader({ secrets: createRedactor(secrets), log: line => lines.push(line) })
  for (const piece of pieces) read(piece)
  return lines
}

/** Text cut at each of these bytes. */
function pieces(text: string, size: number): Buffer[] {
  const bytes = Buffer.from(text)
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size))
}

describe('createLogReader', () => {
  test('default: whole lines, however they come', () => {
    for (const size of [1, 2, 3, 100]) expect(linesOf(pieces('één\n\ntwo\nhalf', size)), `${size}`).toEqual(['één', '', 'two'])
  })

  test('behavior: a long line is cut', () => {
    expect(linesOf(pieces(`${'x'.repeat(9000)}\nnext\n`, 1000))).toEqual(['x'.repeat(4096), 'next'])
  })

  test('behavior: values of secrets are replaced by their names', () => {
    const secrets = { TOKEN: 'hunter2hunter2', KEY: 'hunter2', PIN: '12' }
    expect(linesOf(pieces('a=hunter2hunter2 b=hunter2 c=12\n', 5), secrets)).toEqual(['a=[secret TOKEN] b=[secret KEY] c=12'])
  })

  test('behavior: a value of several lines is replaced line by line', () => {
    expect(linesOf(pieces('x -----BEGIN KEY-----\nabcdefgh\n}\n', 7), { PEM: '-----BEGIN KEY-----\nabcdefgh\n}\n' })).toEqual([
      'x [secret PEM]',
      '[secret PEM]',
      '}',
    ])
  })

  test('property: no part of a secret shows where a line is cut', () => {
    const secret = `S3CR3T${'-0123456789'.repeat(4)}`
    fc.assert(
      // Each that is replaced makes the line shorter, so that more of its end is shown.
      fc.property(fc.nat({ max: 8 }), fc.integer({ min: 3_700, max: 4_200 }), fc.integer({ min: 50, max: 5_000 }), (before, at, size) => {
        const line = `${secret.repeat(before)}${'x'.repeat(at - before * secret.length)}${secret}${'y'.repeat(9_000)}\n`
        const [shown = ''] = linesOf(pieces(line, size), { TOKEN: secret })
        expect(shown.length).toBeLessThanOrEqual(4096)
        expect(shown.replaceAll('[secret TOKEN]', '')).not.toMatch(/S3/)
      }),
      { numRuns: 1_000 },
    )
  })
})
