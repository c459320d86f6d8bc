import type { Clock } from '#platform'
import { type PodId, type PodSummary, type RouterBeacon, routerBeaconSchema } from '#protocol'

/** A router as its beacons tell of it. */
export type KnownRouter = {
  readonly instance: string
  readonly url: string
  readonly nodeUrl: string
  readonly draining: boolean
  readonly devices: number
  readonly heardAtMs: number
  readonly pods: ReadonlyMap<PodId, PodSummary>
}

/** The routers that have been heard of lately. */
export type RouterDirectory = {
  /** A payload of the bus; what can not be read is left alone. */
  heard(payload: string): void
  list(): readonly KnownRouter[]
}

/** Beacons come every half second; whoever missed six is gone. */
const SILENT_MS = 3_000

type Entry = KnownRouter & {
  readonly round: number
  readonly pods: Map<PodId, PodSummary>
  /** The round that named each pod last. */
  readonly named: Map<PodId, number>
}

function parsed(payload: string): RouterBeacon | null {
  try {
    return routerBeaconSchema.parse(JSON.parse(payload))
  } catch {
    // Another version's word, or nobody's.
    return null
  }
}

export function createRouterDirectory({ clock }: { readonly clock: Clock }): RouterDirectory {
  const routers = new Map<string, Entry>()

  function heard(payload: string): void {
    const beacon = parsed(payload)
    if (!beacon) return
    const { instance, url, nodeUrl, draining, devices, round } = beacon
    const before = routers.get(instance)
    // Rounds count from one at every start: an older one of the same address is a message that came late.
    const isSame = before?.url === url && round >= before.round
    const { pods, named } = isSame ? before : { pods: new Map<PodId, PodSummary>(), named: new Map<PodId, number>() }
    for (const summary of beacon.pods) {
      pods.set(summary.podId, summary)
      named.set(summary.podId, round)
    }
    // A pod that two whole rounds did not name is gone.
    for (const [podId, lastRound] of named) {
      if (lastRound >= round - 1) continue
      pods.delete(podId)
      named.delete(podId)
    }
    routers.set(instance, { instance, url, nodeUrl, draining, devices, round, heardAtMs: clock.now(), pods, named })
  }

  return {
    heard,
    list() {
      const nowMs = clock.now()
      for (const [instance, { heardAtMs }] of routers) if (nowMs - heardAtMs > SILENT_MS) routers.delete(instance)
      return [...routers.values()]
    },
  }
}
