/** Branded integers: an amount of one kind can not be passed where another is meant. */
type Brand<Name extends string> = bigint & { readonly __unit?: Name }

/** Atomic units of a payment asset (HEU: 1e-18, DevUSD: 1e-6). */
export type AssetAmount = Brand<'asset'>
/** 1e-9 of a credit; 100 credits are one US dollar. */
export type NanoCredits = Brand<'nanoCredits'>
/** Fixed point with 18 decimals. */
export type Wad = Brand<'wad'>
/** Basis points, 1/10,000. */
export type Bps = number

export const NANO_CREDITS_PER_CREDIT = 1_000_000_000n
export const CREDITS_PER_USD = 100n
export const WAD = 1_000_000_000_000_000_000n
export const BPS = 10_000n

/** Math.min and Math.max know no bigint. */
export const minOf = (a: bigint, b: bigint): bigint => (a < b ? a : b)
export const maxOf = (a: bigint, b: bigint): bigint => (a < b ? b : a)

/** floor(a × b / d). @throws RangeError when d is not positive */
export function mulDivDown(a: bigint, b: bigint, d: bigint): bigint {
  if (d <= 0n) throw new RangeError('mulDivDown: divisor must be positive')
  return (a * b) / d
}

/** ceil(a × b / d) for non-negative a and b. @throws RangeError when d is not positive */
export function mulDivUp(a: bigint, b: bigint, d: bigint): bigint {
  if (d <= 0n) throw new RangeError('mulDivUp: divisor must be positive')
  return (a * b + d - 1n) / d
}

/** Decimal text of a fixed-point integer, without trailing zeros: formatUnits(1500000n, 6) is "1.5". */
export function formatUnits(value: bigint, decimals: number): string {
  const negative = value < 0n
  const digits = (negative ? -value : value).toString().padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '')
  return `${negative ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`
}

/** Inverse of {@link formatUnits}. @throws RangeError on anything but a plain decimal with at most `decimals` places */
export function parseUnits(text: string, decimals: number): bigint {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text.trim())
  const fraction = match?.[3] ?? ''
  if (!match || fraction.length > decimals) throw new RangeError(`"${text}" is not a decimal number with at most ${decimals} places`)
  const value = BigInt(`${match[2]}${fraction.padEnd(decimals, '0')}`)
  return match[1] === '-' ? -value : value
}
