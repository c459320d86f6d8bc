/**
 * Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a counter-based generator.
 * The n-th number of a stream is a pure function of (key, counter), so a validator can recompute one draw without the draws before it.
 */
const MULTIPLIER_0 = 0xd2511f53
const MULTIPLIER_1 = 0xcd9e8d57
const WEYL_0 = 0x9e3779b9
const WEYL_1 = 0xbb67ae85
const ROUNDS = 10

export type PhiloxBlock = readonly [number, number, number, number]

/** Upper 32 bits of a 32 × 32 bit product, in parts of 16 bits so that every step stays exact in a double. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16)
  const middleLow = (middle % 0x10000) + aLow * bHigh
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(middleLow / 0x10000)) >>> 0
}

/** Four 32-bit numbers for a 128-bit counter and a 64-bit key. */
export function philox(counter: PhiloxBlock, key: readonly [number, number]): PhiloxBlock {
  let [c0, c1, c2, c3] = counter
  let [k0, k1] = key
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0)
    const high1 = multiplyHigh(MULTIPLIER_1, c2)
    const low0 = Math.imul(MULTIPLIER_0, c0) >>> 0
    const low1 = Math.imul(MULTIPLIER_1, c2) >>> 0
    c0 = (high1 ^ c1 ^ k0) >>> 0
    c1 = low1
    c2 = (high0 ^ c3 ^ k1) >>> 0
    c3 = low0
    k0 = (k0 + WEYL_0) >>> 0
    k1 = (k1 + WEYL_1) >>> 0
  }
  return [c0, c1, c2, c3]
}

/**
 * Uniform number in [0, 1) with 53 bits. Key = the request's 64-bit seed; counter = (position of the token in the
 * output, choice, draw at this position, 0).
 */
export function uniform(seed: bigint, at: { choice: number; position: number; draw: number }): number {
  const key = [Number(seed & 0xffffffffn), Number((seed >> 32n) & 0xffffffffn)] as const
  const [high, low] = philox([at.position >>> 0, at.choice >>> 0, at.draw >>> 0, 0], key)
  return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53
}
