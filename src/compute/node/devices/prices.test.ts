import { describe, expect, test } from 'vitest'
import { deviceSchema, unmetRequirements } from '#protocol'
import { makePod } from '../testing/fixtures.ts'
import { parseMinimumPrice, priced } from './prices.ts'

const device = (kind: 'cpu' | 'gpu') => deviceSchema.parse({ id: kind, kind, name: 'x', memoryBytes: 2 ** 34, benchmark: null })
const asking = (...texts: string[]) => priced([device('gpu'), device('cpu')], texts.map(parseMinimumPrice))

describe('priced', () => {
  test('default: one price for all, or for one kind and the rest', () => {
    expect(asking().map(({ minNanoCredits }) => minNanoCredits)).toEqual([undefined, undefined])
    expect(asking('5').map(({ minNanoCredits }) => minNanoCredits)).toEqual([5e9, 5e9])
    expect(asking('gpu=20.5', '0.000000001').map(({ minNanoCredits }) => minNanoCredits)).toEqual([20_500_000_000, 1])
    for (const each of asking('gpu=20')) expect(deviceSchema.safeParse(each).success).toBe(true)
  })

  test.each(['', 'tpu=5', 'gpu=', 'gpu=-1', '5 credits', '1e3', '2000000'])('error: the price "%s"', text =>
    expect(() => parseMinimumPrice(text)).toThrow(/is not understood.*"gpu=20"/),
  )

  test('error: two prices for the same devices', () => expect(() => asking('gpu=1', 'gpu=2')).toThrow(/same devices/))
})

describe('what a priced device holds', () => {
  const pays = (input: string, output: string) => makePod('p', { price: { input, output } }).manifest
  const [gpu] = asking('gpu=20')
  test.each([
    ['a pod that pays that much', pays('0', '20000000000'), []],
    ['an encoder that pays that much for its input', pays('20000000000', '0'), []],
    ['a pod that pays less', pays('5000000000', '19999999999'), ['pays 19.999999999 credits per 1M units, device gpu asks for 20']],
  ])('behavior: %s', (_label, manifest, unmet) => expect(unmetRequirements(manifest, gpu!)).toEqual(unmet))
})
