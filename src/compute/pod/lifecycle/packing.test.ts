import { describe, expect, test } from 'vitest'
import type { Device } from '#protocol'
import { makePod } from '../../node/testing/fixtures.ts'
import { type Outcome, pack, type Tenant, trustClassOf } from './packing.ts'
import { device, mig, slice, tenant, wish } from './testing/packing.ts'

const short = (outcome: Outcome<Tenant> | undefined) =>
  outcome && 'evict' in outcome ? [outcome.deviceId, outcome.evict.map(({ podId }) => podId)] : [...(outcome?.refusals.values() ?? [])]

describe('pack', () => {
  test('default: the largest first, each on the first device with room: what fits at all fits in whatever order it is asked for', () => {
    const devices = [device('a', 24), device('b', 16)]
    const outcomes = pack(devices, [], [wish('small', 8, ['a', 'b']), wish('large', 20, ['a', 'b']), wish('middle', 8, ['a', 'b'])])
    expect(outcomes.map(short)).toEqual([
      ['b', []],
      ['a', []],
      ['b', []],
    ])
  })

  test('behavior: idle replicas go, the one used longest ago first, none in vain and none that works', () => {
    const present = [
      tenant('tiny', 'a', 1, { idleSinceMs: 1 }),
      tenant('old', 'a', 8, { idleSinceMs: 2 }),
      tenant('fresh', 'a', 8, { idleSinceMs: 3 }),
      tenant('busy', 'a', 4),
    ]
    expect(short(pack([device('a', 24)], present, [wish('next', 10, ['a'])])[0])).toEqual(['a', ['old']])
    expect(short(pack([device('a', 24)], present, [wish('next', 20, ['a'])])[0])).toEqual(['a', ['tiny', 'old', 'fresh']])
  })

  test('behavior: nothing is evicted while another device has room', () => {
    const present = [tenant('idle', 'a', 20, { idleSinceMs: 1 })]
    expect(short(pack([device('a', 24), device('b', 24)], present, [wish('next', 20, ['a', 'b'])])[0])).toEqual(['b', []])
  })

  test('behavior: it gets the slots that are left, and makes room for one when none is', () => {
    const [fewer] = pack([device('a', 24, { slots: 6 })], [tenant('busy', 'a', 1)], [wish('next', 1, ['a'])])
    expect(fewer).toMatchObject({ slots: 2, evict: [] })
    const idle = tenant('idle', 'a', 1, { slots: 6, idleSinceMs: 1 })
    expect(pack([device('a', 24, { slots: 6 })], [idle], [wish('next', 1, ['a'])])[0]).toMatchObject({ slots: 4, evict: [idle] })
  })

  test('behavior: strangers do not meet on the slices of a GPU, and do on MIG instances and on a CPU', () => {
    const stranger = { trust: 'programs of 0xb' }
    const slices = [slice('a', 0, 12), slice('a', 1, 12)]
    const instances = [mig('a', 0, 12), mig('a', 1, 12)]
    const ids = (devices: readonly Device[]) => devices.map(({ id }) => id)
    expect(short(pack(slices, [tenant('first', 'a/0', 4)], [wish('next', 4, ids(slices), stranger)])[0])).toEqual([
      expect.stringMatching(/^no room on a\/0 beside first: a GPU without MIG/),
      expect.stringMatching(/^no room on a\/1 beside first: a GPU without MIG/),
    ])
    expect(short(pack(slices, [tenant('first', 'a/0', 4)], [wish('next', 10, ids(slices))])[0])).toEqual(['a/1', []])
    expect(short(pack(instances, [tenant('first', 'MIG-a-0', 12)], [wish('next', 4, ids(instances), stranger)])[0])).toEqual([
      'MIG-a-1',
      [],
    ])
    const cpu = device('cpu', 8, { kind: 'cpu' })
    expect(short(pack([cpu], [tenant('first', 'cpu', 4)], [wish('next', 4, ['cpu'], stranger)])[0])).toEqual(['cpu', []])
  })

  test('behavior: a stranger waits for all idle ones of the GPU to go, and for the busy one in vain', () => {
    const slices = [slice('a', 0, 12), slice('a', 1, 12)]
    const next = wish('next', 4, ['a/0'], { trust: 'programs of 0xb' })
    const idle = [tenant('one', 'a/0', 4, { idleSinceMs: 1 }), tenant('two', 'a/1', 4, { idleSinceMs: 2 })]
    expect(short(pack(slices, idle, [next])[0])).toEqual(['a/0', ['one', 'two']])
    expect(short(pack(slices, [idle[0]!, tenant('two', 'a/1', 4)], [next])[0])).toEqual([
      expect.stringMatching(/^no room on a\/0 beside two/),
    ])
  })

  test("behavior: what pods on GPUs take of the machine's memory is taken from the CPU's, and comes back from whoever is idle", () => {
    const devices = [device('a', 24), device('b', 24), device('cpu', 16, { kind: 'cpu' })]
    const onA = tenant('first', 'a', 4, { hostBytes: 10 * 2 ** 30, idleSinceMs: 5 })
    const busyA = { ...onA, idleSinceMs: null }
    const onCpu = tenant('small', 'cpu', 4, { idleSinceMs: 1 })
    expect(short(pack(devices, [busyA, onCpu], [wish('next', 8, ['cpu'])])[0])).toEqual([
      'no room on cpu: the pod takes 8.0 GiB, and 6.0 GiB are free (held by first)',
    ])
    expect(short(pack(devices, [busyA, onCpu], [wish('next', 8, ['b'], { hostGib: 8 })])[0])).toEqual([
      "no room beside b: the pod takes 8.0 GiB of the machine's memory, and 6.0 GiB are free (held by first)",
    ])
    expect(short(pack(devices, [busyA, onCpu], [wish('next', 8, ['b'], { hostGib: 6 })])[0])).toEqual(['b', ['small']])
    expect(short(pack(devices, [onA, onCpu], [wish('next', 8, ['b'], { hostGib: 8 })])[0])).toEqual(['b', ['first']])
    expect(short(pack(devices, [busyA, onCpu], [wish('next', 24, ['b'])])[0])).toEqual(['b', []])
  })

  test('behavior: one replica of a pod on a device', () => {
    const outcomes = pack(
      [device('a', 24), device('b', 24)],
      [],
      [wish('p', 4, ['a', 'b']), wish('p', 4, ['a', 'b']), wish('p', 4, ['a', 'b'])],
    )
    expect(outcomes.map(short)).toEqual([
      ['a', []],
      ['b', []],
      ['no room on a: a replica of the pod is there', 'no room on b: a replica of the pod is there'],
    ])
  })

  test.each([
    ['it is larger than the device', 30, [], ['no room on a: it has 24.0 GiB, and the pod takes 30.0 GiB']],
    [
      'others work there',
      10,
      [tenant('y', 'a', 8), tenant('x', 'a', 8)],
      ['no room on a: the pod takes 10.0 GiB, and 8.0 GiB are free (held by x, y)'],
    ],
    ['all slots are taken', 1, [tenant('x', 'a', 1, { slots: 64 })], ['no room on a: all its 64 slots are taken (held by x)']],
  ])('error: says why when %s', (_label, gib, present, reasons) =>
    expect(short(pack([device('a', 24)], present, [wish('next', gib, ['a'])])[0])).toEqual(reasons),
  )
})

describe('trustClassOf', () => {
  test('default: programs of one deployer, and everything that brings weights only', () => {
    const command = { runtime: 'command', engine: { name: 'command' }, command: { run: ['node', '/pod/a.mjs'] } }
    const program = makePod('program', { ...command, model: { id: 'a', source: 'file:/a.mjs' } })
    expect(trustClassOf(program)).toBe(trustClassOf({ ...program, name: 'other' }))
    expect(trustClassOf(program)).not.toBe(trustClassOf({ ...program, deployer: '0x00000000000000000000000000000000000000cc' }))
    expect(trustClassOf(makePod('one'))).toBe(trustClassOf({ ...makePod('two'), deployer: '0x00000000000000000000000000000000000000cc' }))
    expect(trustClassOf(makePod('one'))).not.toBe(trustClassOf(program))
  })
})
