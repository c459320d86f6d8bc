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

/**
 * Runs `act` again and again, each time `everyMs` after the end of the run before; what it throws goes to `failed`. Answers how to end
 * that: a run that is under way is the last one.
 */
export function repeat(clock: Clock, everyMs: number, act: () => unknown, failed: (error: unknown) => void): () => void {
  let isStopped = false
  let cancel = (): void => undefined
  const later = (): void => {
    if (!isStopped) cancel = clock.after(everyMs, run)
  }
  const run = (): void => {
    try {
      const running = act()
      if (running instanceof Promise) running.catch(failed).finally(later)
      else later()
    } catch (error) {
      failed(error)
      later()
    }
  }
  later()
  return () => {
    isStopped = true
    cancel()
  }
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
