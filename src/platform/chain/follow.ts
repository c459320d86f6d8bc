import type { Log, PublicClient } from 'viem'
import { type Address, messageOf } from '#protocol'
import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import { pause } from './pause.ts'
import type { BlockRef, Chain, ChainCursor, ChainWatch } from './port.ts'

/** Servers bound the range of one log query; two thousand blocks pass everywhere. */
const BLOCKS_PER_QUERY = 2_000
/** Deeper than any re-org that a chain with finality makes. */
const KEPT_CHECKPOINTS = 64
const BACKOFF_MAX_MS = 10_000

export type FollowedChain = Pick<Chain, 'finalBlock' | 'head'>
export type FollowOptions = {
  readonly addresses: readonly Address[]
  readonly load: () => Promise<ChainCursor | null>
  readonly fromBlock: number
  readonly until: 'final' | 'latest'
  readonly pollMs: number
}
/** Blocks read in order. `rewoundTo`: forget everything above this block first; the chain no longer has it. */
export type Range = {
  readonly logs: readonly Log<bigint, number, false>[]
  readonly cursor: ChainCursor
  readonly rewoundTo: number | null
}
type Handler = (range: Range) => Promise<void>
type Dependencies = { readonly client: PublicClient; readonly clock: Clock; readonly logger: Logger }

/**
 * Reads the logs of some contracts range by range and hands each over at least once: the next range is read after the handler
 * resolved, and the handler keeps the cursor. A reader that polls: simple, works with every RPC server, and a missed poll loses nothing.
 */
export function follow(chain: FollowedChain, dependencies: Dependencies, options: FollowOptions, onRange: Handler): ChainWatch {
  const reader = new Follower(chain, dependencies, options, onRange)
  reader.start()
  return reader
}

class Follower implements ChainWatch {
  readonly #chain: FollowedChain
  readonly #dependencies: Dependencies
  readonly #options: FollowOptions
  readonly #onRange: Handler
  #stopped = false
  #wake = (): void => undefined
  #running: Promise<void> = Promise.resolve()

  constructor(chain: FollowedChain, dependencies: Dependencies, options: FollowOptions, onRange: Handler) {
    this.#chain = chain
    this.#dependencies = dependencies
    this.#options = options
    this.#onRange = onRange
  }

  start(): void {
    this.#running = this.#loop()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#wake()
    await this.#running
  }

  async #loop(): Promise<void> {
    const { clock, logger } = this.#dependencies
    const { pollMs } = this.#options
    let delayMs = pollMs
    while (!this.#stopped) {
      try {
        await this.#readOnce()
        delayMs = pollMs
      } catch (error) {
        delayMs = Math.min(delayMs * 2, BACKOFF_MAX_MS)
        logger.warn({ err: messageOf(error), retryInMs: delayMs }, 'reading chain events failed; trying again')
      }
      if (this.#stopped) return
      const woken = new Promise<void>(resolve => {
        this.#wake = resolve
      })
      await Promise.race([pause(clock, delayMs), woken])
    }
  }

  async #readOnce(): Promise<void> {
    const { client } = this.#dependencies
    let cursor = await this.#onThisChain((await this.#options.load()) ?? this.#beginning())
    const target = this.#options.until === 'final' ? await this.#chain.finalBlock() : (await this.#chain.head()).number
    while (!this.#stopped && cursor.from <= target) {
      const to = Math.min(cursor.from + BLOCKS_PER_QUERY - 1, target)
      const last = await this.#blockRef(to)
      const logs = await client.getLogs({ address: [...this.#options.addresses], fromBlock: BigInt(cursor.from), toBlock: BigInt(to) })
      // The range was reorganised while it was read: read it again on the next poll.
      if ((await this.#blockRef(to)).hash !== last.hash) return
      cursor = { from: to + 1, checkpoints: [...cursor.checkpoints, last].slice(-KEPT_CHECKPOINTS) }
      await this.#onRange({ logs, cursor, rewoundTo: null })
    }
  }

  /** Goes back to the newest checkpoint that the chain still has. */
  async #onThisChain(cursor: ChainCursor): Promise<ChainCursor> {
    const { logger } = this.#dependencies
    const head = (await this.#chain.head()).number
    for (let kept = cursor.checkpoints.length; kept > 0; kept--) {
      const checkpoint = cursor.checkpoints[kept - 1]
      if (!checkpoint || !(await this.#stillThere(checkpoint, head))) continue
      if (kept === cursor.checkpoints.length) return cursor
      logger.warn({ from: cursor.from, backTo: checkpoint.number }, 'the chain was reorganised; reading its events again')
      return this.#rewind({ from: checkpoint.number + 1, checkpoints: cursor.checkpoints.slice(0, kept) })
    }
    if (cursor.checkpoints.length === 0) return cursor
    logger.warn({ from: cursor.from }, 'the chain has none of the known blocks; reading its events from the start')
    return this.#rewind(this.#beginning())
  }

  async #rewind(cursor: ChainCursor): Promise<ChainCursor> {
    await this.#onRange({ logs: [], cursor, rewoundTo: cursor.from - 1 })
    return cursor
  }

  #beginning(): ChainCursor {
    return { from: this.#options.fromBlock, checkpoints: [] }
  }

  async #stillThere(checkpoint: BlockRef, head: number): Promise<boolean> {
    return checkpoint.number <= head && (await this.#blockRef(checkpoint.number)).hash === checkpoint.hash
  }

  async #blockRef(number: number): Promise<BlockRef> {
    const block = await this.#dependencies.client.getBlock({ blockNumber: BigInt(number) })
    return { number, hash: block.hash }
  }
}
