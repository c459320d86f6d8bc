import { createEventFollower, type EventFollower } from '#orchestration'
import { type Clock, type Logger, repeat } from '#platform'
import type { Bus } from '#platform/bus'
import { BUS_TOPICS } from '#protocol'
import type { Joined } from './join.ts'
import type { PodNews } from './pods.ts'

/** A message of the bus can be lost: the database is looked at from time to time, too. */
const LOOK_EVERY_MS = 10_000

/** Deployed pods, as processes tell each other of them. */
export function podNews(bus: Bus, clock: Clock): PodNews {
  return {
    tell: () => bus.publish(BUS_TOPICS.pods, ''),
    listen({ told, look }) {
      const stop = repeat(clock, LOOK_EVERY_MS, look, () => undefined)
      const unsubscribe = bus.subscribe(BUS_TOPICS.pods, told)
      return () => {
        stop()
        unsubscribe()
      }
    },
  }
}

/** The chain's events as the sequencer's process stores them. */
export async function followedEvents({
  joined,
  clock,
  logger,
  undo,
}: {
  readonly joined: Joined
  readonly clock: Clock
  readonly logger: Logger
  readonly undo: (() => Promise<unknown>)[]
}): Promise<EventFollower> {
  const { chain, database } = joined.infrastructure
  const follower = createEventFollower({ chain, events: database.events, clock, logger })
  await follower.start()
  undo.push(async () => follower.stop())
  return follower
}
