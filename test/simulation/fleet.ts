/** Many gateways and routers in virtual time: how good is a choice that is made from half-second-old news? (`docs/adr/0022`) */
import type { PodId } from '#protocol'
import { type Candidate, chooseRouter } from '../../src/application/gateway/routers/choose.ts'
import type { KnownRouter } from '../../src/application/gateway/routers/directory.ts'
import { seededRandom } from './random.ts'

export type FleetSetting = {
  readonly gateways: number
  readonly routers: number
  readonly nodes: number
  readonly slotsPerNode: number
  readonly jobsPerSecond: number
  /** Mean time of a job, exponential, in ms. */
  readonly jobMs: number
  readonly beaconMs: number
  readonly seconds: number
  readonly seed: number
}
export const DESIGN_TARGET: FleetSetting = {
  gateways: 40,
  routers: 50,
  nodes: 100_000,
  slotsPerNode: 1,
  jobsPerSecond: 10_000,
  jobMs: 8_000,
  beaconMs: 500,
  seconds: 40,
  seed: 1,
}

export type Rule = 'random' | 'freest' | 'two choices'
export const RULES: readonly Rule[] = ['random', 'freest', 'two choices']
export type FleetRow = {
  readonly rule: Rule
  readonly jobs: number
  /** Parts of the jobs that met a full router while another had a free slot. */
  readonly misplaced: number
  /** Mean and worst number of jobs in one router's queue, looked at with each job. */
  readonly meanQueue: number
  readonly worstQueue: number
}

const POD: PodId = `0x${'0'.repeat(64)}`
const WARM_UP_SHARE = 0.5

type Router = { readonly slots: number; busy: number; queued: number; known: KnownRouter }

function knownAs(index: number, router: Pick<Router, 'slots' | 'busy' | 'queued'>): KnownRouter {
  const freeSlots = router.slots - router.busy
  const summary = { podId: POD, warm: router.slots, loading: 0, replicas: router.slots, freeSlots, queued: router.queued, scale: null }
  const url = `ws://router-${index}`
  return {
    instance: `router-${index}`,
    url,
    nodeUrl: url,
    draining: false,
    devices: router.slots,
    heardAtMs: 0,
    pods: new Map([[POD, summary]]),
  }
}

/** Ends of jobs by time: buckets of one millisecond. */
function calendar(): { add(atMs: number, router: number): void; take(atMs: number): readonly number[] } {
  const buckets = new Map<number, number[]>()
  return {
    add(atMs, router) {
      const bucket = buckets.get(atMs)
      if (bucket) bucket.push(router)
      else buckets.set(atMs, [router])
    },
    take(atMs) {
      const bucket = buckets.get(atMs) ?? []
      buckets.delete(atMs)
      return bucket
    },
  }
}

function chooserOf(rule: Rule, routers: readonly Router[], random: () => number): (given: readonly number[]) => number {
  const count = routers.length
  if (rule === 'random') return () => Math.floor(random() * count)
  const free = (index: number, given: readonly number[]): number => {
    const summary = routers[index]?.known.pods.get(POD)
    return (summary?.freeSlots ?? 0) - (summary?.queued ?? 0) - (given[index] ?? 0)
  }
  if (rule === 'freest') {
    return given => routers.reduce((best, _, index) => (free(index, given) > free(best, given) ? index : best), 0)
  }
  // The product's own rule.
  return given => {
    const candidates = routers.map((router, index): Candidate & { index: number } => ({
      router: router.known,
      given: given[index] ?? 0,
      index,
    }))
    return chooseRouter(candidates, POD, random)?.index ?? 0
  }
}

/** One rule over one seeded stream of jobs. */
export function playFleet(rule: Rule, setting: FleetSetting): FleetRow {
  const random = seededRandom(setting.seed)
  const slots = Math.floor((setting.nodes * setting.slotsPerNode) / setting.routers)
  const routers: Router[] = Array.from({ length: setting.routers }, (_, index) => {
    const empty = { slots, busy: 0, queued: 0 }
    return { ...empty, known: knownAs(index, empty) }
  })
  const given = Array.from({ length: setting.gateways }, () => routers.map(() => 0))
  const choose = chooserOf(rule, routers, random)
  const ends = calendar()
  const durationMs = (): number => Math.max(1, Math.round(-Math.log(1 - random()) * setting.jobMs))
  const perMs = setting.jobsPerSecond / 1000
  const tally = { jobs: 0, misplaced: 0, queue: 0, worst: 0 }
  const begin = (index: number, nowMs: number): void => {
    routers[index]!.busy += 1
    ends.add(nowMs + durationMs(), index)
  }
  const untilMs = setting.seconds * 1000
  let owed = 0
  for (let nowMs = 0; nowMs < untilMs; nowMs++) {
    for (const index of ends.take(nowMs)) {
      const router = routers[index]!
      router.busy -= 1
      if (router.queued === 0) continue
      router.queued -= 1
      begin(index, nowMs)
    }
    for (const [index, router] of routers.entries()) {
      // Routers speak at different moments.
      if ((nowMs + Math.floor((index * setting.beaconMs) / routers.length)) % setting.beaconMs !== 0) continue
      router.known = knownAs(index, router)
      for (const counts of given) counts[index] = 0
    }
    for (owed += perMs; owed >= 1; owed--) {
      const counts = given[Math.floor(random() * given.length)]!
      const index = choose(counts)
      const router = routers[index]!
      counts[index]! += 1
      const isFull = router.busy >= router.slots
      if (nowMs > untilMs * WARM_UP_SHARE) {
        tally.jobs += 1
        tally.queue += router.queued
        tally.worst = Math.max(tally.worst, router.queued)
        if (isFull && routers.some(({ busy, slots: all }) => busy < all)) tally.misplaced += 1
      }
      if (isFull) router.queued += 1
      else begin(index, nowMs)
    }
  }
  return { rule, jobs: tally.jobs, misplaced: tally.misplaced / tally.jobs, meanQueue: tally.queue / tally.jobs, worstQueue: tally.worst }
}
