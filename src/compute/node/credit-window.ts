/**
 * Back-pressure of one lease: a node may send as many tokens as the router granted, then it waits.
 * One piece may be larger than the whole window (an upstream server may send long pieces): it goes out alone, on a full window.
 */
export class CreditWindow {
  readonly #sizeTokens: number
  #leftTokens: number
  readonly #queue: { tokens: number; resolve: () => void }[] = []

  constructor(sizeTokens: number) {
    this.#sizeTokens = sizeTokens
    this.#leftTokens = sizeTokens
  }

  /** True when the tokens may go now: the usual case costs no promise. */
  tryTake(tokens: number): boolean {
    if (this.#queue.length > 0 || !this.#fits(tokens)) return false
    this.#leftTokens -= tokens
    return true
  }

  /** Resolves when the tokens may go, in order of asking. */
  async take(tokens: number): Promise<void> {
    if (this.tryTake(tokens)) return
    await new Promise<void>(resolve => this.#queue.push({ tokens, resolve }))
  }

  add(tokens: number): void {
    // Bounded: a router that grants without end must not turn the window into "no limit".
    this.#leftTokens = Math.min(this.#sizeTokens, this.#leftTokens + tokens)
    this.#drain()
  }

  /** Lets everything through: the lease is over and its producers must not hang. */
  open(): void {
    this.#leftTokens = Number.MAX_SAFE_INTEGER
    this.#drain()
  }

  #fits(tokens: number): boolean {
    return this.#leftTokens >= Math.min(tokens, this.#sizeTokens)
  }

  #drain(): void {
    while (this.#queue.length > 0 && this.#fits(this.#queue[0]!.tokens)) {
      const next = this.#queue.shift()!
      this.#leftTokens -= next.tokens
      next.resolve()
    }
  }
}
