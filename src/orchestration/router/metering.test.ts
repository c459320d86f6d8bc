import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Tokenizer } from '#platform'
import { chargedPieces, chargedTokens, createMeter, isOverclaim, limitsOf } from './metering.ts'

// One token per word: enough to tell padding from output.
const words: Pick<Tokenizer, 'encode'> = {
  encode: text =>
    text
      .split(' ')
      .filter(word => word !== '')
      .map((_, index) => index),
}
const choice = (text: string) => ({ index: 0, text, toolCalls: [], finishReason: 'stop' as const })
const spec = { model: { contextLength: 100 } }

describe('limitsOf', () => {
  test('default: the context length is the limit of one choice', () => {
    expect(limitsOf({ kind: 'chat', body: {} }, spec)).toEqual({ maxTokens: 100, maxChoices: 1, dimensions: null })
  })

  test('behavior: the limit is the user’s own, over all choices and prompts', () => {
    expect(limitsOf({ kind: 'chat', body: { max_tokens: 10, n: 3 } }, spec)).toMatchObject({ maxTokens: 30, maxChoices: 3 })
    expect(limitsOf({ kind: 'chat', body: { max_tokens: 10, max_completion_tokens: 5 } }, spec).maxTokens).toBe(5)
    expect(limitsOf({ kind: 'completion', body: { prompt: ['a', 'b'], n: 2, max_tokens: 7 } }, spec)).toMatchObject({
      maxTokens: 28,
      maxChoices: 4,
    })
    expect(limitsOf({ kind: 'completion', body: { prompt: [1, 2, 3], max_tokens: 7 } }, spec).maxChoices).toBe(1)
    expect(limitsOf({ kind: 'embedding', body: { input: ['a', 'b'] } }, { model: { contextLength: 100, dimensions: 8 } })).toEqual({
      maxTokens: 0,
      maxChoices: 2,
      dimensions: 8,
    })
    expect(limitsOf({ kind: 'chat', body: { max_tokens: 1e12 } }, spec).maxTokens).toBe(100)
  })

  test('behavior: a program may write what its manifest allows, or less where the request says so', () => {
    const program = { ...spec, command: { maxOutputBytes: 6_400 } }
    const units = (body: Record<string, unknown>) => limitsOf({ kind: 'command', body }, program)
    expect(units({ input: 1 })).toEqual({ maxTokens: 100, maxChoices: 1, dimensions: null })
    expect(units({ max_output_bytes: 65 }).maxTokens).toBe(2)
    expect(units({ max_output_bytes: 1e9 }).maxTokens).toBe(100)
    expect(units({ max_output_bytes: 'much' }).maxTokens).toBe(100)
    expect(limitsOf({ kind: 'command', body: {} }, spec).maxTokens).toBe(0)
  })
})

describe('meter', () => {
  const limits = { maxTokens: 10, maxChoices: 2, dimensions: null }
  const piece = { choice: 0, tokens: 1, text: 'a' }

  test('behavior: counts what came and cuts a flood at the limit and its slack', () => {
    const meter = createMeter(limits, 2)
    for (let i = 0; i < 12; i++) expect(meter.accept(piece), `token ${i}`).toBeNull()
    expect(meter.accept(piece)).toBe('13 tokens where at most 10 were asked for')
    expect(meter.tokens()).toBe(13)
  })

  test('behavior: text, frames, choices, tool calls and vectors without tokens are bounded too', () => {
    expect(createMeter(limits, 2).accept({ ...piece, choice: 2 })).toMatch(/choice 2 of 2/)
    expect(createMeter(limits, 2).accept({ ...piece, text: 'x'.repeat(70_000) })).toMatch(/70000 bytes of text for 1 tokens/)
    const calls = Array.from({ length: 200 }, (_, index) => ({ index }))
    expect(createMeter(limits, 2).accept({ ...piece, toolCalls: calls })).toMatch(/tool calls/)
    const empty = createMeter(limits, 2)
    const results = Array.from({ length: 2000 }, () => empty.accept({ choice: 0, tokens: 0, text: '' }))
    expect(results.find(result => result !== null)).toMatch(/frames for 0 tokens/)
    const vectors = createMeter({ maxTokens: 0, maxChoices: 1, dimensions: 2 }, 2)
    expect(vectors.accept({ choice: 0, tokens: 0, text: '', embedding: new Float32Array(3) })).toBe('a vector of 3 instead of 2')
    expect(vectors.accept({ choice: 0, tokens: 0, text: '', embedding: new Float32Array(2) })).toBeNull()
    expect(vectors.accept({ choice: 0, tokens: 0, text: '', embedding: new Float32Array(2) })).toMatch(/second vector/)
  })

  test('behavior: finish reasons must name exactly the choices that were sent, inside the request', () => {
    const meter = createMeter(limits, 2)
    meter.accept(piece)
    expect(meter.choices([])).toBeNull()
    expect(meter.choices([{ index: 1, reason: 'stop' }])).toBeNull()
    expect(
      meter.choices([
        { index: 0, reason: 'stop' },
        { index: 0, reason: 'length' },
      ]),
    ).toBeNull()
    expect(
      meter.choices([
        { index: 0, reason: 'stop' },
        { index: 7, reason: 'stop' },
      ]),
    ).toBeNull()
    expect(
      meter
        .choices([
          { index: 1, reason: 'stop' },
          { index: 0, reason: 'length' },
        ])
        ?.map(({ index, text }) => [index, text]),
    ).toEqual([
      [0, 'a'],
      [1, ''],
    ])
  })

  test('property: the text of a choice is its pieces in order, whatever else is interleaved', () => {
    const pieces = fc.array(fc.record({ choice: fc.integer({ min: 0, max: 2 }), text: fc.string({ maxLength: 5 }) }), { maxLength: 50 })
    fc.assert(
      fc.property(pieces, list => {
        const meter = createMeter({ maxTokens: 100, maxChoices: 3, dimensions: null }, 0)
        for (const entry of list) expect(meter.accept({ ...entry, tokens: 1 })).toBeNull()
        const finish = [0, 1, 2].map(index => ({ index, reason: 'stop' as const }))
        const texts = meter.choices(finish)!.map(({ text }) => text)
        expect(texts).toEqual(
          [0, 1, 2].map(index =>
            list
              .filter(entry => entry.choice === index)
              .map(({ text }) => text)
              .join(''),
          ),
        )
        expect(meter.tokens()).toBe(list.length)
      }),
    )
  })
})

describe('chargedTokens', () => {
  test('default: without a tokenizer the frames are the count', () => {
    expect(chargedTokens(50, [choice('two words')], null)).toBe(50)
  })

  test('behavior: padding with empty tokens earns nothing; the smaller count is charged', () => {
    expect(chargedTokens(50, [choice('two words')], words)).toBe(3)
    expect(chargedTokens(2, [choice('many more words than tokens')], words)).toBe(2)
    expect(chargedTokens(0, [choice('')], words)).toBe(0)
  })

  test('behavior: tool calls count by name and arguments', () => {
    const call = { id: 'call_1', name: 'weather', arguments: '{}' }
    expect(chargedTokens(50, [{ ...choice(''), toolCalls: [call] }], words)).toBe(18)
  })

  test('behavior: only a claim beyond the slack is evidence', () => {
    expect(isOverclaim(100, 95, 1)).toBe(false)
    expect(isOverclaim(106, 95, 1)).toBe(true)
    expect(isOverclaim(10, 0, 1)).toBe(false)
    expect(isOverclaim(100_000, 2, 1)).toBe(true)
  })
})

describe('chargedPieces', () => {
  test('default: one unit per started 64 bytes of what was really written, whatever the node counted', () => {
    expect(chargedPieces(9, [choice('a'.repeat(64))])).toBe(1)
    expect(chargedPieces(9, [choice('é'.repeat(33))])).toBe(2)
    expect(chargedPieces(1, [choice('a'.repeat(640))])).toBe(1)
    expect(chargedPieces(9, [choice('')])).toBe(0)
  })
})
