import { mulDivDown, WAD } from '#protocol'

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
