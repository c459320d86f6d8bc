import { HeuristError } from '#protocol'
import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import { createContractCalls } from './contract-calls.ts'
import { translating } from './errors.ts'
import { createIndex } from './index-events.ts'
import { type Chain, type ChainErrorCode, CONTRACT_NAMES, type ContractAddresses } from './port.ts'
import { createReads } from './reads.ts'
import { createRpcClient } from './rpc.ts'
import { createSender } from './send.ts'
import { createWatch } from './watch.ts'

export type RpcChainOptions = {
  readonly rpcUrl: string
  readonly chainId: number
  readonly contracts: ContractAddresses
  /** No event of the contracts is older (block of the deployment). Default 0. */
  readonly fromBlock?: number
  /** A block with this many blocks above it can not vanish. Ignored when `finalBlock` is given. Default 0. */
  readonly confirmations?: number
  /** Gives the newest block that can not vanish; the dev chain passes the newest block on disk. */
  readonly finalBlock?: () => number | Promise<number>
  /** How long `send` waits for a transaction to be in a block. Default 30,000. */
  readonly inclusionTimeoutMs?: number
  readonly requestTimeoutMs?: number
}

/** The id of the chain that an RPC server serves. @throws HeuristError CHAIN_UNAVAILABLE */
export function readChainId(rpcUrl: string): Promise<number> {
  return translating('ask for the chain id', () => createRpcClient({ rpcUrl }).getChainId())
}

/** The chain behind a JSON-RPC server (`CHAIN_RPC_URL`, or the dev chain's own address). Opens nothing until it is used. */
export function createRpcChain(options: RpcChainOptions, dependencies: { clock: Clock; logger: Logger }): Chain {
  const client = createRpcClient({
    rpcUrl: options.rpcUrl,
    ...(options.requestTimeoutMs !== undefined && { timeoutMs: options.requestTimeoutMs }),
  })
  const { contracts, chainId } = options
  const fromBlock = options.fromBlock ?? 0
  const send = createSender({ chainId, inclusionTimeoutMs: options.inclusionTimeoutMs ?? 30_000 }, client)

  const chain: Chain = {
    chainId,
    contracts,
    ...createReads(client, contracts, fromBlock),
    ...createContractCalls(client, contracts, send),
    head: () =>
      translating('read the newest block', async () => {
        const { number, hash, timestamp } = await client.getBlock({ blockTag: 'latest' })
        return { number: Number(number), hash, timestampSeconds: Number(timestamp) }
      }),
    finalBlock: async () => {
      if (options.finalBlock) return options.finalBlock()
      const { number } = await chain.head()
      return Math.max(0, number - (options.confirmations ?? 0))
    },
    async check() {
      const served = await translating('ask for the chain id', () => client.getChainId())
      if (served !== chainId) throw mismatch(`The RPC server serves chain ${served}, not ${chainId}. Check CHAIN_RPC_URL.`)
      const codes = await translating('look for the contracts', () =>
        Promise.all(CONTRACT_NAMES.map(name => client.getCode({ address: contracts[name] }))),
      )
      const missing = CONTRACT_NAMES.filter((_, index) => !codes[index])
      if (missing.length > 0) {
        throw mismatch(`The chain has no contract at the recorded address of ${missing.join(', ')}. Check that it is the same chain.`)
      }
    },
    watch: (watchOptions, onEvents) => createWatch(chain, { client, ...dependencies }, watchOptions, onEvents),
    index: (indexOptions, onRange) => createIndex(chain, { client, ...dependencies }, indexOptions, onRange),
    send,
    settle: (signer, calldata, sendOptions) => send(signer, { to: contracts.JobSettlement, data: calldata }, sendOptions),
  }
  return chain
}

function mismatch(message: string): HeuristError<ChainErrorCode> {
  return new HeuristError<ChainErrorCode>('CHAIN_MISMATCH', message)
}
