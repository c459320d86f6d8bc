import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createSigner, newPrivateKey } from '#platform'
import {
  domainSeparator,
  jobDomain,
  jobPreferencesSchema,
  keccak256,
  type NodeId,
  type SignedDecision,
  signedDecisionSchema,
} from '#protocol'
import { recordDecision, signDecision } from './decision.ts'
import { createFleet } from './fleet.ts'
import type { Session } from './link/session.ts'
import { pick } from './pick.ts'
import { replayDecision } from './replay.ts'
import { factsHosting } from './testing/fake-node.ts'
import { goodStanding, TEST_CHAIN_ID, TEST_SETTLEMENT, testPod } from './testing/harness.ts'

const pod = testPod()
const separator = domainSeparator(jobDomain(TEST_CHAIN_ID, TEST_SETTLEMENT))
const signer = createSigner(newPrivateKey())

type Spec = {
  warm: boolean
  unitsPerSecond: number
  votes: bigint
  uptimeBps: number
  jailed: boolean
  busy: number
  referred: boolean
  failedBefore: boolean
  denied: boolean
}

/** A decision taken by the router's own code over a fleet of these nodes. */
function decide(specs: readonly Spec[], seedText = 'seed'): SignedDecision {
  const ids = specs.map((_, index): NodeId => keccak256(`node ${index}`).slice(0, 42) as NodeId) // cast: a prefix of hex is hex
  const specOf = new Map(ids.map((id, index) => [id, specs[index]!]))
  const fleet = createFleet({
    standing: id => goodStanding(id, { votes: specOf.get(id)!.votes, jailed: specOf.get(id)!.jailed }),
    presence: { uptimeBps: id => specOf.get(id)!.uptimeBps },
  })
  for (const [nodeId, { warm, unitsPerSecond, busy }] of specOf) {
    const facts = factsHosting([pod], { unitsPerSecond })
    const replicas = facts.replicas.map(replica => ({ ...replica, state: warm ? ('warm' as const) : ('cold' as const) }))
    const node = fleet.join({ nodeId, connectedAtMs: 0, lastSeenAtMs: 0 } as Session, { ...facts, replicas }) // cast: the fleet only reads these
    fleet.setBusy(node.hostings.get(pod.podId)!, busy)
  }
  const referredNodes = new Set(ids.filter((_, index) => specs[index]!.referred))
  const excluded = new Set(ids.filter((_, index) => specs[index]!.failedBefore))
  const denied = ids.filter((_, index) => specs[index]!.denied)
  const demand = { pod, preferences: jobPreferencesSchema.parse(denied.length > 0 ? { deny_nodes: denied } : {}), referredNodes, excluded }
  const seed = keccak256(seedText)
  const chosen = pick(fleet, demand, seed).chosen?.nodeId ?? null
  const record = recordDecision(fleet, { jobId: `job_${'a'.repeat(32)}`, attempt: 1, demand, seed, decidedAtMs: 1, chosen })
  return signDecision(record, separator, signer)
}

const SPEC: Spec = {
  warm: true,
  unitsPerSecond: 10,
  votes: 5n,
  uptimeBps: 9000,
  jailed: false,
  busy: 0,
  referred: false,
  failedBefore: false,
  denied: false,
}

describe('replayDecision', () => {
  test('default: an honest decision matches, also after a trip through JSON', () => {
    const signed = decide([SPEC, { ...SPEC, unitsPerSecond: 100 }, { ...SPEC, jailed: true }])
    const read = signedDecisionSchema.parse(JSON.parse(JSON.stringify(signed)))
    expect(replayDecision(read, separator)).toEqual({ matches: true, differences: [] })
    expect(read.record.candidates.filter(candidate => candidate.refused.length > 0)).toHaveLength(1)
  })

  test('behavior: a decision without candidates matches when it chose nobody', () => {
    expect(replayDecision(decide([]), separator).matches).toBe(true)
    expect(replayDecision(decide([{ ...SPEC, busy: 4 }]), separator).matches).toBe(true)
  })

  test('property: whatever the fleet, the record of a decision replays to the same node', () => {
    const spec = fc.record<Spec>({
      warm: fc.boolean(),
      unitsPerSecond: fc.double({ min: 0, max: 1e5, noNaN: true }),
      votes: fc.bigInt({ min: 0n, max: 10n ** 27n }),
      uptimeBps: fc.integer({ min: 0, max: 10_000 }),
      jailed: fc.boolean(),
      busy: fc.integer({ min: 0, max: 4 }),
      referred: fc.boolean(),
      failedBefore: fc.boolean(),
      denied: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(spec, { maxLength: 12 }), fc.string(), (specs, seedText) => {
        const read = signedDecisionSchema.parse(JSON.parse(JSON.stringify(decide(specs, seedText))))
        expect(replayDecision(read, separator)).toEqual({ matches: true, differences: [] })
      }),
      { numRuns: 200 },
    )
  })

  const two = decide([SPEC, { ...SPEC, unitsPerSecond: 100 }])
  const loser = two.record.candidates.find(({ nodeId }) => nodeId !== two.record.chosen)!.nodeId
  const lies: [string, (record: SignedDecision['record']) => SignedDecision['record'], RegExp][] = [
    ['another node chosen', record => ({ ...record, chosen: loser }), /the replay chooses/],
    ['nobody chosen', record => ({ ...record, chosen: null }), /the record no node/],
    ['another seed', record => ({ ...record, seed: keccak256('other') }), /the record hashes to/],
    [
      'a fact changed',
      record => ({
        ...record,
        candidates: record.candidates.map(item => ({ ...item, facts: { ...item.facts, unitsPerSecond: item.nodeId === loser ? 500 : 1 } })),
      }),
      /do not follow from its facts/,
    ],
    ['more owners than there are', record => ({ ...record, route: { ...record.route, owners: 3 } }), /have 2 owners, the record says 3/],
    ['a referral hidden', record => ({ ...record, route: { ...record.route, referred: true } }), /its candidates differ/],
    [
      'keys changed',
      record => ({ ...record, candidates: record.candidates.map(item => ({ ...item, keys: { ...item.keys!, warm: 0 } })) }),
      /rank keys/,
    ],
    ['a candidate twice', record => ({ ...record, candidates: [...record.candidates, ...record.candidates] }), /listed twice/],
    [
      'a refused node ranked',
      record => ({ ...record, candidates: record.candidates.map(item => ({ ...item, refused: ['no'] })) }),
      /refused and yet ranked/,
    ],
    [
      'a full node ranked',
      record => ({ ...record, candidates: record.candidates.map(item => ({ ...item, facts: { ...item.facts, freeSlots: 0 } })) }),
      /without a free slot/,
    ],
  ]
  test.each(lies)('error: says what is wrong with %s, even when it is signed', (_name, change, difference) => {
    const changed = change(two.record)
    const forged = { ...two, record: changed }
    expect(replayDecision(forged, separator).differences.join('\n')).toMatch(difference)
    expect(replayDecision(forged).differences.join('\n')).toMatch(/the record hashes to/)
    // Signed again by a router that lies: the hash is right, the choice still is not (a seed alone leads to the same node here).
    if (changed.seed === two.record.seed) expect(replayDecision(signDecision(changed, separator, signer), separator).matches).toBe(false)
  })

  test('error: a signature of another key or network', () => {
    const other = createSigner(newPrivateKey()).address
    expect(replayDecision({ ...two, router: other }, separator).differences).toEqual([`the signature is not of router ${other}`])
    expect(replayDecision(two, domainSeparator(jobDomain(1, TEST_SETTLEMENT))).matches).toBe(false)
  })
})
