/** A router as far as the replicas of one pod go: how many its nodes hold or could hold. */
export type Holder = { readonly instance: string; readonly places: number }

/**
 * The part of `total` replicas that falls to `own`, when `others` have the rest: in proportion to places, by largest remainder, equals by
 * name. Routers that know the same come to parts that add up to the total, and to no more than the places of each while places suffice.
 */
export function shareOf(total: number, own: Holder, others: readonly Holder[]): number {
  if (others.length === 0 || !Number.isFinite(total)) return total
  const holders = [own, ...others]
  const places = holders.reduce((sum, holder) => sum + holder.places, 0)
  if (places === 0) return total
  const parts = holders.map(({ instance, places: own }) => {
    const exact = (total * own) / places
    return { instance, whole: Math.floor(exact), remainder: exact - Math.floor(exact) }
  })
  const left = total - parts.reduce((sum, { whole }) => sum + whole, 0)
  const byRemainder = [...parts].sort((a, b) => b.remainder - a.remainder || (a.instance < b.instance ? -1 : 1))
  return parts[0]!.whole + (byRemainder.indexOf(parts[0]!) < left ? 1 : 0)
}
