import { createSigner, newPrivateKey } from '#platform'
import { jobPreferencesSchema, keccak256, type NodeId } from '#protocol'
import { recordDecision, signDecision } from '../src/orchestration/router/decision.ts'
import type { Demand } from '../src/orchestration/router/filter.ts'
import { createFleet, type Fleet } from '../src/orchestration/router/fleet.ts'
import type { Session } from '../src/orchestration/router/link/session.ts'
import { pick } from '../src/orchestration/router/pick.ts'
import { factsHosting } from '../src/orchestration/router/testing/fake-node.ts'
import { goodStanding, testPod } from '../src/orchestration/router/testing/harness.ts'

/**
 * Microseconds of CPU per routing decision (filter, rank, pick) by fleet size, as one JSON line.
 * Bar (DESIGN §11): 5 µs at 1,000 nodes. Every node hosts the pod: the worst case of the per-pod index.
 * `thousandAddsUs` says how fast the machine was at that moment (about 0.4 on an idle core).
 * `recordUs` is what building, hashing and signing the decision record costs on top; it runs after the lease is sent.
 */
const SIZES = [100, 1000, 10_000, 100_000]
const pod = testPod()

/** Deterministic spread in 0..1: the same fleet in every run. */
function spread(index: number, salt: number): number {
  const x = Math.sin(index * 12.9898 + salt * 78.233) * 43_758.5453
  return x - Math.floor(x)
}

function fleetOf(size: number): Fleet {
  const votes = new Map<NodeId, bigint>()
  const fleet = createFleet({
    standing: nodeId => goodStanding(nodeId, { votes: votes.get(nodeId) ?? 0n }),
    presence: { uptimeBps: () => 9_900 },
  })
  for (let index = 0; index < size; index++) {
    const nodeId = keccak256(`node ${index}`).slice(0, 42) as NodeId // cast: a prefix of hex is hex
    votes.set(nodeId, BigInt(Math.floor(1e9 * spread(index, 1))))
    const facts = factsHosting([pod], { unitsPerSecond: 100 * spread(index, 2), slots: 8 })
    fleet.join({ nodeId, connectedAtMs: 0, lastSeenAtMs: 0 } as Session, facts) // cast: the fleet only reads these
  }
  for (const [index, hosting] of fleet.hosting(pod.podId).entries()) {
    hosting.warm = index % 4 !== 0
    fleet.setBusy(hosting, index % 3 === 0 ? 8 : index % 8)
  }
  return fleet
}

/** CPU time, not wall time, and the best of five rounds: other work on the machine only ever adds. */
function microsecondsPerCall(call: (round: number) => void, calls: number): number {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < 5; round++) {
    const before = process.cpuUsage()
    for (let i = 0; i < calls; i++) call(i)
    const { user, system } = process.cpuUsage(before)
    best = Math.min(best, (user + system) / calls)
  }
  return Math.round(best * 100) / 100
}

const demand: Demand = { pod, preferences: jobPreferencesSchema.parse({}), referredNodes: new Set(), excluded: new Set() }
const seeds = Array.from({ length: 256 }, (_, index) => keccak256(`seed ${index}`))
const signer = createSigner(newPrivateKey())

const results = SIZES.map(nodes => {
  const fleet = fleetOf(nodes)
  const calls = Math.max(20, Math.min(20_000, Math.round(5_000_000 / nodes)))
  const pickUs = microsecondsPerCall(i => pick(fleet, demand, seeds[i % seeds.length]!), calls)
  const record = (i: number): void => {
    const input = { jobId: `job_${'a'.repeat(32)}`, attempt: 1, demand, seed: seeds[i % seeds.length]!, decidedAtMs: 0, chosen: null }
    signDecision(recordDecision(fleet, input), new Uint8Array(32), signer)
  }
  const recordUs = microsecondsPerCall(record, Math.max(3, Math.round(calls / 500)))
  return { nodes, pickUs, recordUs }
})
/** Read below, so that the loop is not optimised away. */
let sum = 0
const addsUs = microsecondsPerCall(i => {
  for (let n = 0; n < 1000; n++) sum = (sum + (n ^ i)) | 0
}, 5000)
console.log(JSON.stringify({ bench: 'routing-decision', barUsAt1000: 5, thousandAddsUs: addsUs, checksum: sum, results }))
