import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Holder, shareOf } from './share.ts'

describe('shareOf', () => {
  test('default: alone, a router has all; beside others its part by places', () => {
    expect(shareOf(5, { instance: 'a', places: 1 }, [])).toBe(5)
    expect(shareOf(8, { instance: 'a', places: 1 }, [{ instance: 'b', places: 3 }])).toBe(2)
    expect(shareOf(8, { instance: 'b', places: 3 }, [{ instance: 'a', places: 1 }])).toBe(6)
  })
  test('behavior: one replica goes to one router, the first by name when they are alike', () => {
    expect(shareOf(1, { instance: 'a', places: 2 }, [{ instance: 'b', places: 2 }])).toBe(1)
    expect(shareOf(1, { instance: 'b', places: 2 }, [{ instance: 'a', places: 2 }])).toBe(0)
  })
  test('behavior: no bound is no bound for anyone, and where nobody has a place nothing is divided', () => {
    expect(shareOf(Number.POSITIVE_INFINITY, { instance: 'a', places: 1 }, [{ instance: 'b', places: 1 }])).toBe(Number.POSITIVE_INFINITY)
    expect(shareOf(2, { instance: 'a', places: 0 }, [{ instance: 'b', places: 0 }])).toBe(2)
  })
  test('property: the parts add up to the total, and none is larger than its places while places suffice', () => {
    const holders = fc.uniqueArray(fc.record({ instance: fc.string({ minLength: 1 }), places: fc.nat({ max: 50 }) }), {
      selector: ({ instance }) => instance,
      minLength: 2,
      maxLength: 8,
    })
    fc.assert(
      fc.property(holders, fc.nat({ max: 300 }), (all: Holder[], total) => {
        fc.pre(all.some(({ places }) => places > 0))
        const parts = all.map(own => ({
          own,
          part: shareOf(
            total,
            own,
            all.filter(other => other !== own),
          ),
        }))
        expect(parts.reduce((sum, { part }) => sum + part, 0)).toBe(total)
        const places = all.reduce((sum, holder) => sum + holder.places, 0)
        if (total <= places) for (const { own, part } of parts) expect(part).toBeLessThanOrEqual(own.places)
      }),
    )
  })
})
