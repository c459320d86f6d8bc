import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { gpusOf } from '#protocol'
import { type Outcome, pack, type Tenant, type Wish } from './packing.ts'
import { device, mig, slice, wish } from './testing/packing.ts'

const DEVICES = [
  device('whole', 24),
  slice('cut', 0, 8),
  slice('cut', 1, 8),
  mig('m', 0, 10),
  mig('m', 1, 10),
  device('pair', 48, { kind: 'group', members: ['g0', 'g1'], slots: 6 }),
  device('cpu', 16, { kind: 'cpu', slots: 9 }),
]
const CPU_BYTES = 16 * 2 ** 30
const IDS = DEVICES.map(({ id }) => id)
const trust = fc.constantFrom('models', 'programs of a', 'programs of b')
const wishes = fc
  .array(
    fc.record({
      gib: fc.integer({ min: 0, max: 26 }),
      hostGib: fc.integer({ min: 0, max: 9 }),
      slots: fc.integer({ min: 1, max: 20 }),
      trust,
      options: fc.shuffledSubarray(IDS),
      pod: fc.integer({ min: 0, max: 14 }),
    }),
    { maxLength: 12 },
  )
  .map(list =>
    list.map(({ gib, hostGib, slots, trust: own, options, pod }) => wish(`w${pod}`, gib, options, { hostGib, slots, trust: own })),
  )
/** Who could really be there: placed by the same rule, some of them idle by now. */
const scenes = fc
  .record({ before: wishes, idle: fc.array(fc.option(fc.integer({ min: 0, max: 5 })), { minLength: 12, maxLength: 12 }), wishes })
  .map(({ before, idle, wishes: next }) => {
    const present = pack(DEVICES, [], before).flatMap((outcome, index) => {
      const { podId, trust: own, options } = before[index]!
      if (!('evict' in outcome)) return []
      const { bytes, hostBytes } = options.find(({ deviceId }) => deviceId === outcome.deviceId)!
      return [
        {
          podId: `t${index}`,
          podName: podId,
          deviceId: outcome.deviceId,
          trust: own,
          bytes,
          hostBytes,
          slots: outcome.slots,
          idleSinceMs: idle[index] ?? null,
        },
      ]
    })
    return { present, wishes: next }
  })

function standing(present: readonly Tenant[], asked: readonly Wish[], outcomes: readonly Outcome<Tenant>[]): Tenant[] {
  const placed = outcomes.flatMap((outcome, index): Tenant[] => {
    if (!('evict' in outcome)) return []
    const { podId, podName, trust: own, options } = asked[index]!
    const { bytes, hostBytes } = options.find(({ deviceId }) => deviceId === outcome.deviceId)!
    return [{ podId, podName, deviceId: outcome.deviceId, trust: own, bytes, hostBytes, slots: outcome.slots, idleSinceMs: null }]
  })
  const evicted = outcomes.flatMap(outcome => ('evict' in outcome ? outcome.evict : []))
  return [...present.filter(each => !evicted.includes(each)), ...placed]
}

const sum = (tenants: readonly Tenant[], deviceId: string, of: (tenant: Tenant) => number): number =>
  tenants.filter(each => each.deviceId === deviceId).reduce((total, each) => total + of(each), 0)

/** What is promised of the machine's memory. */
const onMachine = (tenants: readonly Tenant[]): number =>
  sum(tenants, 'cpu', ({ bytes }) => bytes) + tenants.reduce((total, { hostBytes }) => total + hostBytes, 0)

function trustsOn(tenants: readonly Tenant[], gpu: string): Set<string> {
  const ids = DEVICES.filter(each => gpusOf(each).includes(gpu)).map(({ id }) => id)
  return new Set(tenants.filter(({ deviceId }) => ids.includes(deviceId)).map(each => each.trust))
}

/** First-fit decreasing as a textbook has it: whom it finds a place for beside those who are there. */
function firstFitDecreasing(present: readonly Tenant[], asked: readonly Wish[]): Set<Wish> {
  const all = [...present]
  const found = new Set<Wish>()
  const bytesOf = ({ options }: Wish): number => Math.max(0, ...options.map(({ bytes }) => bytes))
  const order = [...asked].sort((a, b) => bytesOf(b) - bytesOf(a) || (a.podId < b.podId ? -1 : Number(a.podId > b.podId)))
  for (const each of order) {
    const { podId, podName, trust: own, slots, options } = each
    for (const { deviceId, bytes, hostBytes } of options) {
      const target = DEVICES.find(({ id }) => id === deviceId)!
      const free = target.slots - sum(all, deviceId, other => other.slots)
      const isTooLarge = sum(all, deviceId, ({ bytes: taken }) => taken) + bytes > target.memoryBytes
      const onHost = deviceId === 'cpu' ? bytes : hostBytes
      const isCrowded = isTooLarge || free < 1 || (onHost > 0 && onMachine(all) + onHost > CPU_BYTES)
      const isStrange = gpusOf(target).some(gpu => [...trustsOn(all, gpu)].some(other => other !== own))
      const isDouble = all.some(other => other.deviceId === deviceId && other.podId === podId)
      if (isCrowded || isStrange || isDouble) continue
      all.push({ podId, podName, deviceId, trust: own, bytes, hostBytes, slots: Math.min(slots, free), idleSinceMs: null })
      found.add(each)
      break
    }
  }
  return found
}

describe('pack, whoever is there and whatever is asked for', () => {
  const check = (property: (scene: { present: Tenant[]; wishes: Wish[]; outcomes: Outcome<Tenant>[] }) => void) =>
    fc.assert(
      fc.property(scenes, scene => property({ ...scene, outcomes: pack(DEVICES, scene.present, scene.wishes) })),
      { numRuns: 1000 },
    )

  test('property: no device promises more memory or slots than it has', () =>
    check(({ present, wishes: asked, outcomes }) => {
      const all = standing(present, asked, outcomes)
      for (const { id, memoryBytes, slots } of DEVICES) {
        expect(
          sum(all, id, each => each.bytes),
          id,
        ).toBeLessThanOrEqual(memoryBytes)
        expect(
          sum(all, id, each => each.slots),
          id,
        ).toBeLessThanOrEqual(slots)
      }
      expect(onMachine(all)).toBeLessThanOrEqual(CPU_BYTES)
      for (const outcome of outcomes) if ('evict' in outcome) expect(outcome.slots).toBeGreaterThan(0)
    }))

  test('property: no two trust classes on one GPU without MIG, nor twice one pod on a device', () =>
    check(({ present, wishes: asked, outcomes }) => {
      const all = standing(present, asked, outcomes)
      for (const gpu of ['whole', 'cut', 'g0', 'g1', ...IDS.filter(id => id.startsWith('MIG-'))]) {
        expect(trustsOn(all, gpu).size, gpu).toBeLessThanOrEqual(1)
      }
      expect(new Set(all.map(({ podId, deviceId }) => `${podId} ${deviceId}`)).size).toBe(all.length)
    }))

  test('property: who works stays, and nobody goes in vain', () =>
    check(({ present, wishes: asked, outcomes }) => {
      const evicted = outcomes.flatMap(outcome => ('evict' in outcome ? outcome.evict : []))
      expect(evicted.every(({ idleSinceMs }) => idleSinceMs !== null)).toBe(true)
      expect(new Set(evicted).size).toBe(evicted.length)
      if (asked.length !== 1) return
      for (const spared of evicted) {
        const rest = present.map(each => (each === spared || !evicted.includes(each) ? { ...each, idleSinceMs: null } : each))
        const gone = rest.filter(({ podId }) => !evicted.some(each => each !== spared && each.podId === podId))
        const again = pack(DEVICES, gone, asked)[0]!
        const device = (outcomes[0] as { deviceId: string }).deviceId // cast: somebody was evicted, so it was placed
        expect('evict' in again && again.deviceId === device, spared.podId).toBe(false)
      }
    }))

  test('property: whatever first-fit decreasing finds a place for gets one', () =>
    check(({ present, wishes: asked, outcomes }) => {
      const placed = new Set(asked.filter((_, index) => 'evict' in outcomes[index]!))
      for (const each of firstFitDecreasing(present, asked)) expect(placed.has(each), each.podId).toBe(true)
    }))

  test('property: who is refused could not be placed by unloading everything idle, and is told why', () =>
    check(({ present, wishes: asked, outcomes }) => {
      const staying = standing(present, asked, outcomes).filter(({ idleSinceMs }) => idleSinceMs === null)
      for (const [index, outcome] of outcomes.entries()) {
        if ('evict' in outcome) continue
        expect([...outcome.refusals.keys()]).toEqual(asked[index]!.options.map(({ deviceId }) => deviceId))
        expect('evict' in pack(DEVICES, staying, [asked[index]!])[0]!).toBe(false)
      }
    }))

  test('property: the order of the tenants and of the wishes changes nothing', () =>
    fc.assert(
      fc.property(scenes, fc.infiniteStream(fc.nat()), ({ present, wishes: asked }, random) => {
        // Two wishes of one pod are the same wish.
        const own = asked.map((each, index) => ({ ...each, podId: `w${index}` }))
        const shuffled = <T>(list: readonly T[]): T[] =>
          list
            .map(item => ({ item, at: random.next().value as number }))
            .sort((a, b) => a.at - b.at)
            .map(({ item }) => item) // cast: it never ends
        const others = shuffled(own)
        const plain = pack(DEVICES, present, own)
        const mixed = pack(DEVICES, shuffled(present), others)
        const told = (outcome: Outcome<Tenant>) =>
          'evict' in outcome
            ? [outcome.deviceId, outcome.slots, outcome.evict.map(({ podId }) => podId).sort()]
            : [...outcome.refusals.keys()]
        expect(own.map((each, index) => [each.podId, told(plain[index]!)])).toEqual(
          own.map(each => [each.podId, told(mixed[others.indexOf(each)]!)]),
        )
      }),
      { numRuns: 500 },
    ))
})
