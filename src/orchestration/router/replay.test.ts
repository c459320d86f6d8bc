import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createSigner, newPrivateKey, type Signer, signAlone } from '#platform'
import {
  type DecisionRecord,
  domainSeparator,
  type JournalPiece,
  jobDomain,
  jobPreferencesSchema,
  journalDigest,
  journalPieceSchema,
  keccak256,
  type NodeId,
  type SignedDecision,
  signedDecisionSchema,
} from '#protocol'
import { recordDecision } from './decision.ts'
import { createFleet, type Fleet } from './fleet.ts'
import { nextHead, type UnsignedPiece } from './journal.ts'
import { pick } from './pick.ts'
import { replayDecisions } from './replay.ts'
import { createSealer, sealDecision } from './seal.ts'
import { factsHosting } from './testing/fake-node.ts'
import { goodStanding, sessionOf, TEST_CHAIN_ID, TEST_SETTLEMENT, testPod } from './testing/harness.ts'

/** Signed alone; the router itself signs many together. */
const signDecision = (record: DecisionRecord, domain: Uint8Array, signer: Signer): SignedDecision =>
  sealDecision(record, { separator: domain, sealer: createSealer(signer, domain) })

const pod = testPod()
const separator = domainSeparator(jobDomain(TEST_CHAIN_ID, TEST_SETTLEMENT))
const signer = createSigner(newPrivateKey())
const idOf = (index: number): NodeId => keccak256(`node ${index}`).slice(0, 42) as NodeId // cast: a prefix of hex is hex

type Spec = { warm: boolean; unitsPerSecond: number; votes: bigint; uptimeBps: number; jailed: boolean; busy: number; region: string }
type Ask = { deny?: number[]; allow?: number[]; region?: string; excluded?: number[]; referred?: number[]; seed?: string }

const SPEC: Spec = { warm: true, unitsPerSecond: 10, votes: 5n * 10n ** 18n, uptimeBps: 9000, jailed: false, busy: 0, region: 'eu' }

function signPiece(piece: UnsignedPiece, by: Signer = signer): JournalPiece {
  return { ...piece, router: by.address, routerSignature: signAlone(by, separator, journalDigest(separator, piece)) }
}

/** A router's fleet without its links: nodes are set, jobs are decided, pieces are taken. */
function world() {
  const specs = new Map<NodeId, Spec>()
  const specOf = (id: NodeId): Spec => specs.get(id)!
  const fleet: Fleet = createFleet(
    { router: signer.address, now: () => 7 },
    {
      standing: id => goodStanding(id, { votes: specOf(id).votes, jailed: specOf(id).jailed }),
      presence: { uptimeBps: id => specOf(id).uptimeBps },
    },
  )
  const decisions: SignedDecision[] = []
  return {
    fleet,
    decisions,
    set(index: number, spec: Spec): void {
      const nodeId = idOf(index)
      specs.set(nodeId, spec)
      const facts = factsHosting([pod], { unitsPerSecond: spec.unitsPerSecond })
      const replicas = facts.replicas.map(replica => ({ ...replica, state: spec.warm ? ('warm' as const) : ('cold' as const) }))
      const node = fleet.join(sessionOf(nodeId), { ...facts, replicas, region: spec.region })
      fleet.setBusy(node.hostings.get(pod.podId)!, spec.busy)
    },
    drop: (index: number) => void (fleet.get(idOf(index)) && fleet.leave(fleet.get(idOf(index))!.session)),
    decide({ deny, allow, region, excluded = [], referred = [], seed = 'seed' }: Ask = {}): SignedDecision {
      const preferences = jobPreferencesSchema.parse({
        ...(deny && { deny_nodes: deny.map(idOf) }),
        ...(allow && { allow_nodes: allow.map(idOf) }),
        ...(region !== undefined && { region }),
      })
      const demand = { pod, preferences, referredNodes: new Set(referred.map(idOf)), excluded: new Set(excluded.map(idOf)) }
      const choice = pick(fleet, demand, keccak256(seed))
      const jobId = `job_${decisions.length.toString(16).padStart(32, '0')}`
      const record = recordDecision(fleet, { jobId, attempt: 1, demand, seed: keccak256(seed), decidedAtMs: 1, choice })
      if (choice.chosen) fleet.setBusy(choice.chosen, choice.chosen.busy + 1)
      decisions.push(signDecision(record, separator, signer))
      return decisions.at(-1)!
    },
    take: (): JournalPiece[] => fleet.takeJournal().map(piece => signPiece(piece)),
  }
}

const wire = (decision: SignedDecision): SignedDecision => signedDecisionSchema.parse(JSON.parse(JSON.stringify(decision)))
const wirePiece = (piece: JournalPiece): JournalPiece => journalPieceSchema.parse(JSON.parse(JSON.stringify(piece)))
const replay = (decision: SignedDecision, pieces: readonly JournalPiece[]) => replayDecisions([decision], pieces, separator)[0]!

describe('replayDecisions', () => {
  test('default: an honest decision matches, also after a trip through JSON, and shows its candidates', () => {
    const { set, decide, take } = world()
    set(1, SPEC)
    set(2, { ...SPEC, unitsPerSecond: 100 })
    set(3, { ...SPEC, jailed: true })
    const signed = decide()
    const found = replay(wire(signed), take().map(wirePiece))
    expect(found).toMatchObject({ matches: true, differences: [] })
    expect(found.candidates.map(({ nodeId, refused }) => [nodeId, refused])).toEqual([
      [idOf(1), []],
      [idOf(2), []],
      [idOf(3), ['jailed']],
    ])
    expect(signed.record).toMatchObject({ chosen: idOf(2), hosts: 3, eligible: 2, linked: 3, route: { owners: 2 } })
  })

  test('behavior: a pod that nobody hosts needs no journal', () => {
    const { decide, take } = world()
    const signed = decide()
    expect(signed.record).toMatchObject({ chosen: null, journal: null, hosts: 0 })
    expect(replay(signed, take())).toMatchObject({ matches: true })
    expect(replay(signDecision({ ...signed.record, chosen: idOf(1) }, separator, signer), []).matches).toBe(false)
  })

  test('behavior: a long history is cut into segments, and the decisions of each replay', () => {
    const { set, decide, decisions, take } = world()
    set(1, SPEC)
    for (let i = 0; i < 3000; i++) {
      set(2, { ...SPEC, busy: i % 3 })
      if (i % 100 === 0) decide({ seed: `${i}` })
    }
    const pieces = take()
    expect(new Set(pieces.map(({ segment }) => segment)).size).toBeGreaterThan(1)
    expect(new Set(decisions.map(({ record }) => record.journal!.segment)).size).toBeGreaterThan(1)
    expect(replayDecisions(decisions, pieces, separator).flatMap(({ differences }) => differences)).toEqual([])
    const linked = pieces.filter(({ number }) => number === 0).map(({ text }) => JSON.parse(text.split('\n')[0]!)[1].previous)
    expect(linked[1]).toBe(pieces[0]!.head)
  })

  test('behavior: after a loss every pod begins a segment, and what is decided then replays', () => {
    const { fleet, set, decide, take } = world()
    set(1, SPEC)
    const lost = decide()
    take()
    set(2, { ...SPEC, unitsPerSecond: 100 })
    fleet.restartJournals()
    set(1, { ...SPEC, busy: 1 })
    const later = decide()
    const pieces = take()
    expect(replay(lost, pieces).matches).toBe(false)
    expect(replay(later, pieces)).toMatchObject({ matches: true, differences: [] })
  })

  const spec: fc.Arbitrary<Spec> = fc.record({
    warm: fc.boolean(),
    unitsPerSecond: fc.oneof(fc.constant(100), fc.double({ min: 0, max: 1e5, noNaN: true })),
    votes: fc.bigInt({ min: 0n, max: 10n ** 27n }),
    uptimeBps: fc.integer({ min: 0, max: 10_000 }),
    jailed: fc.boolean(),
    busy: fc.integer({ min: 0, max: 4 }),
    region: fc.constantFrom('eu', 'us', 'Zürich "\u2028\u0000'),
  })
  const index = fc.nat(9)
  type Step = { set: [number, Spec] } | { drop: number } | { decide: Ask } | { take: true }
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ set: fc.tuple(index, spec) }),
    fc.record({ drop: index }),
    fc.record({
      decide: fc.record(
        {
          deny: fc.array(index, { maxLength: 4 }),
          allow: fc.array(index, { maxLength: 4 }),
          region: fc.constantFrom('eu', 'us'),
          excluded: fc.array(index, { maxLength: 2 }),
          referred: fc.array(index, { maxLength: 3 }),
          seed: fc.string(),
        },
        { requiredKeys: [] },
      ),
    }),
    fc.record({ take: fc.constant(true as const) }),
  )
  test('property: whatever comes, goes and is decided, every record replays to its choice', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const { set, drop, decide, decisions, take } = world()
        const pieces: JournalPiece[] = []
        for (const item of steps) {
          if ('set' in item) set(...item.set)
          else if ('drop' in item) drop(item.drop)
          else if ('decide' in item) decide(item.decide)
          else pieces.push(...take())
        }
        pieces.push(...take())
        const replays = replayDecisions(decisions.map(wire), pieces.reverse().map(wirePiece), separator)
        expect(replays.flatMap(({ differences }) => differences)).toEqual([])
      }),
      { numRuns: 300 },
    )
  })
})

describe('replayDecisions: lies', () => {
  const { set, decide, drop, take } = world()
  set(1, SPEC)
  set(2, { ...SPEC, unitsPerSecond: 100 })
  set(3, { ...SPEC, unitsPerSecond: 1, region: 'us' })
  const first = decide()
  const pieces = take()
  drop(3)
  set(2, { ...SPEC, busy: 4 })
  const second = decide()
  pieces.push(...take())

  test('default: the truth matches', () => {
    expect(replayDecisions([first, second], pieces, separator).map(({ matches }) => matches)).toEqual([true, true])
  })

  type Record = SignedDecision['record']
  const records: [string, (record: Record) => Record, RegExp][] = [
    ['another node chosen', record => ({ ...record, chosen: idOf(1) }), /chosen node: the replay finds/],
    ['nobody chosen', record => ({ ...record, chosen: null }), /the record nobody/],
    ['more owners', record => ({ ...record, route: { ...record.route, owners: 4 } }), /number of owners: the replay finds 3, the record 4/],
    ['a pin hidden', record => ({ ...record, demand: { ...record.demand, region: 'eu' } }), /pinning: the replay finds true/],
    ['a referral hidden', record => ({ ...record, demand: { ...record.demand, referred: [idOf(2)] } }), /referral: the replay finds true/],
    ['a node excluded', record => ({ ...record, demand: { ...record.demand, excluded: [idOf(2)] } }), /chosen node/],
    ['fewer eligible', record => ({ ...record, eligible: 1 }), /number of eligible/],
    ['fewer hosts', record => ({ ...record, hosts: 2 }), /number of hosts/],
    ['another state of the fleet', record => ({ ...record, journal: { ...record.journal!, head: keccak256('x') } }), /said something else/],
    ['a journal that is not there', record => ({ ...record, journal: { ...record.journal!, segment: keccak256('x') } }), /is missing/],
    ['another job', record => ({ ...record, jobId: `job_${'f'.repeat(32)}` }), /no such decision/],
    ['another attempt', record => ({ ...record, attempt: 2 }), /no such decision/],
    ['another pod', record => ({ ...record, podId: keccak256('pod') }), /of another pod/],
  ]
  test.each(records)('error: %s, even when the router signs it', (_name, change, difference) => {
    const changed = change(first.record)
    expect(replay(signDecision(changed, separator, signer), pieces).differences.join('\n')).toMatch(difference)
    expect(replay({ ...first, record: changed }, pieces).differences.join('\n')).toMatch(/the record hashes to/)
  })

  test('error: a signature of another key or network', () => {
    const other = createSigner(newPrivateKey())
    expect(replay({ ...first, router: other.address }, pieces).differences).toContain(`the signature is not of router ${other.address}`)
    expect(replay(signDecision(first.record, separator, other), pieces).differences).toEqual(['its journal is signed by another router'])
    expect(replayDecisions([first], pieces, domainSeparator(jobDomain(1, TEST_SETTLEMENT)))[0]!.matches).toBe(false)
  })

  const [a, b] = pieces as [JournalPiece, JournalPiece]
  const edited = (piece: JournalPiece, from: string, to: string): JournalPiece => ({ ...piece, text: piece.text.replace(from, to) })
  const journals: [string, JournalPiece[], RegExp][] = [
    ['a fact changed', [edited(a, '"unitsPerSecond":10,', '"unitsPerSecond":1000,'), b], /hashes to/],
    ['the header changed', [edited(a, '"startedAtMs":7', '"startedAtMs":8'), b], /first part is missing or was changed/],
    ['no beginning', [b], /first part is missing/],
    ['no journal', [], /is missing/],
    ['text that is no journal', [{ ...a, text: `${a.text}nonsense\n` }, b], /journal 0x/],
    ['a part signed by another key', [{ ...signPiece(a, createSigner(newPrivateKey())) }, b], /another router/],
    ['a part with another name under its signature', [{ ...a, routerSignature: b.routerSignature }, b], /not signed by its router/],
  ]
  test.each(journals)('error: %s in the journal', (_name, forged, difference) => {
    const found = replay(first, forged)
    expect(found.matches).toBe(false)
    expect(found.differences.join('\n')).toMatch(difference)
  })

  test('error: a later part is missing: what lies before it still matches', () => {
    const found = replayDecisions([first, second], [a], separator)
    expect(found.map(({ matches }) => matches)).toEqual([true, false])
    expect(found[1]!.differences.join()).toMatch(/no such decision/)
    const gap = { ...b, number: 2 }
    expect(replayDecisions([first, second], [a, gap], separator).map(({ matches }) => matches)).toEqual([true, false])
  })

  test('error: a router that writes another history and signs it', () => {
    const text = a.text.replace('"unitsPerSecond":10,', '"unitsPerSecond":1000,')
    // The chain as an honest reader computes it over the changed text.
    let head = a.segment
    const [before, after] = [text.slice(0, text.indexOf('["decided"')), text.slice(text.indexOf('["decided"'))]
    head = nextHead(nextHead(head, before), after)
    const forged = signPiece({ ...a, text, head })
    expect(replay(first, [forged]).differences.join('\n')).toMatch(/said something else until then/)
  })
})
