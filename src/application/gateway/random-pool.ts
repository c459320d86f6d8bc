import type { RandomBytes } from '#platform'

const POOL_BYTES = 4096

/** Random bytes in small portions from large ones: two calls per request cost 5 % of it. Every byte is given out once. */
export function createRandomPool(random: RandomBytes): RandomBytes {
  let pool = new Uint8Array(0)
  return length => {
    if (length > POOL_BYTES) return random(length)
    if (pool.length < length) pool = Uint8Array.from(random(POOL_BYTES))
    const portion = pool.subarray(0, length)
    pool = pool.subarray(length)
    return portion
  }
}
