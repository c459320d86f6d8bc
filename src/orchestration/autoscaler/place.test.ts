import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { NodeId, PodId } from '#protocol'
import { type Place, type Placing, placeReplicas } from './place.ts'

const node = (digit: number): NodeId => `0x${digit.toString(16).padStart(40, '0')}`
const podId = (digit: number): PodId => `0x${digit.toString(16).padStart(64, '0')}`
const place = (digit: number, change: Partial<Place> = {}): Place => ({
  nodeId: node(digit),
  warm: 0,
  loading: 0,
  cold: 1,
  busy: 0,
  unitsPerSecond: 10,
  ...change,
})
const pod = (change: Partial<Placing> = {}): Placing => ({
  podId: podId(1),
  desired: 1,
  votes: 0n,
  oldestPendingMs: 0,
  places: [],
  ...change,
})

describe('placeReplicas', () => {
  test('default: new replicas go to the fastest nodes, one each', () => {
    const places = [place(1), place(2, { unitsPerSecond: 50 }), place(3, { unitsPerSecond: 20 })]
    expect(placeReplicas([pod({ desired: 2, places })]).map(({ nodeId, action }) => [nodeId, action])).toEqual([
      [node(2), 'load'],
      [node(3), 'load'],
    ])
  })

  test('behavior: a node that has one already goes last, several devices of it are used when nobody else is left', () => {
    const places = [place(1, { warm: 1, cold: 2, unitsPerSecond: 99 }), place(2)]
    expect(placeReplicas([pod({ desired: 4, places })]).map(({ nodeId }) => nodeId)).toEqual([node(2), node(1), node(1)])
  })

  test('behavior: an idle one is taken away, the slowest first; a busy one never', () => {
    const places = [
      place(1, { warm: 1, cold: 0, busy: 1, unitsPerSecond: 1 }),
      place(2, { warm: 1, cold: 0 }),
      place(3, { warm: 1, cold: 0, unitsPerSecond: 5 }),
    ]
    expect(placeReplicas([pod({ desired: 1, places })])).toEqual([
      { nodeId: node(3), podId: podId(1), action: 'evict' },
      { nodeId: node(2), podId: podId(1), action: 'evict' },
    ])
    const allBusy = places.map(one => ({ ...one, busy: 1 }))
    expect(placeReplicas([pod({ desired: 0, places: allBusy })])).toEqual([])
  })

  test('behavior: votes go first where places are scarce, then who waits longest', () => {
    const places = [place(1)]
    const pods = [
      pod({ podId: podId(1), places, oldestPendingMs: 9_000 }),
      pod({ podId: podId(2), places, votes: 5n }),
      pod({ podId: podId(3), places, oldestPendingMs: 100 }),
    ]
    expect(placeReplicas(pods).map(command => command.podId)).toEqual([podId(2), podId(1), podId(3)])
  })

  const anyPlace = fc.record({
    warm: fc.nat(3),
    loading: fc.nat(2),
    cold: fc.nat(3),
    busy: fc.nat(2),
    unitsPerSecond: fc.nat(50),
  })
  test('behavior: never more loads than cold replicas, never more than asked, never loads and evictions at once', () => {
    fc.assert(
      fc.property(fc.array(anyPlace, { maxLength: 6 }), fc.nat(20), (facts, desired) => {
        const places = facts.map((fact, index) => ({ nodeId: node(index + 1), ...fact }))
        const commands = placeReplicas([pod({ desired, places })])
        const present = places.reduce((sum, { warm, loading }) => sum + warm + loading, 0)
        const loads = commands.filter(({ action }) => action === 'load')
        expect(loads.length).toBe(
          Math.max(
            0,
            Math.min(
              desired - present,
              places.reduce((sum, { cold }) => sum + cold, 0),
            ),
          ),
        )
        expect(commands.length - loads.length).toBeLessThanOrEqual(Math.max(0, present - desired))
        for (const { nodeId } of loads) {
          expect(loads.filter(other => other.nodeId === nodeId).length).toBeLessThanOrEqual(
            places.find(one => one.nodeId === nodeId)?.cold ?? 0,
          )
        }
      }),
    )
  })
})
