import type { Law } from './laws.ts'
import { type Played, play } from './play.ts'
import type { Scenario } from './scenario.ts'
import type { Seams } from './seams.ts'

const MOST_PLAYS = 400

/** The shortest story found in which the same law breaks: happenings are left out as long as it still does. */
export async function shrink(scenario: Scenario, law: Law, { steps, seams }: { steps: number; seams?: Seams }): Promise<Played> {
  let smallest = await play(scenario, steps, seams)
  let plays = 0
  for (let size = Math.ceil(scenario.happenings.length / 2); size >= 1 && plays < MOST_PLAYS; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < smallest.scenario.happenings.length && plays < MOST_PLAYS; ) {
      plays += 1
      const happenings = smallest.scenario.happenings.toSpliced(from, size)
      const shorter = await play({ ...smallest.scenario, happenings }, steps, seams)
      if (shorter.broken?.law === law) smallest = shorter
      else from += size
    }
  }
  return smallest
}
