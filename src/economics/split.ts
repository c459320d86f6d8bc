import { type Address, BPS, mulDivDown } from '#protocol'

/** The five parties of a payment (DESIGN §5), in the order of the chain's role numbers. */
export const SPLIT_ROLES = ['node', 'deployer', 'frontend', 'voters', 'protocol'] as const
export type SplitRole = (typeof SPLIT_ROLES)[number]

/** Basis points of every role but the node, which gets the rest. */
export type SplitBps = Readonly<Record<Exclude<SplitRole, 'node'>, number>>
export const DEFAULT_SPLIT_BPS: SplitBps = { deployer: 800, frontend: 500, voters: 200, protocol: 500 }

/** Who stands for each role in one job; null when nobody does. */
export type SplitParties = Readonly<Record<SplitRole, Address | null>> & { readonly node: Address }
export type SplitShare = { readonly role: SplitRole; readonly account: Address; readonly amount: bigint }

/**
 * Splits `price` (atomic units) among the parties. Shares round down; a missing party's share and all dust go to the node,
 * so the shares always add up to the price (law C3) and the node never gets less than its rate.
 */
export function splitPayment(price: bigint, parties: SplitParties, bps: SplitBps = DEFAULT_SPLIT_BPS): SplitShare[] {
  const shares: SplitShare[] = []
  let rest = price
  for (const role of SPLIT_ROLES) {
    if (role === 'node') continue
    const account = parties[role]
    if (account === null) continue
    const amount = mulDivDown(price, BigInt(bps[role]), BPS)
    if (amount > 0n) shares.push({ role, account, amount })
    rest -= amount
  }
  return [{ role: 'node', account: parties.node, amount: rest }, ...shares]
}
