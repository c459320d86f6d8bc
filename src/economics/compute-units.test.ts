import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { computeUnitsOf, MIN_WEIGHT_MIB, weightMib } from './compute-units.ts'

const GIB = 2 ** 30

describe('computeUnitsOf', () => {
  test('default: GPU time times VRAM, the time divided among the slots', () => {
    expect(computeUnitsOf({ busyMs: 2_000, slots: 1, vramBytes: 8 * GIB, memoryBytes: 0 })).toBe(2_000 * 8_192)
    expect(computeUnitsOf({ busyMs: 2_000, slots: 4, vramBytes: 8 * GIB, memoryBytes: 0 })).toBe(500 * 8_192)
  })

  test('behavior: without a GPU an eighth of the host memory weighs; a pod that names nothing has the least weight', () => {
    expect(weightMib({ vramBytes: 0, memoryBytes: 8 * GIB })).toBe(1_024)
    expect(weightMib({ vramBytes: 0, memoryBytes: 0 })).toBe(MIN_WEIGHT_MIB)
    expect(weightMib({ vramBytes: 1, memoryBytes: 64 * GIB })).toBe(MIN_WEIGHT_MIB)
  })

  test('behavior: a job that took no measurable time counts one millisecond', () => {
    expect(computeUnitsOf({ busyMs: 0, slots: 1, vramBytes: GIB, memoryBytes: 0 })).toBe(1_024)
  })

  test('property: a device earns no more units by announcing more slots', () => {
    const bytes = fc.integer({ min: 0, max: 1_024 * GIB })
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3_600_000 }), fc.integer({ min: 1, max: 4_096 }), bytes, (busyMs, slots, vramBytes) => {
        const all = slots * computeUnitsOf({ busyMs, slots, vramBytes, memoryBytes: 0 })
        const alone = computeUnitsOf({ busyMs, slots: 1, vramBytes, memoryBytes: 0 })
        expect(all).toBeLessThanOrEqual(alone)
        expect(Number.isSafeInteger(alone)).toBe(true)
      }),
    )
  })
})
