/** A token bucket: true while the caller's costs stay within `perSecond` on average and `burst` at once. */
export function createRateLimit(options: { perSecond: number; burst: number }, startMs: number): (nowMs: number, cost: number) => boolean {
  let level = options.burst
  let lastMs = startMs
  return (nowMs, cost) => {
    level = Math.min(options.burst, level + (Math.max(0, nowMs - lastMs) * options.perSecond) / 1000)
    lastMs = nowMs
    if (level < cost) return false
    level -= cost
    return true
  }
}
