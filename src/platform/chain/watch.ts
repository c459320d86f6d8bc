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

/** A reader that polls: simple, works with every RPC server, and a missed poll loses nothing. */
export function createWatch(
  chain: Pick<Chain, 'finalBlock' | 'head' | 'contracts'>,
  dependencies: Dependencies,
  options: WatchOptions,
  onEvents: (events: readonly ChainEvent[]) => Promise<void>,
): ChainWatch {
  const { client, clock, logger } = dependencies
  const addresses = sourcesOf(options.kinds, chain.contracts)
  const pollMs = options.pollMs ?? 500
  let stopped = false
  let wake = (): void => undefined

  async function blockRef(number: number): Promise<BlockRef> {
    const block = await client.getBlock({ blockNumber: BigInt(number) })
    return { number, hash: block.hash }
  }

  async function stillThere(checkpoint: BlockRef, head: number): Promise<boolean> {
    return checkpoint.number <= head && (await blockRef(checkpoint.number)).hash === checkpoint.hash
  }

  /** Goes back to the newest checkpoint that the chain still has. */
  async function onThisChain(cursor: ChainCursor): Promise<ChainCursor> {
    const head = (await chain.head()).number
    for (let kept = cursor.checkpoints.length; kept > 0; kept--) {
      const checkpoint = cursor.checkpoints[kept - 1]
      if (checkpoint && (await stillThere(checkpoint, head))) {
        if (kept === cursor.checkpoints.length) return cursor
        logger.warn({ from: cursor.from, backTo: checkpoint.number }, 'the chain was reorganised; reading its events again')
        return { from: checkpoint.number + 1, checkpoints: cursor.checkpoints.slice(0, kept) }
      }
    }
    if (cursor.checkpoints.length > 0) {
      logger.warn({ from: cursor.from }, 'the chain has none of the known blocks; reading its events from the start')
    }
    return { from: options.fromBlock, checkpoints: [] }
  }

  async function readOnce(): Promise<void> {
    let cursor = await onThisChain((await options.cursor.load()) ?? { from: options.fromBlock, checkpoints: [] })
    const target = options.until === 'final' ? await chain.finalBlock() : (await chain.head()).number
    while (!stopped && cursor.from <= target) {
      const to = Math.min(cursor.from + BLOCKS_PER_QUERY - 1, target)
      const last = await blockRef(to)
      const logs = await client.getLogs({ address: addresses, fromBlock: BigInt(cursor.from), toBlock: BigInt(to) })
      // The range was reorganised while it was read: read it again on the next poll.
      if ((await blockRef(to)).hash !== last.hash) return
      const events = toEvents(logs)
      if (events.length > 0) await onEvents(events)
      cursor = { from: to + 1, checkpoints: [...cursor.checkpoints, last].slice(-KEPT_CHECKPOINTS) }
      await options.cursor.save(cursor)
    }
  }

  async function loop(): Promise<void> {
    let delayMs = pollMs
    while (!stopped) {
      try {
        await readOnce()
        delayMs = pollMs
      } catch (error) {
        delayMs = Math.min(delayMs * 2, BACKOFF_MAX_MS)
        logger.warn({ err: messageOf(error), retryInMs: delayMs }, 'reading chain events failed; trying again')
      }
      if (!stopped) await Promise.race([pause(clock, delayMs), new Promise<void>(resolve => (wake = resolve))])
    }
  }
  const running = loop()

  return {
    async stop() {
      stopped = true
      wake()
      await running
    },
  }
}
