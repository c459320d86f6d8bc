import { createSigner, newPrivateKey, signGroup } from '#platform'
import { decisionHash, jobPreferencesSchema, journalDigest, keccak256, type NodeId } from '#protocol'
import { recordDecision } from '../src/orchestration/router/decision.ts'
import { type Demand, isEligible } from '../src/orchestration/router/filter.ts'
import type { Fleet } from '../src/orchestration/router/fleet.ts'
import type { Hosting } from '../src/orchestration/router/hosting.ts'
import { type Choice, pick } from '../src/orchestration/router/pick.ts'
import { bestOf, rankKeys } from '../src/orchestration/router/rank.ts'
import { factsHosting } from '../src/orchestration/router/testing/fake-node.ts'
import { goodStanding, sessionOf, testFleet, testPod } from '../src/orchestration/router/testing/harness.ts'

/**
 * Microseconds of CPU per routing decision by fleet size, as one JSON line. Bars (DESIGN §11): 5 µs at 1,000 nodes, 50 µs at 100,000, while
 * 1 % of the nodes change per second. Every node hosts the pod: the worst case. A decision is filter, rank and pick, the slot taken, and
 * a slot returned. `decisionUs` is measured between changes of the fleet, ten of it for each decision; `changeUs` is what one costs.
 * `plainUs` is the rule over all nodes one by one. `recordUs` is what the record adds: journal and hash; `groupUs` is the part of one
 * decision in the signature and the tree of its group, which is off the hot path.
 * Two fleets: `varied` has speeds and votes of all sizes, in `alike` all nodes tie and the draw decides.
 */
const SIZES = [100, 1000, 10_000, 100_000]
const pod = testPod()
const demand: Demand = { pod, preferences: jobPreferencesSchema.parse({}), referredNodes: new Set(), excluded: new Set() }
const seeds = Array.from({ length: 256 }, (_, index) => keccak256(`seed ${index}`))
const jobId = `job_${'a'.repeat(32)}`

/** Deterministic spread in 0..1: the same fleet in every run. */
function spread(index: number, salt: number): number {
  const x = Math.sin(index * 12.9898 + salt * 78.233) * 43_758.5453
  return x - Math.floor(x)
}

function factsOf(index: number, isVaried: boolean, round: number) {
  const facts = factsHosting([pod], { unitsPerSecond: isVaried ? 100 * spread(index + round, 2) : 100, slots: 8 })
  return { ...facts, replicas: facts.replicas.map(item => ({ ...item, state: index % 4 === 0 ? ('cold' as const) : ('warm' as const) })) }
}

function fleetOf(size: number, isVaried: boolean): Fleet {
  const standings = new Map<NodeId, ReturnType<typeof goodStanding>>()
  const fleet = testFleet({ standing: nodeId => standings.get(nodeId) ?? null, presence: { uptimeBps: () => 9_900 } })
  for (let index = 0; index < size; index++) {
    const nodeId = keccak256(`node ${index}`).slice(0, 42) as NodeId // cast: a prefix of hex is hex
    const votes = isVaried ? BigInt(Math.floor(1e9 * spread(index, 1))) * 10n ** 12n : 0n
    standings.set(nodeId, goodStanding(nodeId, { votes }))
    fleet.join(sessionOf(nodeId), factsOf(index, isVaried, 0))
  }
  for (const [index, hosting] of fleet.hosting(pod.podId).entries()) fleet.setBusy(hosting, index % 3 === 0 ? 8 : index % 8)
  return fleet
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

const rounded = (us: number): number => Math.round(us * 100) / 100

/** CPU time, not wall time, and the best of five rounds: other work on the machine only ever adds. */
function microsecondsPerCall(call: (round: number) => void, calls: number): number {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < 5; round++) {
    const before = cpuUs()
    for (let i = 0; i < calls; i++) call(i)
    best = Math.min(best, (cpuUs() - before) / calls)
  }
  return rounded(best)
}

/** Takes the slot of the choice and gives back one that was taken 64 decisions ago. */
function createSlots(fleet: Fleet): (choice: Choice) => void {
  const taken: Hosting[] = []
  return ({ chosen }) => {
    if (!chosen) throw new Error('the fleet has no free slot left')
    fleet.setBusy(chosen, chosen.busy + 1)
    taken.push(chosen)
    const returned = taken.length > 64 ? taken.shift() : undefined
    if (returned) fleet.setBusy(returned, returned.busy - 1)
  }
}

/** Decisions and changes of the fleet in turn, each timed for itself. */
function measureChurn(fleet: Fleet, size: number, isVaried: boolean): { decisionUs: number; changeUs: number } {
  const settle = createSlots(fleet)
  const nodes = [...fleet.all()]
  let decisionUs = Number.POSITIVE_INFINITY
  let changeUs = Number.POSITIVE_INFINITY
  for (let round = 0; round < 12; round++) {
    let spent = 0
    let changing = 0
    for (let part = 0; part < 20; part++) {
      const begin = cpuUs()
      for (let i = 0; i < 500; i++) settle(pick(fleet, demand, seeds[(i + part) % seeds.length]!))
      const middle = cpuUs()
      for (let i = 0; i < 50; i++) {
        const index = Math.floor(size * spread(i + 50 * part, round))
        fleet.updateFacts(nodes[index]!.session, factsOf(index, isVaried, round))
      }
      spent += middle - begin
      changing += cpuUs() - middle
    }
    decisionUs = Math.min(decisionUs, spent / 10_000)
    changeUs = Math.min(changeUs, changing / 1000)
  }
  return { decisionUs: rounded(decisionUs), changeUs: rounded(changeUs) }
}

function plainPick(fleet: Fleet, seed: string): unknown {
  const eligible = fleet.hosting(pod.podId).filter(hosting => isEligible(hosting, demand))
  return bestOf(
    eligible.map(hosting => ({ nodeId: hosting.nodeId, keys: rankKeys(hosting, false) })),
    seed,
  )
}

/** Decision with and without its record; what lies between is the record. The journal is emptied as its writer does. */
function measureRecord(fleet: Fleet, bare: number): number {
  const settle = createSlots(fleet)
  let count = 0
  const both = microsecondsPerCall(i => {
    const seed = seeds[i % seeds.length]!
    const choice = pick(fleet, demand, seed)
    decisionHash(recordDecision(fleet, { jobId, attempt: 1, demand, seed, decidedAtMs: 0, choice }))
    settle(choice)
    if (++count % 100 === 0) fleet.takeJournal()
  }, 5000)
  return rounded(Math.max(0, both - bare))
}

const separator = new Uint8Array(32)
const signer = createSigner(newPrivateKey())
const pieces = Array.from({ length: 100 }, (_, i) => ({ segment: keccak256(`${i}`), number: 0, head: keccak256(`${i}`) }))
const groupUs = rounded(
  microsecondsPerCall(
    () =>
      void signGroup(
        signer,
        separator,
        pieces.map(piece => journalDigest(separator, piece)),
      ),
    50,
  ) / 100,
)

const results = SIZES.flatMap(nodes =>
  ['varied', 'alike'].map(kind => {
    const fleet = fleetOf(nodes, kind === 'varied')
    const churn = measureChurn(fleet, nodes, kind === 'varied')
    const plainUs = microsecondsPerCall(i => plainPick(fleet, seeds[i % seeds.length]!), Math.max(3, Math.round(200_000 / nodes)))
    return {
      nodes,
      fleet: kind,
      ...churn,
      plainUs,
      plainRatio: rounded(plainUs / churn.decisionUs),
      recordUs: measureRecord(fleet, churn.decisionUs),
    }
  }),
)
/** Read below, so that the loop is not optimised away. */
let sum = 0
const addsUs = microsecondsPerCall(i => {
  for (let n = 0; n < 1000; n++) sum = (sum + (n ^ i)) | 0
}, 5000)
console.log(
  JSON.stringify({ bench: 'routing-decision', barUsAt1000: 5, barUsAt100000: 50, thousandAddsUs: addsUs, checksum: sum, groupUs, results }),
)
