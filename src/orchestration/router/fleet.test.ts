import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { newPrivateKey } from '#platform'
import { jobPreferencesSchema, keccak256, type NodeId } from '#protocol'
import type { Session } from './link/session.ts'
import { pick } from './pick.ts'
import { type FakeLease, factsHosting } from './testing/fake-node.ts'
import {
  dispatchRecorded,
  goodStanding,
  sessionOf,
  startTestRouter,
  type TestRouter,
  testFleet,
  testOrder,
  testPod,
} from './testing/harness.ts'

const pod = testPod()
const ids = Array.from({ length: 20 }, (_, index): NodeId => keccak256(`node ${index}`).slice(0, 42) as NodeId) // cast: a prefix of hex is hex
const demand = { pod, preferences: jobPreferencesSchema.parse({}), referredNodes: new Set<NodeId>(), excluded: new Set<NodeId>() }
const newFleet = () => testFleet()

type Step = { readonly kind: 'join' | 'leave' | 'facts' | 'busy'; readonly node: number; readonly speed: number; readonly slots: number }

describe('fleet', () => {
  test('property: whatever comes and goes, the index says what the nodes say', () => {
    const step = fc.record<Step>({
      kind: fc.constantFrom('join', 'leave', 'facts', 'busy'),
      node: fc.nat(19),
      speed: fc.integer({ min: 1, max: 1000 }),
      slots: fc.integer({ min: 0, max: 3 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), steps => {
        const fleet = newFleet()
        const linked = new Map<NodeId, { session: Session; speed: number; slots: number; busy: number }>()
        for (const { kind, node, speed, slots } of steps) {
          const nodeId = ids[node]!
          const known = linked.get(nodeId)
          if (kind === 'join') {
            linked.set(nodeId, { session: sessionOf(nodeId), speed, slots, busy: 0 })
            fleet.join(linked.get(nodeId)!.session, factsHosting([pod], { unitsPerSecond: speed, slots }))
          } else if (known && kind === 'leave') {
            fleet.leave(known.session)
            linked.delete(nodeId)
          } else if (known && kind === 'facts') {
            Object.assign(known, { speed, slots })
            fleet.updateFacts(known.session, factsHosting([pod], { unitsPerSecond: speed, slots }))
          } else if (known) {
            known.busy = slots
            fleet.setBusy(fleet.get(nodeId)!.hostings.get(pod.podId)!, slots)
          }
        }
        const expected = newFleet()
        for (const [nodeId, { speed, slots, busy }] of linked) {
          const node = expected.join(sessionOf(nodeId), factsHosting([pod], { unitsPerSecond: speed, slots }))
          expected.setBusy(node.hostings.get(pod.podId)!, busy)
        }
        const seed = keccak256('seed')
        expect(pick(fleet, demand, seed).chosen?.nodeId).toBe(pick(expected, demand, seed).chosen?.nodeId)
        expect(
          fleet
            .hosting(pod.podId)
            .map(({ nodeId }) => nodeId)
            .sort(),
        ).toEqual([...linked.keys()].sort())
        for (const [row, hosting] of fleet.hosting(pod.podId).entries()) expect(hosting.row).toBe(row)
        expect(fleet.roster(pod.podId)?.usable).toBe(expected.roster(pod.podId)?.usable)
      }),
      { numRuns: 300 },
    )
  })

  test('behavior: a pod that left the facts is forgotten when its last job ends, and slots in use survive new facts', () => {
    const fleet = newFleet()
    const session = sessionOf(ids[0]!)
    fleet.join(session, factsHosting([pod]))
    const hosting = fleet.hosting(pod.podId)[0]!
    fleet.setBusy(hosting, 2)
    fleet.updateFacts(session, factsHosting([pod], { slots: 3 }))
    expect(fleet.hosting(pod.podId)[0]).toBe(hosting)
    expect(hosting).toMatchObject({ busy: 2, slots: 3 })
    fleet.updateFacts(session, factsHosting([]))
    expect(pick(fleet, demand, keccak256('x')).chosen).toBeNull()
    expect(fleet.hosting(pod.podId)).toHaveLength(1)
    fleet.setBusy(hosting, 0)
    fleet.updateFacts(session, factsHosting([]))
    expect(fleet.hosting(pod.podId)).toHaveLength(0)
    expect(fleet.roster(pod.podId)).toBeUndefined()
  })
})

describe('standing', () => {
  let net: TestRouter
  afterEach(() => net.stop())

  test('behavior: the node about to get work is looked up in the registry now, not as it was at the last refresh', async () => {
    net = await startTestRouter({ standingRefreshMs: 1_000_000 })
    const jailed = await net.node({ pods: [pod], unitsPerSecond: 1000 })
    const good = await net.node({ pods: [pod], unitsPerSecond: 1 })
    net.standings.set(jailed.nodeId, goodStanding(jailed.nodeId, { jailed: true }))
    const job = dispatchRecorded(net.router, testOrder(pod))
    expect((await job.ended).completion!.signedReceipt.receipt.node).toBe(good.nodeId)
    const [replay] = await net.replay(job)
    expect(replay).toMatchObject({ matches: true, differences: [] })
    expect(replay!.candidates.find(({ nodeId }) => nodeId === jailed.nodeId)!.refused).toEqual(['jailed'])
  })

  test('behavior: a node that lies about its speed ranks by what its jobs show, also after it has linked again', async () => {
    net = await startTestRouter()
    const privateKey = newPrivateKey()
    const slowly = async (lease: FakeLease): Promise<void> => {
      // The device itself is slow: 64 tokens in 300 ms.
      await new Promise(resolve => setTimeout(resolve, 300))
      lease.text('x', 64)
      lease.done()
    }
    const claim = { pods: [pod], unitsPerSecond: 1e9, privateKey, answer: slowly }
    const liar = await net.node(claim)
    const honest = await net.node({ pods: [pod], unitsPerSecond: 1000 })
    const served = async () => (await dispatchRecorded(net.router, testOrder(pod)).ended).completion!.signedReceipt.receipt.node
    expect(await served()).toBe(liar.nodeId)
    expect(await served()).toBe(honest.nodeId)
    const borneOut = () => Object.fromEntries(net!.router.nodes().map(({ nodeId, borneOutBps }) => [nodeId, borneOutBps]))
    expect(borneOut()).toEqual({ [liar.nodeId]: 0, [honest.nodeId]: 10_000 })
    await liar.close()
    await net.node(claim)
    expect(borneOut()[liar.nodeId]).toBe(0)
    expect(await served()).toBe(honest.nodeId)
  })

  test('behavior: of two nodes that are alike the one with more votes gets the job, and the other when the votes move', async () => {
    const votesOf = new Map<NodeId, bigint>()
    net = await startTestRouter({}, { standing: nodeId => goodStanding(nodeId, { votes: votesOf.get(nodeId) ?? 0n }) })
    const [one, other] = [await net.node({ pods: [pod] }), await net.node({ pods: [pod] })]
    const served = async () => (await dispatchRecorded(net!.router, testOrder(pod)).ended).completion?.signedReceipt.receipt.node
    for (const [favourite, rest] of [
      [one, other],
      [other, one],
    ] as const) {
      votesOf.set(favourite.nodeId, 1_000n * 10n ** 18n)
      votesOf.set(rest.nodeId, 500n * 10n ** 18n)
      for (const { nodeId } of [one, other]) net.router.standingChanged(nodeId)
      // Without votes they tie, and each job is drawn: ten of them all for one node is one chance in 512.
      for (let job = 0; job < 10; job++) expect(await served(), `job ${job}`).toBe(favourite.nodeId)
    }
  })

  test('behavior: an unknown node is asked about once, and gets work when it is registered', async () => {
    const asked: NodeId[] = []
    net = await startTestRouter({}, { standing: nodeId => known.get(nodeId) ?? null, onUnknownNode: nodeId => void asked.push(nodeId) })
    const known = new Map<NodeId, ReturnType<typeof goodStanding>>()
    const node = await net.node({ pods: [pod] })
    expect(asked).toEqual([node.nodeId])
    expect(net.router.nodes()[0]!.owner).toBeNull()
    expect((await dispatchRecorded(net.router, testOrder(pod)).ended).failure!.message).toContain('not registered (1 node)')
    const { refusals, fixes } = net.router.why(node.nodeId)
    expect(refusals).toContain('not registered')
    expect(fixes.join(' '), 'what to do about it').toContain('heurist node start')
    const owner = `0x${'0'.repeat(39)}1` as const
    known.set(node.nodeId, goodStanding(node.nodeId, { owner, votes: 3n }))
    net.router.standingChanged(node.nodeId)
    const { completion } = await dispatchRecorded(net.router, testOrder(pod)).ended
    expect(completion!.nodeOwner).toBe(owner)
  })

  test('behavior: says when a node that may serve has come or gone, and nothing else', async () => {
    let changes = 0
    net = await startTestRouter({}, { onHostsChanged: () => changes++ })
    const seen = (): number => changes
    const node = await net.node({ pods: [pod] })
    expect(seen(), 'it came').toBe(1)
    net.standings.set(node.nodeId, goodStanding(node.nodeId, { votes: 5n }))
    net.router.standingChanged(node.nodeId)
    expect(seen(), 'it has more votes').toBe(1)
    net.standings.set(node.nodeId, goodStanding(node.nodeId, { jailed: true }))
    net.router.standingChanged(node.nodeId)
    expect(seen(), 'it is jailed').toBe(2)
    await node.close()
    await vi.waitFor(() => expect(net?.router.nodes()).toEqual([]), 10_000)
    expect(seen(), 'it left').toBe(3)
  })
})
