import { type Demand, isEligibleWithSlot, isPlain, suitsJob } from './filter.ts'
import type { Fleet } from './fleet.ts'
import type { Hosting } from './hosting.ts'
import { bestOf, raceOf } from './rank.ts'
import type { RosterColumns } from './roster.ts'

export type Choice =
  | { readonly chosen: Hosting }
  | { readonly chosen: null /** A busy node could take it once a slot frees. */; readonly mayWait: boolean }

/** Writes the eligible rows into the scratch column and returns how many there are. */
function filterRows(hostings: readonly Hosting[], { open, scratch }: RosterColumns, demand: Demand): number {
  const plain = isPlain(demand)
  const rows = hostings.length
  let count = 0
  for (let row = 0; row < rows; row++) {
    if (open[row]! > 0 && (plain || suitsJob(hostings[row]!, demand))) scratch[count++] = row
  }
  return count
}

/** filter, rank, pick. `seed` is 32 bytes of hex and only breaks ties. */
export function pick(fleet: Pick<Fleet, 'roster'>, demand: Demand, seed: string): Choice {
  const roster = fleet.roster(demand.pod.podId)
  if (!roster) return { chosen: null, mayWait: false }
  roster.judgeFor(demand.pod)
  const { hostings } = roster
  const columns = roster.columns()
  const count = filterRows(hostings, columns, demand)
  const best = bestOf(raceOf(columns.field, columns.scratch, count, demand.referredNodes), seed)
  if (best >= 0) return { chosen: hostings[best]! }
  return { chosen: null, mayWait: hostings.some(hosting => isEligibleWithSlot(hosting, demand)) }
}
