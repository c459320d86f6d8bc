import { decodeEventLog, type Log, type PublicClient } from 'viem'
import { type Address, type Bytes32, contractAbis } from '#protocol'
import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import { type FollowedChain, follow } from './follow.ts'
import {
  type Chain,
  type ChainWatch,
  CONTRACT_NAMES,
  type ContractAddresses,
  type ContractName,
  type IndexedEvent,
  type IndexedRange,
  type IndexedValue,
  type IndexOptions,
} from './port.ts'
import { lower } from './reads.ts'

type ContractLog = Log<bigint, number, false>
type Dependencies = { readonly client: PublicClient; readonly clock: Clock; readonly logger: Logger }

/** Follows every contract of the deployment. */
export function createIndex(
  chain: FollowedChain & Pick<Chain, 'contracts'>,
  dependencies: Dependencies,
  options: IndexOptions,
  onRange: (range: IndexedRange) => Promise<void>,
): ChainWatch {
  const names = namesByAddress(chain.contracts)
  const place = { addresses: [...names.keys()], load: options.load, fromBlock: options.fromBlock, until: 'latest' } as const
  return follow(chain, dependencies, { ...place, pollMs: options.pollMs }, async ({ logs, cursor, rewoundTo }) => {
    const times = await blockTimes(dependencies.client, logs)
    await onRange({ events: logs.flatMap(log => decode(log, names, times)), cursor, rewoundTo })
  })
}

function namesByAddress(contracts: ContractAddresses): Map<Address, ContractName> {
  return new Map(CONTRACT_NAMES.map(name => [lower(contracts[name]), name]))
}

async function blockTimes(client: PublicClient, logs: readonly ContractLog[]): Promise<Map<bigint, number>> {
  const numbers = [...new Set(logs.map(({ blockNumber }) => blockNumber))]
  const blocks = await Promise.all(numbers.map(blockNumber => client.getBlock({ blockNumber })))
  return new Map(blocks.map(({ number, timestamp }) => [number, Number(timestamp)]))
}

/** None for a log that the contract's ABI does not know (the stablecoin of a public chain may have events of its own). */
function decode(log: ContractLog, names: ReadonlyMap<Address, ContractName>, times: ReadonlyMap<bigint, number>): IndexedEvent[] {
  const contract = names.get(lower(log.address))
  const timestampSeconds = times.get(log.blockNumber)
  if (!contract || timestampSeconds === undefined) return []
  const event = decoded(log, contract)
  if (!event) return []
  return [
    {
      blockNumber: Number(log.blockNumber),
      logIndex: log.logIndex,
      blockHash: log.blockHash as Bytes32, // cast: a log that is in a block has its hash
      transactionHash: log.transactionHash as Bytes32, // cast: likewise
      timestampSeconds,
      contract,
      name: event.eventName,
      args: plain(event.args) as IndexedEvent['args'], // cast: named arguments are an object
    },
  ]
}

function decoded(log: ContractLog, contract: ContractName): { eventName: string; args: unknown } | null {
  try {
    const { eventName, args } = decodeEventLog({ abi: contractAbis[contract], topics: log.topics, data: log.data })
    return { eventName: String(eventName), args: args ?? {} }
  } catch {
    return null
  }
}

function plain(value: unknown): IndexedValue {
  if (typeof value === 'boolean') return value
  if (typeof value === 'string') return /^0x[0-9a-fA-F]*$/.test(value) ? value.toLowerCase() : value
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]))
  return String(value)
}
