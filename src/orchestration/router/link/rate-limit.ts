/** A token bucket: true while the caller stays within `perSecond` on average and `burst` at once. */
export function createRateLimit(options: { perSecond: number; burst: number }, startMs: number): (nowMs: number) => boolean {
  let level = options.burst
  let lastMs = startMs
  return nowMs => {
    level = Math.min(options.burst, level + (Math.max(0, nowMs - lastMs) * options.perSecond) / 1000)
    lastMs = nowMs
    if (level < 1) return false
    level -= 1
    return true
  }
}
