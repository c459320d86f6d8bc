import { minOf, mulDivDown, WAD } from '#protocol'
import { MAX_MULTIPLIER_WAD } from './gauges.ts'

/** 1 micro-dollar in wei at a price of one: 1e18 / 1e6. */
const WEI_PER_MICRO_DOLLAR = 1_000_000_000_000n

/**
 * Organic revenue of a batch (DESIGN §6.3): what open jobs paid in full, and of everything else what the protocol really got, as
 * its part of all payments, rounded down. A wash trader's own payment counts only up to what it gave away.
 * @throws RangeError when open jobs paid more than all jobs
 */
export function organicRevenueDown(amounts: { readonly open: bigint; readonly payments: bigint; readonly protocol: bigint }): bigint {
  const { open, payments, protocol } = amounts
  if (open > payments) throw new RangeError(`organicRevenueDown: open jobs paid ${open} of ${payments}`)
  return open === payments ? open : open + mulDivDown(protocol, payments - open, payments)
}

/** Wei of HEU for micro-dollars at `heuPriceUsdWad` (USD per HEU), rounded down. */
export function heuForUsdDown(usd: bigint, heuPriceUsdWad: bigint): bigint {
  return mulDivDown(usd, WAD * WEI_PER_MICRO_DOLLAR, heuPriceUsdWad)
}

/** One job's work and payment. `paidWei` is the whole price, `protocolWei` what the protocol got of it. */
export type OrganicJob = { readonly computeUnits: bigint; readonly paidWei: bigint; readonly protocolWei: bigint; readonly isOpen: boolean }

/**
 * Compute units of a job that earn dynamic rewards (ADR 0015): never more than its payment buys at the network's price of a unit, so
 * that a slow node gains nothing by claiming its time; of a closed job no more than the protocol's share buys, divided by the
 * highest vote multiplier, so that the votes can not turn that share into a profit.
 * @param weiPerUnit the network's price of a unit (wei, above zero)
 */
export function organicUnitsDown({ computeUnits, paidWei, protocolWei, isOpen }: OrganicJob, weiPerUnit: bigint): bigint {
  const counted = isOpen ? paidWei : mulDivDown(protocolWei, WAD, MAX_MULTIPLIER_WAD)
  return minOf(computeUnits, mulDivDown(counted, 1n, weiPerUnit))
}
