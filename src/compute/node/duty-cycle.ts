import type { Clock } from '#platform'

/** Work is paused after at least this much of it; shorter pauses would be lost in the timer's own error. */
const QUANTUM_MS = 20

/**
 * Holds a device to its share: after every stretch of work all leases of the device pause together, so that
 * work : pause = share : (1 − share). The pause stands in the emit path, and an engine waits for emit before it goes on,
 * so a device of half a share really computes half as much and measures so.
 */
export class DutyCycle {
  readonly #pausePerWork: number
  readonly #clock: Clock
  #active = 0
  #resumedAtMs = 0
  #pause: Promise<void> | null = null

  constructor(shareBps: number, clock: Clock) {
    this.#pausePerWork = (10_000 - shareBps) / shareBps
    this.#clock = clock
  }

  begin(): void {
    if (this.#active === 0) this.#resumedAtMs = this.#clock.now()
    this.#active += 1
  }

  end(): void {
    this.#active -= 1
  }

  /** Call after a wait that was not the device's: what follows counts from now. */
  resume(): void {
    if (this.#pause === null) this.#resumedAtMs = this.#clock.now()
  }

  /** Call after each piece of work; null when the device need not pause now. `isLast` also pays for a short rest. */
  pace(isLast = false): Promise<void> | null {
    if (this.#pausePerWork === 0) return null
    if (this.#pause) return this.#pause
    const workMs = this.#clock.now() - this.#resumedAtMs
    if (workMs <= 0 || (workMs < QUANTUM_MS && !isLast)) return null
    this.#pause = new Promise(resolve => {
      this.#clock.after(workMs * this.#pausePerWork, () => {
        this.#pause = null
        this.#resumedAtMs = this.#clock.now()
        resolve()
      })
    })
    return this.#pause
  }
}
