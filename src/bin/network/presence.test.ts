import { describe, expect, test } from 'vitest'
import { deviceSchema, type NodeView } from '#protocol'
import { presenceOf } from './presence.ts'

const device = (kind: 'cpu' | 'gpu', gops: number | null, shareBps = 10_000) =>
  deviceSchema.parse({
    id: kind,
    kind,
    name: 'x',
    memoryBytes: 1,
    shareBps,
    benchmark: gops === null ? null : { score: gops * 1e9, kernel: 'k', measuredAtMs: 0 },
  })
const view = (changes: Partial<NodeView>): NodeView => ({
  nodeId: '0x00000000000000000000000000000000000000aa',
  owner: null,
  name: 'n',
  online: true,
  jailed: false,
  collateral: 0n,
  uptimeBps: 10_000,
  borneOutBps: 10_000,
  busySlots: 0,
  connectedAtMs: 0,
  lastSeenAtMs: 0,
  facts: { name: 'n', software: 's', region: '', devices: [device('gpu', 40), device('cpu', 2)], replicas: [] },
  ...changes,
})

describe('presenceOf', () => {
  test('default: the benchmarks of all parts that a node offers, in million operations per second', () => {
    expect(presenceOf(view({}), 500)).toEqual([{ nodeId: view({}).nodeId, onlineMs: 500, capacity: 42_000 }])
  })

  test('behavior: what was not benchmarked has no weight, and who is away none', () => {
    const facts = { ...view({}).facts!, devices: [device('gpu', null), device('cpu', 2)] }
    expect(presenceOf(view({ facts }), 500)[0]?.capacity).toBe(2_000)
    expect(presenceOf(view({ online: false }), 500)).toEqual([])
  })

  test('behavior: a claim that jobs do not bear out weighs as little as they show', () => {
    expect(presenceOf(view({ borneOutBps: 500 }), 500)[0]?.capacity).toBe(2_100)
  })
})
