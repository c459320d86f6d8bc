import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createSseParser, MAX_EVENT_CHARS } from './sse.ts'

function parse(text: string, cuts: readonly number[] = []): string[] {
  const bytes = Buffer.from(text)
  const parser = createSseParser()
  const points = [...new Set([0, ...cuts.map(cut => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b)
  const events = points.slice(1).flatMap((end, i) => parser.push(bytes.subarray(points[i], end)))
  const rest = parser.end()
  return rest === null ? events : [...events, rest]
}

describe('createSseParser', () => {
  test.each([
    ['line feeds', 'data: a\n\ndata: b\n\n', ['a', 'b']],
    ['CRLF', 'data: a\r\n\r\ndata: b\r\n\r\n', ['a', 'b']],
    ['carriage returns', 'data: a\r\rdata: b\r\r', ['a', 'b']],
    ['comments and other fields', ': ping\n\nevent: x\nid: 1\nretry: 5\ndata: a\n\n: ping\n\n', ['a']],
    ['several data lines', 'data: a\ndata: b\ndata\ndata: c\n\n', ['a\nb\n\nc']],
    ['no space after the colon, only one space removed', 'data:a\n\ndata:  b\n\n', ['a', ' b']],
    ['a byte order mark', '\ufeffdata: a\n\n', ['a']],
    ['no blank line at the end', 'data: a\n\ndata: [DONE]', ['a', '[DONE]']],
    ['words that only begin like data', 'database: a\n\n', []],
  ])('behavior: %s', (_, text, events) => {
    expect(parse(text)).toEqual(events)
  })

  test('property: where the bytes are cut changes nothing', () => {
    const line = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 12 }).map(text => `data: ${text.replaceAll(/[\r\n]/g, '')}`),
      fc.constantFrom('', ': ping', 'data', 'event: x'),
    )
    const ending = fc.constantFrom('\n', '\r\n', '\r')
    fc.assert(
      fc.property(fc.array(fc.tuple(line, ending), { maxLength: 12 }), fc.array(fc.nat(400), { maxLength: 20 }), (lines, cuts) => {
        const text = lines.map(([content, end]) => content + end).join('')
        expect(parse(text, cuts)).toEqual(parse(text))
      }),
    )
  })

  test('error: an endless line and an endless event', () => {
    const block = 'x'.repeat(MAX_EVENT_CHARS / 4)
    const feed = (chunk: string) => {
      const parser = createSseParser()
      for (let i = 0; i < 6; i++) parser.push(Buffer.from(chunk))
    }
    expect(() => feed(block)).toThrow(RangeError)
    expect(() => feed(`data: ${block}\n`)).toThrow(RangeError)
  })
})
