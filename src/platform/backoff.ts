/** A number in [0, 1); a simulation passes a seeded one. */
export type Random = () => number

export type BackoffOptions = { readonly baseMs: number; readonly maxMs: number }

/**
 * Exponential backoff with full jitter: uniform between 0 and min(maxMs, baseMs × 2^attempt).
 * Full jitter and not "half": after a router restart thousands of nodes must not come back in waves.
 */
export function fullJitterMs(attempt: number, options: BackoffOptions, random: Random): number {
  const ceilingMs = Math.min(options.maxMs, options.baseMs * 2 ** Math.min(attempt, 30))
  return Math.floor(random() * ceilingMs)
}
