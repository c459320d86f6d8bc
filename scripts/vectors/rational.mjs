// Exact fractions, for the vectors only. They round once, at the end, so they tell what a rule says before any fixed point.

/** @typedef {{ readonly n: bigint, readonly d: bigint }} Rational `n / d`, with d above zero. */

/** @returns {Rational} */
export function fraction(n, d = 1n) {
  const [over, under] = [BigInt(n), BigInt(d)]
  if (under === 0n) throw new RangeError('a fraction needs a divisor')
  return under < 0n ? { n: -over, d: -under } : { n: over, d: under }
}

export const add = (a, b) => fraction(a.n * b.d + b.n * a.d, a.d * b.d)
export const subtract = (a, b) => fraction(a.n * b.d - b.n * a.d, a.d * b.d)
export const multiply = (...factors) => factors.reduce((a, b) => fraction(a.n * b.n, a.d * b.d))
export const divide = (a, b) => fraction(a.n * b.d, a.d * b.n)
export const isBelow = (a, b) => a.n * b.d < b.n * a.d
export const smaller = (a, b) => (isBelow(b, a) ? b : a)
export const larger = (a, b) => (isBelow(a, b) ? b : a)

/** Of a fraction that is not negative. */
export const floor = a => a.n / a.d
export const ceil = a => (a.n + a.d - 1n) / a.d

/** "1.25" -> 125/100, exactly. */
export function decimal(text) {
  const [whole, digits = ''] = text.split('.')
  return fraction(BigInt(whole + digits), 10n ** BigInt(digits.length))
}

export const HEU = 10n ** 18n
export const WAD = 10n ** 18n

/** Rows of one shape -> one column for each name, because Solidity reads arrays by name. */
export function columns(rows) {
  return Object.fromEntries(Object.keys(rows[0]).map(name => [name, rows.map(row => row[name])]))
}
