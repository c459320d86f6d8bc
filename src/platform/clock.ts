/** Time as a dependency: layers never call Date.now() or setTimeout themselves where a test must move time. */
export type Clock = {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /** Calls `run` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, run: () => void): () => void
  /** Calls `run` when this turn of the event loop has ended: before any timer, and without its millisecond. */
  afterTurn(run: () => void): void
}

/** The machine's clock. Timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    timer.unref()
    return () => clearTimeout(timer)
  },
  afterTurn: run => void setImmediate(run),
}

/** Fills a buffer with random bytes; a simulation passes a seeded one. */
export type RandomBytes = (length: number) => Uint8Array

/** A clock that a test moves by hand: `advance` runs due timers in order of time. */
export function createManualClock(startMs = 1_700_000_000_000): Clock & { advance(ms: number): void } {
  let nowMs = startMs
  const timers = new Set<{ atMs: number; run: () => void }>()
  return {
    now: () => nowMs,
    after(delayMs, run) {
      const timer = { atMs: nowMs + delayMs, run }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    afterTurn: systemClock.afterTurn,
    advance(ms) {
      const until = nowMs + ms
      for (;;) {
        const due = [...timers].filter(timer => timer.atMs <= until).sort((a, b) => a.atMs - b.atMs)[0]
        if (!due) break
        timers.delete(due)
        nowMs = Math.max(nowMs, due.atMs)
        due.run()
      }
      nowMs = until
    },
  }
}
