import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Address } from '#protocol'
import { epochReport } from './report.ts'

const node = (digit: number): Address => `0x${digit.toString(16).padStart(2, '0').repeat(20)}`
const nodes = [
  { nodeId: node(2), registryId: 9n },
  { nodeId: node(1), registryId: 3n },
  { nodeId: node(7), registryId: 12n },
]

describe('epochReport', () => {
  test('default: availability of the watched time, newest capacity, organic work, ascending by registry id', () => {
    const presence = {
      watchedMs: 1_000,
      nodes: [
        { nodeId: node(1), onlineMs: 250, capacity: 40 },
        { nodeId: node(2), onlineMs: 1_000, capacity: 90 },
      ],
    }
    expect(epochReport({ nodes, presence, work: [{ nodeId: node(2), organicUnits: 5n }] })).toEqual([
      { nodeId: 3n, availabilityBps: 2_500n, capacity: 40n, organicComputeUnits: 0n },
      { nodeId: 9n, availabilityBps: 10_000n, capacity: 90n, organicComputeUnits: 5n },
    ])
  })

  test('behavior: work without presence is reported, presence of a node that the registry does not know is not', () => {
    const presence = { watchedMs: 10, nodes: [{ nodeId: node(99), onlineMs: 10, capacity: 1 }] }
    expect(epochReport({ nodes, presence, work: [{ nodeId: node(7), organicUnits: 1n }] })).toEqual([
      { nodeId: 12n, availabilityBps: 0n, capacity: 0n, organicComputeUnits: 1n },
    ])
  })

  test('behavior: nothing watched is nothing known, never full availability', () => {
    const presence = { watchedMs: 0, nodes: [{ nodeId: node(1), onlineMs: 10, capacity: 1 }] }
    expect(epochReport({ nodes, presence, work: [] })).toEqual([])
  })

  test('property: availability is never above the whole', () => {
    fc.assert(
      fc.property(fc.nat(1e9), fc.nat(1e9), (onlineMs, watchedMs) => {
        const presence = { watchedMs, nodes: [{ nodeId: node(1), onlineMs, capacity: 1 }] }
        for (const { availabilityBps } of epochReport({ nodes, presence, work: [] })) expect(availabilityBps <= 10_000n).toBe(true)
      }),
    )
  })
})
