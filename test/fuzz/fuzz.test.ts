import { describe, expect, test } from 'vitest'
import { fuzz, HANG_MS, inputOf } from './fuzz.ts'
import { PARSERS, type Parser } from './parsers.ts'

/** Per parser and run; `npm run fuzz` reads 200,000. */
const INPUTS = 300

describe('parsers of what strangers write', () => {
  test.each(PARSERS)('behavior: $name refuse broken inputs in their own words and at once', parser => {
    const { crashes, slowestMs } = fuzz(parser, [0, INPUTS])
    expect(crashes).toEqual([])
    expect(slowestMs).toBeLessThan(HANG_MS)
  })

  test.each(PARSERS)('default: $name take their samples', ({ samples, parse }) => {
    for (const sample of samples) expect(() => parse(sample)).not.toThrow()
  })

  test('behavior: a parser that stumbles is seen, and its input comes again', () => {
    const careless: Parser = {
      name: 'careless',
      samples: [Buffer.from('{"length":3,"items":[1,2,3]}')],
      parse: input => JSON.parse(input.toString('utf8')).items.length,
      promises: error => error instanceof SyntaxError,
    }
    const [crash] = fuzz(careless, [0, 2_000]).crashes
    expect(crash?.error).toBeInstanceOf(TypeError)
    expect(inputOf(careless, crash!.seed)).toEqual(crash!.input)
  })
})
