import { describe, expect, test } from 'vitest'
import type { JournalPiece } from '#protocol'
import type { Database } from '../port.ts'
import { address, word } from './fixtures.ts'

/** What routers said about their fleets: kept in order, once. */
export function journalConformance(open: () => Database): void {
  const piece = (changes: Partial<JournalPiece> = {}): JournalPiece => ({
    podId: word(),
    segment: word(),
    number: 0,
    text: '["segment",{"region":"Zürich \\u0000 \\\\"}]\n',
    head: word(),
    router: address(),
    routerSignature: `0x${'a'.repeat(138)}`,
    ...changes,
  })

  describe('journal', () => {
    test('default: the pieces of segments come back in order, exactly', async () => {
      const { journal } = open()
      const first = piece()
      const second = piece({ segment: first.segment, number: 1, text: '["gone",3]\n' })
      const other = piece()
      await journal.append([second, other])
      await journal.append([first])
      expect(await journal.segments([first.segment])).toEqual([first, second])
      expect(await journal.segments([first.segment, other.segment])).toHaveLength(3)
      expect(await journal.segments([word()])).toEqual([])
      expect(await journal.segments([])).toEqual([])
    })

    test('behavior: a piece that is there is not changed by a repeat', async () => {
      const { journal } = open()
      const kept = piece()
      await journal.append([kept])
      await journal.append([{ ...kept, text: 'another history' }, piece({ segment: kept.segment, number: 1 })])
      expect((await journal.segments([kept.segment])).map(({ text }) => text)).toEqual([kept.text, piece().text])
      await journal.append([])
    })
  })
}
