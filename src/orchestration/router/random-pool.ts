import type { RandomBytes } from '#platform'

const POOL_BYTES = 4096

/** Hands out random bytes from a block: a job needs two draws, and each call of the system's generator costs 3 µs. */
export function poolRandom(random: RandomBytes): RandomBytes {
  let pool = new Uint8Array(0)
  let used = 0
  return length => {
    if (used + length > pool.length) {
      pool = Uint8Array.from(random(Math.max(POOL_BYTES, length)))
      used = 0
    }
    used += length
    return pool.subarray(used - length, used)
  }
}
