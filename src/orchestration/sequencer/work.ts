import { heuForUsdDown, organicUnitsDown } from '#economics'
import type { NodeWork, StoredReceipt } from '#platform'
import type { NodeId } from '#protocol'
import type { SettlementAssets } from './batch.ts'
import { countsWhole, type OrganicRule } from './organic.ts'

/** What a unit of compute costs on the network, and HEU in dollars: units count only as far as their payment buys them (ADR 0015). */
export type WorkTerms = OrganicRule & {
  /** Wei of HEU per compute unit. */
  readonly weiPerUnit: bigint
  /** USD per HEU, 18 decimals. */
  readonly heuPriceUsdWad: bigint
}

/** Organic compute units of a batch by node, ascending by node: what the emission of its epoch is reported from (wp §3.4.4). */
export function organicWork(receipts: readonly StoredReceipt[], assets: SettlementAssets, terms: WorkTerms): NodeWork[] {
  const toWei = (asset: string, amount: bigint): bigint => (asset === assets.heu ? amount : heuForUsdDown(amount, terms.heuPriceUsdWad))
  const units = new Map<NodeId, bigint>()
  for (const receipt of receipts) {
    const { signed, split } = receipt
    const { node, computeUnits, price, asset } = signed.receipt
    const protocol = split.find(({ role }) => role === 'protocol')?.amount ?? 0n
    const job = {
      computeUnits: BigInt(computeUnits),
      paidWei: toWei(asset, price),
      protocolWei: toWei(asset, protocol),
      isOpen: countsWhole(receipt, terms),
    }
    const organic = organicUnitsDown(job, terms.weiPerUnit)
    if (organic > 0n) units.set(node, (units.get(node) ?? 0n) + organic)
  }
  return [...units].sort(([a], [b]) => (a < b ? -1 : 1)).map(([nodeId, organicUnits]) => ({ nodeId, organicUnits }))
}
