import { type Log, type PublicClient, parseEventLogs } from 'viem'
import { creditVaultAbi, messageOf, nodeRegistryAbi, podRegistryAbi } from '#protocol'
import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import { pause } from './pause.ts'
import type { BlockRef, Chain, ChainCursor, ChainEvent, ChainWatch, ContractAddresses, WatchOptions } from './port.ts'
import { lower } from './reads.ts'

/** Servers bound the range of one log query; two thousand blocks pass everywhere. */
const BLOCKS_PER_QUERY = 2_000
/** Deeper than any re-org that a chain with finality makes. */
const KEPT_CHECKPOINTS = 64
const BACKOFF_MAX_MS = 10_000
const eventsAbi = [...creditVaultAbi, ...nodeRegistryAbi, ...podRegistryAbi] as const

type Dependencies = { readonly client: PublicClient; readonly clock: Clock; readonly logger: Logger }

function sourcesOf(kinds: readonly ChainEvent['kind'][], contracts: ContractAddresses) {
  const source = { deposit: contracts.CreditVault, node: contracts.NodeRegistry, pod: contracts.PodRegistry }
  return kinds.map(kind => source[kind])
}

/** Logs in order -> our events. `id` counts the events of a kind inside one transaction. */
export function toEvents(logs: readonly Log<bigint, number, false>[]): ChainEvent[] {
  const seen = new Map<string, number>()
  const events: ChainEvent[] = []
  for (const log of parseEventLogs({ abi: eventsAbi, logs: [...logs], strict: true })) {
    const place = (kind: string) => {
      const key = `${log.transactionHash}:${kind}`
      const position = seen.get(key) ?? 0
      seen.set(key, position + 1)
      return { id: `${log.transactionHash}:${position}`, blockNumber: Number(log.blockNumber), transactionHash: log.transactionHash }
    }
    if (log.eventName === 'Deposited') {
      const { account, asset, amount, nanoCredits, lotId } = log.args
      events.push({ kind: 'deposit', account: lower(account), asset: lower(asset), amount, nanoCredits, lotId, ...place('deposit') })
    } else if (log.eventName === 'PodVersionPublished') {
      const { podId, version, manifestHash } = log.args
      events.push({ kind: 'pod', podId, version: Number(version), manifestHash, ...place('pod') })
    } else if ('nodeId' in log.args) {
      const key = 'hotKey' in log.args ? log.args.hotKey : 'newKey' in log.args ? log.args.newKey : null
      events.push({ kind: 'node', registryId: log.args.nodeId, nodeId: key && lower(key), ...place('node') })
    }
  }
  return events
}

export type WatchedChain = Pick<Chain, 'finalBlock' | 'head' | 'contracts'>
type Handler = (events: readonly ChainEvent[]) => Promise<void>

/** A reader that polls: simple, works with every RPC server, and a missed poll loses nothing. */
export function createWatch(chain: WatchedChain, dependencies: Dependencies, options: WatchOptions, onEvents: Handler): ChainWatch {
  const watch = new PollingWatch(chain, dependencies, options, onEvents)
  watch.start()
  return watch
}

class PollingWatch implements ChainWatch {
  readonly #chain: WatchedChain
  readonly #dependencies: Dependencies
  readonly #options: WatchOptions
  readonly #onEvents: Handler
  #stopped = false
  #wake = (): void => undefined
  #running: Promise<void> = Promise.resolve()

  constructor(chain: WatchedChain, dependencies: Dependencies, options: WatchOptions, onEvents: Handler) {
    this.#chain = chain
    this.#dependencies = dependencies
    this.#options = options
    this.#onEvents = onEvents
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
    const pollMs = this.#options.pollMs ?? 500
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
    const address = sourcesOf(this.#options.kinds, this.#chain.contracts)
    let cursor = await this.#onThisChain((await this.#options.cursor.load()) ?? this.#beginning())
    const target = this.#options.until === 'final' ? await this.#chain.finalBlock() : (await this.#chain.head()).number
    while (!this.#stopped && cursor.from <= target) {
      const to = Math.min(cursor.from + BLOCKS_PER_QUERY - 1, target)
      const last = await this.#blockRef(to)
      const logs = await client.getLogs({ address, fromBlock: BigInt(cursor.from), toBlock: BigInt(to) })
      // The range was reorganised while it was read: read it again on the next poll.
      if ((await this.#blockRef(to)).hash !== last.hash) return
      const events = toEvents(logs)
      if (events.length > 0) await this.#onEvents(events)
      cursor = { from: to + 1, checkpoints: [...cursor.checkpoints, last].slice(-KEPT_CHECKPOINTS) }
      await this.#options.cursor.save(cursor)
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
      return { from: checkpoint.number + 1, checkpoints: cursor.checkpoints.slice(0, kept) }
    }
    if (cursor.checkpoints.length > 0) {
      logger.warn({ from: cursor.from }, 'the chain has none of the known blocks; reading its events from the start')
    }
    return this.#beginning()
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
