import type { StoredReceipt } from '#platform'
import type { RouteClass } from '#protocol'

/** What counts whole as organic demand, and what only by what the protocol got of it (DESIGN §6.3, ADR 0015). */
export type OrganicRule = {
  /**
   * False: every job counts as closed. An open route proves less than it seems to (three owner names cost little, and warm nodes of
   * one's own go first), so that faking demand loses money at any size only while no job counts whole.
   */
  readonly countsOpenRoutes: boolean
}

const OPEN: RouteClass = 0

export function countsWhole({ signed }: StoredReceipt, { countsOpenRoutes }: OrganicRule): boolean {
  return countsOpenRoutes && signed.receipt.routeClass === OPEN
}
