import { type Demand, isEligible, isEligibleWithSlot } from './filter.ts'
import type { Fleet } from './fleet.ts'
import type { Hosting } from './hosting.ts'
import { bestOf } from './rank.ts'

export type Choice =
  | { readonly chosen: Hosting }
  | { readonly chosen: null /** A busy node could take it once a slot frees. */; readonly mayWait: boolean }

/** filter, rank, pick. `seed` is 32 bytes of hex and only breaks ties. */
export function pick(fleet: Pick<Fleet, 'hosting'>, demand: Demand, seed: string): Choice {
  const hostings = fleet.hosting(demand.pod.podId)
  const eligible: Hosting[] = []
  for (const hosting of hostings) if (isEligible(hosting, demand)) eligible.push(hosting)
  const chosen = bestOf(eligible, demand.referredNodes, seed)
  if (chosen) return { chosen }
  return { chosen: null, mayWait: hostings.some(hosting => isEligibleWithSlot(hosting, demand)) }
}
