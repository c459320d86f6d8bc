import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createStopScanner } from './stop.ts'

function scan(pieces: readonly string[], stops: readonly string[]): { text: string; stopped: boolean } {
  const scanner = createStopScanner(stops)
  let text = ''
  for (const piece of pieces) {
    const found = scanner.push(piece)
    text += found.text
    if (found.stopped) return { text, stopped: true }
  }
  return { text: text + scanner.flush(), stopped: false }
}

describe('createStopScanner', () => {
  test.each([
    ['inside one piece', ['one END two'], ['END'], 'one ', true],
    ['across three pieces', ['one E', 'N', 'D two'], ['END'], 'one ', true],
    ['a beginning that comes to nothing', ['one E', 'N', 'X'], ['END'], 'one ENX', false],
    ['a beginning at the end of the output', ['one EN'], ['END'], 'one EN', false],
    ['a beginning inside a beginning', ['aa', 'ab'], ['aab'], 'a', true],
    ['the first of two', ['x B A'], ['A', 'B'], 'x ', true],
    ['at once', ['END'], ['END'], '', true],
    ['none', ['abc'], [], 'abc', false],
  ])('behavior: %s', (_, pieces, stops, text, stopped) => {
    expect(scan(pieces, stops)).toEqual({ text, stopped })
  })

  test('property: the same as cutting the whole text at the first stop, however it is pieced', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 4 })
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 8 }), fc.array(letters, { minLength: 1, maxLength: 3 }), (pieces, stops) => {
        const useful = stops.filter(stop => stop !== '')
        const { text, stopped } = scan(pieces, useful)
        const whole = pieces.join('')
        expect(stopped).toBe(useful.some(stop => whole.includes(stop)))
        if (!stopped) expect(text).toBe(whole)
        else {
          expect(whole.startsWith(text)).toBe(true)
          expect(useful.some(stop => whole.slice(text.length).startsWith(stop))).toBe(true)
          expect(useful.some(stop => text.includes(stop))).toBe(false)
        }
      }),
    )
  })
})
