import type { PublicClient } from 'viem'
import {
  type Address,
  creditVaultAbi,
  devUsdAbi,
  jobSettlementAbi,
  type NodeId,
  nodeRegistryAbi,
  type PodId,
  podRegistryAbi,
  ZERO_BYTES32,
} from '#protocol'
import { toChainError, translating } from './errors.ts'
import type { BatchEvent, Chain, ChainNode, ChainPodVersion, ContractAddresses } from './port.ts'

type Reads = Pick<
  Chain,
  | 'lastBatch'
  | 'batchEvent'
  | 'receiptsRoot'
  | 'verifyReceipt'
  | 'batchCalldata'
  | 'claims'
  | 'shares'
  | 'simulateSettle'
  | 'hasPending'
  | 'nodeStanding'
  | 'allNodes'
  | 'podVersions'
  | 'podActive'
  | 'vaultBalance'
  | 'spendingCap'
  | 'claimable'
  | 'pending'
  | 'quoteCredits'
  | 'nativeBalance'
  | 'tokenBalance'
>

export const lower = (address: string): Address => address.toLowerCase() as Address // cast: the RPC client returns checked addresses

/** Null instead of a refusal by the named contract error; everything else is thrown on. */
async function unless<Result>(contractError: string, doing: string, work: () => Promise<Result>): Promise<Result | null> {
  try {
    return await work()
  } catch (error) {
    const translated = toChainError(error, doing)
    if (translated.code === 'CHAIN_REVERTED' && translated.payload?.error === contractError) return null
    throw translated
  }
}

function settlementReads(client: PublicClient, contracts: ContractAddresses, fromBlock: bigint) {
  const settlement = { address: contracts.JobSettlement, abi: jobSettlementAbi } as const
  const batchLog = async (number: number) => {
    const args = { number: BigInt(number) }
    const logs = await client.getContractEvents({ ...settlement, eventName: 'BatchSettled', args, fromBlock, strict: true })
    return logs.at(-1)
  }
  return {
    lastBatch: () =>
      translating('read the last batch', async () => {
        const [number, hash] = await client.readContract({ ...settlement, functionName: 'lastBatch' })
        return { number: Number(number), hash }
      }),
    batchEvent: number =>
      translating(`find batch ${number}`, async (): Promise<BatchEvent | null> => {
        const log = await batchLog(number)
        if (!log) return null
        const { batchHash, receiptsRoot, contentHash, jobCount } = log.args
        const { gasUsed } = await client.getTransactionReceipt({ hash: log.transactionHash })
        const place = { transactionHash: log.transactionHash, blockNumber: Number(log.blockNumber), gasUsed: Number(gasUsed) }
        return { number, batchHash, receiptsRoot, contentHash, jobCount, ...place }
      }),
    receiptsRoot: number => translating('read a receipts root', async () => (await batchLog(number))?.args.receiptsRoot ?? ZERO_BYTES32),
    verifyReceipt: (number, digest, proof) =>
      translating('verify a receipt', async () => {
        const log = await batchLog(number)
        if (!log) return false
        const { receiptsRoot, contentHash } = log.args
        const batch = { number: BigInt(number), receiptsRoot, contentHash }
        return client.readContract({ ...settlement, functionName: 'verifyReceipt', args: [batch, digest, [...proof]] })
      }),
    batchCalldata: number =>
      translating(`read the call of batch ${number}`, async () => {
        const log = await batchLog(number)
        return log ? (await client.getTransaction({ hash: log.transactionHash })).input : null
      }),
    claims: () =>
      translating('read the claims', async () => {
        const logs = await client.getContractEvents({ ...settlement, eventName: 'Claimed', fromBlock, strict: true })
        return logs.map(({ args }) => ({ account: lower(args.account), asset: lower(args.asset), amount: args.amount }))
      }),
    shares: () =>
      translating('read the shares', async () => {
        const shares = await client.readContract({ ...settlement, functionName: 'shares' })
        return {
          deployer: shares.deployerBps,
          frontend: shares.frontendBps,
          voters: shares.votersBps,
          protocol: shares.protocolBps,
        }
      }),
    simulateSettle: (sender, calldata) =>
      translating('settle a batch', async () => {
        await client.call({ account: sender, to: contracts.JobSettlement, data: calldata })
      }),
    hasPending: account =>
      translating('count transactions', async () => {
        const [mined, taken] = await Promise.all([
          client.getTransactionCount({ address: account, blockTag: 'latest' }),
          client.getTransactionCount({ address: account, blockTag: 'pending' }),
        ])
        return taken > mined
      }),
  } satisfies Partial<Reads>
}

function escrowReads(client: PublicClient, contracts: ContractAddresses) {
  const settlement = { address: contracts.JobSettlement, abi: jobSettlementAbi } as const
  return {
    claimable: (account, asset) =>
      translating('read what can be claimed', () =>
        client.readContract({ ...settlement, functionName: 'claimableOf', args: [account, asset] }),
      ),
    pending: (account, asset) =>
      translating('read what is in escrow', () =>
        client.readContract({ ...settlement, functionName: 'pendingOf', args: [account, asset] }),
      ),
  } satisfies Partial<Reads>
}

function nodeReads(client: PublicClient, contracts: ContractAddresses) {
  const registry = { address: contracts.NodeRegistry, abi: nodeRegistryAbi } as const

  async function byRegistryId(registryId: bigint): Promise<ChainNode | null> {
    const found = await unless('NodeRegistry_UnknownNode', 'read a node', () =>
      Promise.all([
        client.readContract({ ...registry, functionName: 'getNode', args: [registryId] }),
        client.readContract({ ...registry, functionName: 'coverageOf', args: [registryId] }),
      ]),
    )
    if (!found) return null
    const [node, coverage] = found
    return {
      nodeId: lower(node.hotKey),
      registryId,
      owner: lower(node.owner),
      payout: lower(node.payout),
      collateral: node.collateral,
      ...coverage,
      registered: true,
      jailed: node.jailed,
      exiting: node.exitableAt !== 0n,
      registeredAtSeconds: Number(node.registeredAt),
      // Depends on the epoch of now: the registry asks the gauge.
      votes: 0n,
    }
  }

  return {
    nodeStanding: async (nodeId: NodeId) => {
      const registryId = await translating('look a node up', () =>
        client.readContract({ ...registry, functionName: 'nodeOf', args: [nodeId] }),
      )
      if (registryId === 0n) return null
      const node = await byRegistryId(registryId)
      // A retired key still resolves to its node, but no job may go to it.
      return node && node.nodeId !== nodeId ? { ...node, nodeId, registered: false } : node
    },
    allNodes: async () => {
      const count = await translating('count the nodes', () => client.readContract({ ...registry, functionName: 'nodeCount' }))
      const nodes: ChainNode[] = []
      for (let first = 1; first <= count; first += 200) {
        const ids = Array.from({ length: Math.min(200, Number(count) - first + 1) }, (_, index) => BigInt(first + index))
        for (const node of await Promise.all(ids.map(byRegistryId))) if (node) nodes.push(node)
      }
      return nodes
    },
  } satisfies Partial<Reads>
}

function podReads(client: PublicClient, contracts: ContractAddresses) {
  const registry = { address: contracts.PodRegistry, abi: podRegistryAbi } as const
  const podOf = (podId: PodId) =>
    unless('PodRegistry_UnknownPod', 'read a pod', () => client.readContract({ ...registry, functionName: 'getPod', args: [podId] }))
  return {
    podActive: async (podId: PodId) => (await podOf(podId))?.active ?? false,
    podVersions: async (podId: PodId) => {
      const pod = await podOf(podId)
      if (!pod) return []
      return translating('read the versions of a pod', () =>
        Promise.all(
          Array.from({ length: Number(pod.versionCount) }, async (_, index): Promise<ChainPodVersion> => {
            const args = [podId, BigInt(index + 1)] as const
            const version = await client.readContract({ ...registry, functionName: 'getVersion', args })
            const { manifestHash, inputNanoCreditsPerMillion, outputNanoCreditsPerMillion, deployerBps, publishedAt } = version
            const prices = { inputNanoCreditsPerMillion, outputNanoCreditsPerMillion, deployerBps }
            return { version: index + 1, manifestHash, ...prices, publishedAtSeconds: Number(publishedAt) }
          }),
        ),
      )
    },
  } satisfies Partial<Reads>
}

function moneyReads(client: PublicClient, contracts: ContractAddresses) {
  const vault = { address: contracts.CreditVault, abi: creditVaultAbi } as const
  return {
    vaultBalance: (account, asset) =>
      translating('read a vault balance', async () => {
        const { balance } = await client.readContract({ ...vault, functionName: 'accountOf', args: [account, asset] })
        return balance
      }),
    spendingCap: (account, asset) =>
      translating('read a spending cap', async () => {
        const [cap, money] = await Promise.all([
          client.readContract({ ...vault, functionName: 'capOf', args: [account, asset] }),
          client.readContract({ ...vault, functionName: 'accountOf', args: [account, asset] }),
        ])
        const { cumulative, nonce } = cap
        return { cumulative, nonce, remaining: money.capRemaining, expiresAtSeconds: Number(money.capExpiresAt) }
      }),
    quoteCredits: (asset, amount) =>
      translating('quote a deposit', () => client.readContract({ ...vault, functionName: 'quoteCredits', args: [asset, amount] })),
    nativeBalance: account => translating('read a balance', () => client.getBalance({ address: account })),
    tokenBalance: (account, asset) =>
      translating('read a token balance', () =>
        client.readContract({ address: asset, abi: devUsdAbi, functionName: 'balanceOf', args: [account] }),
      ),
  } satisfies Partial<Reads>
}

/** Everything that is asked of the contracts. `fromBlock`: no event of ours is older. */
export function createReads(client: PublicClient, contracts: ContractAddresses, fromBlock: number): Reads {
  return {
    ...settlementReads(client, contracts, BigInt(fromBlock)),
    ...escrowReads(client, contracts),
    ...nodeReads(client, contracts),
    ...podReads(client, contracts),
    ...moneyReads(client, contracts),
  }
}
