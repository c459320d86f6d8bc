import { type Log, type PublicClient, parseEventLogs } from 'viem'
import { creditVaultAbi, nodeRegistryAbi, podRegistryAbi } from '#protocol'
import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import { type FollowedChain, follow } from './follow.ts'
import type { Chain, ChainEvent, ChainWatch, ContractAddresses, WatchOptions } from './port.ts'
import { lower } from './reads.ts'

const DEFAULT_POLL_MS = 500
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

type Handler = (events: readonly ChainEvent[]) => Promise<void>

/** Follows the chain and translates its logs; after a re-org handlers get events again and know them by their ids. */
export function createWatch(
  chain: FollowedChain & Pick<Chain, 'contracts'>,
  dependencies: Dependencies,
  options: WatchOptions,
  onEvents: Handler,
): ChainWatch {
  const { kinds, cursor: store, fromBlock, until, pollMs = DEFAULT_POLL_MS } = options
  const addresses = sourcesOf(kinds, chain.contracts)
  return follow(chain, dependencies, { addresses, load: store.load, fromBlock, until, pollMs }, async ({ logs, cursor }) => {
    const events = toEvents(logs)
    if (events.length > 0) await onEvents(events)
    await store.save(cursor)
  })
}
