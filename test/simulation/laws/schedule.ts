import type { Clock } from '#platform'

type Event = { readonly atMs: number; readonly order: number; run: (() => void) | null }

/**
 * Virtual time. One step runs one event, then everything that it sets off: promises and ends of turns. Two events of the same time run in
 * the order in which they were asked for, so a seed tells one story.
 */
export class Schedule {
  #nowMs: number
  #order = 0
  readonly #heap: Event[] = []
  #turn: (() => void)[] = []

  constructor(startMs: number) {
    this.#nowMs = startMs
  }

  now = (): number => this.#nowMs

  /** Runs after `delayMs`; the returned function cancels it. */
  after = (delayMs: number, run: () => void): (() => void) => {
    const event: Event = { atMs: this.#nowMs + Math.max(0, delayMs), order: ++this.#order, run }
    this.#push(event)
    return () => {
      event.run = null
    }
  }

  afterTurn = (run: () => void): void => void this.#turn.push(run)

  /** Runs the next event; false when nothing is left to happen. */
  async step(): Promise<boolean> {
    for (let event = this.#pop(); event; event = this.#pop()) {
      if (!event.run) continue
      this.#nowMs = Math.max(this.#nowMs, event.atMs)
      event.run()
      await this.settle()
      return true
    }
    return false
  }

  /** Waits until no promise and no end of a turn is left to run. */
  async settle(): Promise<void> {
    for (;;) {
      await new Promise(resolve => setImmediate(resolve))
      if (this.#turn.length === 0) return
      const turn = this.#turn
      this.#turn = []
      for (const run of turn) run()
    }
  }

  #isBefore(a: Event, b: Event): boolean {
    return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
  }

  #push(event: Event): void {
    const heap = this.#heap
    let at = heap.push(event) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#isBefore(event, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = event
  }

  #pop(): Event | undefined {
    const heap = this.#heap
    const [first] = heap
    const last = heap.pop()
    if (!last || heap.length === 0) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && this.#isBefore(heap[child + 1]!, heap[child]!)) child += 1
      if (!this.#isBefore(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
    return first
  }
}

/** One process: a clock of its own, maybe wrong, whose timers die with it. */
export class Process {
  readonly clock: Clock
  isAlive = true

  constructor(schedule: Schedule, skewMs = 0) {
    this.clock = {
      now: () => schedule.now() + skewMs,
      after: (delayMs, run) => schedule.after(delayMs, () => this.isAlive && run()),
      afterTurn: run => schedule.afterTurn(() => this.isAlive && run()),
    }
  }

  /** kill -9. */
  kill(): void {
    this.isAlive = false
  }
}
