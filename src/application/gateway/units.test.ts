import { describe, expect, test } from 'vitest'
import type { Tokenizer } from '#platform'
import { chatRequestSchema, completionRequestSchema, embeddingRequestSchema } from './openai/requests.ts'
import { testPod, WORD_TOKENIZER } from './testing/harness.ts'
import { chatBounds, completionBounds, embeddingBounds } from './units.ts'

const pod = testPod('p', { contextLength: 100 })
const chat = (body: object) => chatRequestSchema.parse({ model: 'p', messages: [{ role: 'user', content: 'hi' }], ...body })
const completion = (body: object) => completionRequestSchema.parse({ model: 'p', ...body })

describe('chatBounds', () => {
  test('default: the output may fill what is left of the context', () => {
    expect(chatBounds(chat({}), pod, WORD_TOKENIZER)).toEqual({ inputUnits: 1, maxOutputUnits: 99 })
  })

  test('behavior: max_completion_tokens goes before max_tokens, and choices multiply', () => {
    expect(chatBounds(chat({ max_tokens: 7 }), pod, WORD_TOKENIZER).maxOutputUnits).toBe(7)
    expect(chatBounds(chat({ max_tokens: 7, max_completion_tokens: 5, n: 3 }), pod, WORD_TOKENIZER).maxOutputUnits).toBe(15)
  })

  test('behavior: without a tokenizer four bytes are one unit, rounded up', () => {
    const messages = [{ role: 'user', content: 'hä' }]
    const bytes = Buffer.byteLength(JSON.stringify(messages))
    expect(chatBounds(chat({ messages }), pod, null).inputUnits).toBe(Math.ceil(bytes / 4))
  })

  test('behavior: a text far over the context is refused without being counted to its end', () => {
    let counted = 0
    const tokenizer: Tokenizer = {
      ...WORD_TOKENIZER,
      encode(text) {
        counted += text.length
        return WORD_TOKENIZER.encode(text)
      },
      countChat: () => {
        throw new Error('the whole text was counted')
      },
    }
    const messages = [{ role: 'user', content: [{ type: 'text', text: 'word '.repeat(500_000) }] }]
    expect(() => chatBounds(chat({ messages }), pod, tokenizer)).toThrow(
      /maximum context length of "p" is 100 tokens, and your input has at least \d+ tokens/,
    )
    expect(counted).toBeLessThan(10_000)
  })

  test('behavior: a long text of few tokens is not refused by its length', () => {
    const messages = [{ role: 'user', content: ' '.repeat(100_000) }]
    expect(chatBounds(chat({ messages }), pod, WORD_TOKENIZER).inputUnits).toBeLessThan(100)
  })
})

describe('completionBounds', () => {
  test('default: adds up over prompts, each with its own room', () => {
    expect(completionBounds(completion({ prompt: ['a b', 'c d'], n: 2 }), pod, WORD_TOKENIZER)).toEqual({
      inputUnits: 6,
      maxOutputUnits: 2 * 97 + 2 * 97,
    })
  })

  test('error: one prompt over the context', () => {
    expect(() => completionBounds(completion({ prompt: ['a', 'b '.repeat(100)] }), pod, WORD_TOKENIZER)).toThrow(/100 tokens/)
    expect(() => completionBounds(completion({ prompt: 'a', max_tokens: 99 }), pod, WORD_TOKENIZER)).toThrow(
      /101 tokens \(2 of input, 99 of output\)/,
    )
  })
})

test('embeddingBounds: no output, every input within the context', () => {
  const request = embeddingRequestSchema.parse({ model: 'p', input: ['a b c', 'd'] })
  expect(embeddingBounds(request, pod, WORD_TOKENIZER)).toEqual({ inputUnits: 4, maxOutputUnits: 0 })
})
