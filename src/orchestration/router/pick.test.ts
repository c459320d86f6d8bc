import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type JobPreferences, jobPreferencesSchema, keccak256, type NodeId, type NodeStanding } from '#protocol'
import { type Demand, isEligible, isEligibleWithSlot } from './filter.ts'
import type { Fleet } from './fleet.ts'
import type { Hosting } from './hosting.ts'
import { pick } from './pick.ts'
import { bestOf, rankKeys } from './rank.ts'
import { factsHosting } from './testing/fake-node.ts'
import { goodStanding, sessionOf, testFleet, testPod } from './testing/harness.ts'

const pod = testPod()
const nextVersion = { ...testPod('chat/test', { scaling: { max: 7 } }), podId: pod.podId }
const COUNT = 24
const ids = Array.from({ length: COUNT }, (_, index): NodeId => keccak256(`node ${index}`).slice(0, 42) as NodeId) // cast: a prefix of hex is hex

/** The rule over all nodes, one by one: what the index must not differ from. */
function plainPick(fleet: Fleet, demand: Demand, seed: string) {
  const hostings = [...fleet.all()].flatMap(node => node.hostings.get(demand.pod.podId) ?? [])
  const eligible = hostings.filter(hosting => isEligible(hosting, demand))
  const ranked = eligible.map(hosting => ({
    hosting,
    nodeId: hosting.nodeId,
    keys: rankKeys(hosting, demand.referredNodes.has(hosting.nodeId)),
  }))
  return {
    chosen: bestOf(ranked, seed)?.nodeId ?? null,
    eligible: eligible.length,
    owners: new Set(eligible.map(({ node }) => node.standing?.owner)).size,
    referred: eligible.some(({ nodeId }) => demand.referredNodes.has(nodeId)),
    mayWait: eligible.length === 0 && hostings.some(hosting => isEligibleWithSlot(hosting, demand)),
  }
}

function indexedPick(fleet: Fleet, demand: Demand, seed: string) {
  const choice = pick(fleet, demand, seed)
  const { eligible, owners, referred } = choice
  return { chosen: choice.chosen?.nodeId ?? null, eligible, owners, referred, mayWait: choice.chosen === null && choice.mayWait }
}

type Step =
  | {
      readonly kind: 'join' | 'facts'
      readonly node: number
      readonly speed: number
      readonly slots: number
      readonly warm: boolean
      readonly region: string
      readonly isNext: boolean
    }
  | { readonly kind: 'leave'; readonly node: number }
  | { readonly kind: 'busy'; readonly node: number; readonly busy: number }
  | { readonly kind: 'standing'; readonly node: number; readonly changes: Partial<NodeStanding>; readonly uptimeBps: number }

const node = fc.nat(COUNT - 1)
const hosted = {
  node,
  speed: fc.oneof(fc.constantFrom(0, 100, 105), fc.double({ min: 0, max: 1000, noNaN: true })),
  slots: fc.integer({ min: 0, max: 3 }),
  warm: fc.boolean(),
  region: fc.constantFrom('', 'eu', 'us'),
  isNext: fc.boolean(),
}
const owner = fc.constantFrom<NodeId>('0x01', '0x02', '0x03')
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('join' as const), ...hosted }),
  fc.record({ kind: fc.constant('facts' as const), ...hosted }),
  fc.record({ kind: fc.constant('leave' as const), node }),
  fc.record({ kind: fc.constant('busy' as const), node, busy: fc.nat(3) }),
  fc.record({
    kind: fc.constant('standing' as const),
    node,
    changes: fc.record({ owner, jailed: fc.boolean(), covered: fc.boolean(), votes: fc.bigInt(0n, 3n).map(votes => votes * 10n ** 18n) }),
    uptimeBps: fc.integer({ min: 0, max: 10_000 }),
  }),
)
const some = fc.option(fc.array(node, { maxLength: 6 }), { nil: undefined })
const asked = fc.record({
  allow: some,
  deny: some,
  excluded: fc.array(node, { maxLength: 2 }),
  referred: fc.array(node, { maxLength: 4 }),
  region: fc.option(fc.constantFrom<string[]>('', 'eu', 'us', 'nowhere'), { nil: undefined }),
  isNext: fc.boolean(),
  seed: fc.string().map(keccak256),
})
type Asked = typeof asked extends fc.Arbitrary<infer T> ? T : never

const idsOf = (nodes: readonly number[]): NodeId[] => nodes.map(index => ids[index]!)
function demandOf({ allow, deny, excluded, referred, region, isNext }: Asked): Demand {
  const preferences: JobPreferences = jobPreferencesSchema.parse({
    ...(allow && { allow_nodes: idsOf(allow) }),
    ...(deny && { deny_nodes: idsOf(deny) }),
    ...(region !== undefined && { region }),
  })
  return { pod: isNext ? nextVersion : pod, preferences, referredNodes: new Set(idsOf(referred)), excluded: new Set(idsOf(excluded)) }
}

/** A fleet and the hands that change it. */
function world() {
  const standings = new Map<NodeId, { standing: NodeStanding; uptimeBps: number }>()
  const fleet = testFleet({
    standing: id => standings.get(id)?.standing ?? goodStanding(id),
    presence: { uptimeBps: id => standings.get(id)?.uptimeBps ?? 10_000 },
  })
  const sessions = new Map<NodeId, ReturnType<typeof sessionOf>>()
  function hosting(nodeId: NodeId): Hosting | undefined {
    return fleet.get(nodeId)?.hostings.get(pod.podId)
  }
  function take(change: Step): void {
    const nodeId = ids[change.node]!
    const session = sessions.get(nodeId)
    if (change.kind === 'standing') {
      standings.set(nodeId, { standing: goodStanding(nodeId, change.changes), uptimeBps: change.uptimeBps })
      fleet.refreshStanding(nodeId)
    } else if (change.kind === 'leave') {
      if (session) fleet.leave(session)
      sessions.delete(nodeId)
    } else if (change.kind === 'busy') {
      const held = hosting(nodeId)
      if (held) fleet.setBusy(held, change.busy)
    } else {
      const facts = factsHosting([change.isNext ? nextVersion : pod], { unitsPerSecond: change.speed, slots: change.slots })
      const replicas = facts.replicas.map(replica => ({ ...replica, state: change.warm ? ('warm' as const) : ('cold' as const) }))
      if (change.kind === 'join') {
        sessions.set(nodeId, sessionOf(nodeId))
        fleet.join(sessions.get(nodeId)!, { ...facts, replicas, region: change.region })
      } else if (session) fleet.updateFacts(session, { ...facts, replicas, region: change.region })
    }
  }
  return { fleet, take }
}

describe('pick', () => {
  test('property: whatever comes, goes and is asked, the index decides as the plain rule does (R2)', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.array(step, { maxLength: 12 }), asked), { minLength: 1, maxLength: 12 }), rounds => {
        const { fleet, take } = world()
        for (const [changes, question] of rounds) {
          for (const change of changes) take(change)
          const demand = demandOf(question)
          expect(indexedPick(fleet, demand, question.seed)).toEqual(plainPick(fleet, demand, question.seed))
        }
      }),
      { numRuns: 1500 },
    )
  })

  test('property: a large homogeneous fleet is drawn from evenly, and only its free nodes', () => {
    const fleet = testFleet()
    const many = Array.from({ length: 2000 }, (_, index): NodeId => keccak256(`many ${index}`).slice(0, 42) as NodeId) // cast: a prefix of hex is hex
    for (const nodeId of many) fleet.join(sessionOf(nodeId), factsHosting([pod]))
    const demand = demandOf({ allow: undefined, deny: undefined, excluded: [], referred: [], region: undefined, isNext: false, seed: '0x' })
    for (const [index, hosting] of fleet.hosting(pod.podId).entries()) if (index % 2 === 0) fleet.setBusy(hosting, hosting.slots)
    const chosen = new Set<NodeId>()
    for (let i = 0; i < 1000; i++) {
      const seed = keccak256(`${i}`)
      const choice = indexedPick(fleet, demand, seed)
      expect(choice).toEqual(plainPick(fleet, demand, seed))
      chosen.add(choice.chosen!)
    }
    // 1,000 draws from 1,000 leave about 632 different ones.
    expect(chosen.size).toBeGreaterThan(580)
  }, 60_000)

  test('behavior: an empty answer stays one: nobody in the region, nobody allowed, everybody denied', () => {
    const { fleet, take } = world()
    take({ kind: 'join', node: 1, speed: 1, slots: 1, warm: true, region: 'eu', isNext: false })
    const base = { allow: undefined, deny: undefined, excluded: [], referred: [], region: undefined, isNext: false, seed: keccak256('x') }
    const ask = (changes: Partial<Asked>) => indexedPick(fleet, demandOf({ ...base, ...changes }), base.seed)
    const nobody = { chosen: null, eligible: 0, owners: 0, referred: false, mayWait: false }
    expect(ask({})).toMatchObject({ chosen: ids[1], eligible: 1 })
    expect(ask({ region: 'nowhere' })).toEqual(nobody)
    expect(ask({ allow: [] })).toEqual(nobody)
    expect(ask({ allow: [2] })).toEqual(nobody)
    expect(ask({ deny: [1] })).toEqual(nobody)
    expect(ask({ excluded: [1], referred: [1] })).toEqual(nobody)
    // Setting aside left no trace.
    expect(ask({})).toMatchObject({ chosen: ids[1], eligible: 1 })
  })

  test('behavior: thousands of made-up regions leave the answers right', () => {
    const { fleet, take } = world()
    const base = { allow: undefined, deny: undefined, excluded: [], referred: [], isNext: false, seed: keccak256('x') }
    for (let i = 0; i < 200; i++) {
      take({ kind: 'join', node: 1, speed: 1, slots: 1, warm: true, region: `made up ${i}`, isNext: false })
      const demand = demandOf({ ...base, region: `made up ${i}` })
      expect(indexedPick(fleet, demand, base.seed).chosen).toBe(ids[1])
      expect(indexedPick(fleet, demandOf({ ...base, region: `made up ${i - 1}` }), base.seed).chosen).toBeNull()
    }
  })
})
