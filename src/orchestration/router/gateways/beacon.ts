import { type Clock, type Logger, repeat } from '#platform'
import { BUS_TOPICS, messageOf, type PodId, type PodSummary, type RouterBeacon } from '#protocol'
import type { Router } from '../router.ts'

export type BeaconDependencies = {
  readonly router: Pick<Router, 'podCapacity' | 'loads'>
  readonly scaleOf: (podId: PodId) => PodSummary['scale']
  readonly devices: () => number
  readonly publish: (topic: string, payload: string) => void
  readonly clock: Clock
  readonly logger: Logger
}

/** A router's word on the bus: where it is, and what it could take. */
export type Beacon = {
  start(): void
  /** Says once more, and from now on, that no new jobs are wanted. */
  drain(): void
  stop(): void
}

const EVERY_MS = 500
/** One summary has about 230 bytes, one message of the bus 7,500. */
const PODS_PER_PART = 30

/** Exactly what the message has room for: whatever else an object carries would grow on the bus unseen. */
function scaleFact(scale: PodSummary['scale']): PodSummary['scale'] {
  return scale && { desired: scale.desired, limit: scale.limit, places: scale.places, ceiling: scale.ceiling }
}

function summaries({ router, scaleOf }: BeaconDependencies): PodSummary[] {
  return router
    .loads()
    .map(({ podId, pending }) => ({ podId, ...router.podCapacity(podId), queued: pending, scale: scaleFact(scaleOf(podId)) }))
}

export function createBeacon(self: Pick<RouterBeacon, 'instance' | 'url' | 'nodeUrl'>, dependencies: BeaconDependencies): Beacon {
  const { publish, devices, clock, logger } = dependencies
  let round = 0
  let draining = false
  let stop = (): void => undefined
  const say = (): void => {
    round += 1
    const all = summaries(dependencies)
    for (let from = 0; from === 0 || from < all.length; from += PODS_PER_PART) {
      const beacon: RouterBeacon = { ...self, round, draining, devices: devices(), pods: all.slice(from, from + PODS_PER_PART) }
      publish(BUS_TOPICS.router, JSON.stringify(beacon))
    }
  }
  return {
    start() {
      say()
      stop = repeat(clock, EVERY_MS, say, error =>
        logger.error({ reason: messageOf(error) }, 'the beacon could not be sent; the next one comes'),
      )
    },
    drain() {
      draining = true
      try {
        say()
      } catch (error) {
        // Gateways see the links close instead; the router must not stay up for it.
        logger.error({ reason: messageOf(error) }, 'the beacon could not be sent; the router drains without it')
      }
    },
    stop: () => stop(),
  }
}
