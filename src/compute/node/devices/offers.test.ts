import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Device, deviceSchema, type PodManifest, podManifestSchema, unmetRequirements } from '#protocol'
import { cpuDevice } from './cpu.ts'
import { offered, parseOffer } from './offers.ts'
import { wholeGpu } from './whole.ts'

const GIB = 2 ** 30
const gpu = (id: string, gib = 24) => wholeGpu({ id: `GPU-${id}`, name: `RTX ${id}`, memoryBytes: gib * GIB, computeCapability: 8.9 })
const MIG: Device = { ...gpu('m', 10), id: 'MIG-m', kind: 'mig', parent: 'GPU-m', profile: '1g.10gb' }
const CPU = cpuDevice({ model: 'x', cores: 2, memoryBytes: 8 * GIB }, 10_000)
const offer = (devices: readonly Device[], texts: readonly string[], shareBps = 10_000) => offered(devices, texts.map(parseOffer), shareBps)
const short = ({ kind, id, memoryBytes, shareBps, slots }: Device) => [kind, id, memoryBytes / GIB, shareBps, slots]

const manifest = (resources: object): PodManifest =>
  podManifestSchema.parse({
    apiVersion: 'heurist/v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: {
      runtime: 'llm',
      engine: { name: 'llama' },
      model: { id: 'p', source: 'builtin:p' },
      resources,
      price: { input: '0', output: '0' },
    },
  })

describe('offered', () => {
  test('default: GPUs of which nothing is said are whole; MIG instances and the CPU stay what they are', () => {
    expect(offer([gpu('a'), MIG, CPU], [])).toEqual([gpu('a'), MIG, CPU])
  })

  test('default: slices share memory, time and slots', () => {
    expect(offer([gpu('a')], ['slices:4']).map(short)).toEqual([0, 1, 2, 3].map(index => ['slice', `GPU-a/${index}`, 6, 2_500, 16]))
  })

  test('default: some are grouped, one is kept for its owner, the rest are sliced', () => {
    const devices = offer([gpu('a'), gpu('b', 16), gpu('c'), gpu('d')], ['0,GPU-b=group', '2=off', 'slices:2'])
    expect(devices.map(short)).toEqual([
      ['group', expect.stringMatching(/^GROUP-[0-9a-f]{16}$/), 32, 10_000, 64],
      ['slice', 'GPU-d/0', 12, 5_000, 32],
      ['slice', 'GPU-d/1', 12, 5_000, 32],
    ])
    expect(devices[0]).toMatchObject({ members: ['GPU-a', 'GPU-b'] })
    for (const device of devices) expect(deviceSchema.safeParse(device).success, device.id).toBe(true)
  })

  test('behavior: a share of a whole GPU is a time slice, of a group a smaller group', () => {
    expect(offer([gpu('a')], [], 2_500).map(short)).toEqual([['slice', 'GPU-a', 6, 2_500, 16]])
    expect(offer([gpu('a'), gpu('b')], ['group'], 5_000)).toMatchObject([{ kind: 'group', memoryBytes: 24 * GIB, shareBps: 5_000 }])
  })

  test.each([
    ['', /not understood/],
    ['thirds', /not understood.*slices:4/],
    ['slices:1', /cuts a GPU into 1/],
    ['slices:99', /cuts a GPU into 99/],
    ['=whole', /names no GPU/],
    ['0,0=group', /one twice/],
    ['7=whole', /GPU 7 is offered and is not here.*0 \(RTX a, GPU-a\)/],
    ['0=group', /A group of 1 GPUs/],
  ])('error: the offer "%s"', (text, message) => expect(() => offer([gpu('a'), gpu('b')], [text])).toThrow(message))

  test('error: two offers for one GPU, or for all', () => {
    expect(() => offer([gpu('a')], ['0=whole', 'GPU-a=off'])).toThrow(/offered twice/)
    expect(() => offer([gpu('a')], ['whole', 'off'])).toThrow(/for all GPUs/)
    expect(() => offer([CPU], ['0=whole'])).toThrow(/no GPU/)
    expect(() => offer([gpu('a'), { ...gpu('x'), id: 'AMD-x' }], ['group'])).toThrow(/two vendors/)
  })

  test('property: slices never hold more memory, time or slots than their GPU', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 16 }),
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 1, max: 200 }),
        (count, share, gib) => {
          const whole = gpu('a', gib)
          const slices = offer([whole], [`slices:${count}`], share)
          const total = (of: (device: Device) => number) => slices.reduce((sum, device) => sum + of(device), 0)
          expect(slices).toHaveLength(count)
          expect(total(({ memoryBytes }) => memoryBytes)).toBeLessThanOrEqual(whole.memoryBytes)
          // Each slice has at least one basis point and one slot, however small the share.
          expect(total(({ shareBps }) => shareBps)).toBeLessThanOrEqual(Math.max(share, count))
          expect(total(({ slots }) => slots)).toBeLessThanOrEqual(Math.max(64, count))
        },
      ),
    )
  })
})

describe('what a fraction can hold', () => {
  const [slice, group] = [offer([gpu('a')], ['slices:2'])[0]!, offer([gpu('a'), gpu('b')], ['group'])[0]!]
  test.each([
    ['a pod that wants memory of its own, on a time slice', { fractional: 'mig' }, slice, /memory isolation/],
    ['a pod that wants a whole device, on a time slice', { fractional: 'forbidden' }, slice, /whole device/],
    ['a pod that wants a whole device, on a MIG instance', { fractional: 'forbidden' }, MIG, /whole device/],
    ['a pod of two GPUs, on one', { gpuCount: 2 }, gpu('a'), /group of 2 GPUs, device GPU-a has 1/],
    ['a pod of three GPUs, on a group of two', { gpuCount: 3 }, group, /group of 3 GPUs.*has 2/],
    ['a pod of one GPU, on a group', { gpuCount: 1 }, group, /is a group/],
  ] as const)('error: %s', (_label, resources, device, reason) =>
    expect(unmetRequirements(manifest(resources), device)).toEqual([expect.stringMatching(reason)]),
  )

  test('default: a pod of two GPUs on a group of two, one that wants its own memory on a MIG instance', () => {
    expect(unmetRequirements(manifest({ gpuCount: 2, vramBytes: 40 * GIB }), group)).toEqual([])
    expect(unmetRequirements(manifest({ gpuCount: 1, fractional: 'mig' }), MIG)).toEqual([])
  })
})
