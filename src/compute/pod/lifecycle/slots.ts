/** Counted slots with a bounded, first-come queue. */
export class Slots {
  readonly #total: number
  readonly #maxWaiting: number
  #busy = 0
  readonly #waiting: (() => void)[] = []

  constructor(total: number, maxWaiting: number) {
    this.#total = total
    this.#maxWaiting = maxWaiting
  }

  get busy(): number {
    return this.#busy
  }

  get free(): number {
    return this.#total - this.#busy
  }

  /** Resolves with the function that gives the slot back, or with null when the queue is full. Rejects when `signal` aborts. */
  async claim(signal: AbortSignal): Promise<(() => void) | null> {
    signal.throwIfAborted()
    if (this.#busy < this.#total) {
      this.#busy += 1
      return this.#releaseOnce()
    }
    if (this.#waiting.length >= this.#maxWaiting) return null
    await this.#wait(signal)
    return this.#releaseOnce()
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.splice(this.#waiting.indexOf(admit), 1)
        reject(signal.reason)
      }
      const admit = () => {
        signal.removeEventListener('abort', onAbort)
        resolve()
      }
      this.#waiting.push(admit)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** The slot passes straight to the next in the queue, so that nobody can slip in between. */
  #releaseOnce(): () => void {
    let released = false
    return () => {
      if (released) return
      released = true
      const next = this.#waiting.shift()
      if (next) next()
      else this.#busy -= 1
    }
  }
}
