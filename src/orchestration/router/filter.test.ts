import { describe, expect, test } from 'vitest'
import { jobPreferencesSchema, type NodeFacts, type NodeId, type NodeStanding, type PodRecord, type Replica } from '#protocol'
import { type Demand, isEligible, isEligibleWithSlot, NO_FREE_SLOT, refusalsOf, summarizeRefusals } from './filter.ts'
import { pick } from './pick.ts'
import { factsHosting } from './testing/fake-node.ts'
import { goodStanding, sessionOf, testFleet, testPod } from './testing/harness.ts'

const nodeId: NodeId = '0x00000000000000000000000000000000000000aa'
const pod = testPod()

type Case = {
  standing?: Partial<NodeStanding> | null
  replica?: Partial<Replica>
  facts?: Partial<NodeFacts>
  pod?: PodRecord
  preferences?: Record<string, unknown>
  excluded?: NodeId[]
  busy?: number
}

function judge({ standing = {}, replica = {}, facts = {}, pod: wanted = pod, preferences = {}, excluded = [], busy = 0 }: Case) {
  const fleet = testFleet({ standing: id => (standing === null ? null : goodStanding(id, standing)) })
  const hosting = factsHosting([pod])
  const replicas = hosting.replicas.map(item => ({ ...item, ...replica }))
  const node = fleet.join(sessionOf(nodeId), { ...hosting, replicas, ...facts })
  for (const item of node.hostings.values()) fleet.setBusy(item, busy)
  const demand: Demand = {
    pod: wanted,
    preferences: jobPreferencesSchema.parse(preferences),
    referredNodes: new Set(),
    excluded: new Set(excluded),
  }
  const refused = refusalsOf(node, demand)
  const hosted = node.hostings.get(wanted.podId)
  return {
    refused,
    fleet,
    demand,
    eligible: hosted ? isEligible(hosted, demand) : false,
    mayWait: hosted ? isEligibleWithSlot(hosted, demand) : false,
  }
}

describe('filter', () => {
  test('default: a registered warm node with a free slot is eligible', () => {
    expect(judge({})).toMatchObject({ refused: [], eligible: true })
  })

  const gpuPod = testPod('chat/test', { resources: { gpuCount: 1, vramBytes: 8_000_000_000 } })
  const pricey = factsHosting([pod]).devices.map(device => ({ ...device, minNanoCredits: 3e9 }))
  const cheap = testPod('chat/cheap', { price: { input: '500000000', output: '0' } })
  const cases: [string, Case, string][] = [
    ['an unknown node', { standing: null }, 'not registered'],
    ['an unregistered node', { standing: { registered: false } }, 'not registered'],
    ['a jailed node', { standing: { jailed: true } }, 'jailed'],
    ['an exiting node', { standing: { exiting: true } }, 'exiting'],
    [
      'too little collateral',
      { standing: { covered: false, bonded: 3n, restaked: 2n, floor: 6n } },
      'collateral 5 wei is below the floor of 6',
    ],
    ['another pod', { pod: testPod('chat/other') }, 'does not host the pod'],
    ['a draining replica', { replica: { state: 'draining' } }, 'its replica is draining'],
    ['a failed replica', { replica: { state: 'failed', reason: 'out of memory' } }, 'can not load the pod: out of memory'],
    ['another version', { replica: { manifestHash: `0x${'1'.repeat(64)}` } }, 'hosts another version of the pod'],
    ['missing hardware', { pod: gpuPod, replica: { manifestHash: gpuPod.manifestHash } }, 'needs 1 GPU, device cpu is a CPU'],
    [
      'a pod that pays less than the owner asks for',
      { facts: { devices: pricey } },
      'pays 0.002 credits per 1M units, device cpu asks for 3',
    ],
    [
      'a stranger to a pod that pays too little',
      { pod: cheap, facts: { devices: pricey } },
      'pays 0.5 credits per 1M units, device cpu asks for 3',
    ],
    ['no slot left', { busy: 4 }, NO_FREE_SLOT],
    ['a denied node', { preferences: { deny_nodes: [nodeId] } }, 'denied by the user'],
    ['a node not allowed', { preferences: { allow_nodes: [`0x${'2'.repeat(40)}`] } }, "not on the user's list of allowed nodes"],
    ['another region', { preferences: { region: 'eu' }, facts: { region: 'us' } }, 'not in the region eu'],
    ['an earlier attempt', { excluded: [nodeId] }, 'failed an earlier attempt of this job'],
  ]
  test.each(cases)('behavior: refuses %s with its reason', (_name, given, reason) => {
    const { refused, eligible, fleet, demand } = judge(given)
    expect(refused).toEqual([reason])
    expect(eligible).toBe(false)
    expect(pick(fleet, demand, `0x${'0'.repeat(64)}`).chosen).toBeNull()
  })

  test('behavior: every reason is listed, not only the first', () => {
    const { refused } = judge({ standing: { jailed: true, exiting: true }, busy: 4, preferences: { deny_nodes: [nodeId] } })
    expect(refused).toEqual(['jailed', 'exiting', 'denied by the user', NO_FREE_SLOT])
  })

  test('behavior: only a missing slot lets a job wait', () => {
    expect(judge({ busy: 4 }).mayWait).toBe(true)
    expect(judge({ busy: 4, preferences: { deny_nodes: [nodeId] } }).mayWait).toBe(false)
  })

  test('behavior: a cold replica is eligible and counts as one slot until it knows better', () => {
    expect(judge({ replica: { state: 'cold', slots: 0 } }).eligible).toBe(true)
    expect(judge({ replica: { state: 'cold', slots: 0 }, busy: 1 }).refused).toEqual([NO_FREE_SLOT])
  })

  test('behavior: an empty fleet is an answer', () => {
    expect(summarizeRefusals([])).toBe('no node is connected')
    expect(summarizeRefusals([['jailed']], 2)).toBe('does not host the pod (2 nodes); jailed (1 node)')
    expect(summarizeRefusals([['jailed'], ['jailed', NO_FREE_SLOT]])).toBe('jailed (2 nodes); no free slot (1 node)')
  })
})
