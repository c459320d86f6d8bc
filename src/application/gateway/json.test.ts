import { describe, expect, test } from 'vitest'
import { exceedsDepth, parseJsonObject } from './json.ts'

const parse = (text: string | Buffer) => parseJsonObject(Buffer.from(text as string), 64) // cast: Buffer.from takes both
const codeOf = (text: string | Buffer): unknown => {
  try {
    parse(text)
  } catch (error) {
    return (error as { code: unknown }).code // cast: read for the assertion
  }
  return 'accepted'
}

describe('parseJsonObject', () => {
  test('default', () => {
    expect(parse('{"a":[1,"ä",{"b":null}]}')).toEqual({ a: [1, 'ä', { b: null }] })
  })

  test.each([
    ['truncated', '{"a":1', 'invalid_json'],
    ['no JSON', 'hello', 'invalid_json'],
    ['empty', '', 'invalid_json'],
    ['only spaces', ' \n', 'invalid_json'],
    ['null', 'null', 'invalid_type'],
    ['array', '[]', 'invalid_type'],
    ['number', '12', 'invalid_type'],
    ['text', '"hi"', 'invalid_type'],
    ['two values', '{}{}', 'invalid_json'],
    ['not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'invalid_json'],
    ['depth 65', `${'{"a":'.repeat(65)}1${'}'.repeat(65)}`, 'invalid_json'],
    ['a million brackets', '['.repeat(1_000_000), 'invalid_json'],
    ['__proto__', '{"__proto__":{"isAdmin":true}}', 'invalid_value'],
    ['escaped __proto__ deep down', '{"a":[{"\\u005f_proto__":1}]}', 'invalid_value'],
    ['half a surrogate pair', '{"messages":[{"content":"\\ud83d"}]}', 'invalid_value'],
    ['half a surrogate pair in a name', '{"\\uDC00":1}', 'invalid_value'],
  ])('error: %s', (_name, text, code) => {
    expect(codeOf(text)).toBe(code)
  })

  test('behavior: names the member at fault', () => {
    expect(() => parse('{"messages":[{"content":"\\ud83d"}]}')).toThrow(/messages\[0\]\.content/)
  })

  test('behavior: whole surrogate pairs and brackets inside text are fine', () => {
    expect(parse('{"a":"\\ud83d\\ude00"}')).toEqual({ a: '😀' })
    expect(parse(`{"a":"${'['.repeat(500)}\\"${'{'.repeat(500)}"}`)).toHaveProperty('a')
    expect(parse('{"a":"about __proto__"}')).toHaveProperty('a')
  })

  test('behavior: depth 64 is accepted, and siblings do not add up', () => {
    expect(codeOf(`${'{"a":'.repeat(64)}1${'}'.repeat(64)}`)).toBe('accepted')
    expect(exceedsDepth(`[${'[],'.repeat(1000)}1]`, 2)).toBe(false)
  })
})
