import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from './canonical.ts'

describe('canonicalJson', () => {
  test('default: sorted keys, no spaces, amounts as decimal strings, undefined left out', () => {
    expect(canonicalJson({ b: [1, 'x', null], a: { 'z z': 10n, y: true, gone: undefined } })).toBe(
      '{"a":{"y":true,"z z":"10"},"b":[1,"x",null]}',
    )
  })

  test('behavior: keys that JSON must quote or that look like numbers keep their place in the order of code units', () => {
    expect(canonicalJson({ '10': 1, '9': 2, '"': 3, é: 4, __proto__x: 5 })).toBe('{"\\"":3,"10":1,"9":2,"__proto__x":5,"é":4}')
    expect(canonicalJson(JSON.parse('{"__proto__":{"b":1,"a":2}}'))).toBe('{"__proto__":{"a":2,"b":1}}')
  })

  test('property: it is JSON of the same value, and the order in which keys were written does not matter', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), object => {
        const reversed = Object.fromEntries(Object.entries(object).reverse())
        expect(canonicalJson(reversed)).toBe(canonicalJson(object))
      }),
    )
  })
})
