import { describe, expect, test } from 'vitest'
import { keccak256, type NodeId } from '#protocol'
import { factsHosting } from './testing/fake-node.ts'
import { goodStanding, sessionOf, testFleet, testPod } from './testing/harness.ts'
import { whyOf } from './why.ts'

const pod = testPod()
const idOf = (index: number): NodeId => keccak256(`node ${index}`).slice(0, 42) as NodeId // cast: a prefix of hex is hex

type Spec = {
  unitsPerSecond?: number
  state?: 'warm' | 'cold' | 'draining' | 'failed'
  reason?: string
  votes?: bigint
  uptimeBps?: number
  jailed?: boolean
  /** Below the floor. */
  bonded?: bigint
  busy?: number
}

function fleetOf(specs: readonly Spec[]) {
  const specOf = new Map(specs.map((spec, index) => [idOf(index), spec]))
  const fleet = testFleet({
    standing: id => {
      const { votes = 0n, jailed = false, bonded } = specOf.get(id) ?? {}
      return goodStanding(id, { votes, jailed, ...(bonded !== undefined && { bonded, covered: false }) })
    },
    presence: { uptimeBps: id => specOf.get(id)?.uptimeBps ?? 10_000 },
  })
  for (const [nodeId, { unitsPerSecond = 10, state = 'warm', busy = 0, reason }] of specOf) {
    const facts = factsHosting([pod], { unitsPerSecond })
    const node = fleet.join(sessionOf(nodeId), {
      ...facts,
      replicas: facts.replicas.map(item => ({ ...item, state, ...(reason && { reason }) })),
    })
    fleet.setBusy(node.hostings.get(pod.podId)!, busy)
  }
  return fleet
}

const why = (specs: readonly Spec[], index = 0) => whyOf(fleetOf(specs), idOf(index), { standing: null })

describe('whyOf', () => {
  test('default: the best node has nothing to fix', () => {
    const { linked, refusals, fixes, pods } = why([{}, { unitsPerSecond: 5 }])
    expect({ linked, refusals, fixes }).toEqual({ linked: true, refusals: [], fixes: [] })
    expect(pods).toMatchObject([{ podId: pod.podId, eligible: true, ahead: 0, equals: 0, best: null, behindBy: null, fixes: [] }])
  })

  const lags: [string, Spec, Spec][] = [
    ['warm', { state: 'cold', unitsPerSecond: 999 }, {}],
    ['efficiency', { unitsPerSecond: 5 }, {}],
    ['votes', {}, { votes: 10n ** 20n }],
    ['uptime', { uptimeBps: 5000 }, {}],
  ]
  test.each(lags)('behavior: says that it lags by %s, behind whom, and what helps', (priority, own, best) => {
    const [found] = why([own, best, own]).pods
    expect(found).toMatchObject({ eligible: true, ahead: 1, equals: 1, best: { nodeId: idOf(1) }, behindBy: priority })
    expect(found!.fixes).toHaveLength(1)
  })

  const refused: [string, Spec, RegExp][] = [
    ['jailed', { jailed: true }, /Answer the case/],
    ['can not load the pod: no room on cpu', { state: 'failed', reason: 'no room on cpu' }, /when others have gone/],
    ['can not load the pod: no file', { state: 'failed', reason: 'no file' }, /correct it/],
    ['collateral 7 wei is below the floor of 100000000000000000000', { bonded: 7n }, /collateral add/],
    ['its replica is draining', { state: 'draining' }, /Wait/],
    ['no free slot', { busy: 4 }, /fully used/],
  ]
  test.each(refused)('behavior: %s comes with its fix', (reason, spec, fix) => {
    const [found] = why([spec]).pods
    expect(found).toMatchObject({ eligible: false, refusals: [reason] })
    expect(found!.fixes.join()).toMatch(fix)
  })

  test('behavior: nobody full or refused counts as ahead', () => {
    expect(why([{ unitsPerSecond: 1 }, { busy: 4 }, { jailed: true }]).pods[0]).toMatchObject({ ahead: 0, best: null })
  })

  test('behavior: a node without a link, or without a pod', () => {
    const fleet = fleetOf([])
    const away = whyOf(fleet, idOf(5), { standing: goodStanding(idOf(5), { jailed: true }) })
    expect(away).toMatchObject({ linked: false, refusals: ['not linked to this router', 'jailed'], pods: [] })
    expect(away.fixes).toHaveLength(2)
    expect(whyOf(fleet, idOf(5), { standing: null }).refusals).toEqual(['not linked to this router', 'not registered'])
    fleet.join(sessionOf(idOf(6)), factsHosting([]))
    expect(whyOf(fleet, idOf(6), { standing: null })).toMatchObject({ linked: true, pods: [], refusals: [] })
  })
})
