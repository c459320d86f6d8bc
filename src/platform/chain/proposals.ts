import { type Abi, decodeFunctionData, keccak256, type PublicClient, stringToHex } from 'viem'
import { type Address, type Bytes32, contractAbis, type Hex, heuristGovernorAbi, minOf } from '#protocol'
import { translating } from './errors.ts'
import { type ChainShares, CONTRACT_NAMES, type ContractAddresses, type ContractName } from './port.ts'
import { lower } from './reads.ts'
import { createRpcClient } from './rpc.ts'

/** In the order of OpenZeppelin's `ProposalState`. */
const STATES = ['pending', 'active', 'cancelled', 'defeated', 'succeeded', 'queued', 'expired', 'executed'] as const
export type ProposalState = (typeof STATES)[number]

/** One call of a proposal; `contract` is null when it is none of ours, `call` when its ABI does not know it. */
export type ProposalCall = {
  readonly target: Address
  readonly contract: ContractName | null
  readonly call: string | null
  readonly args: readonly unknown[]
  readonly valueWei: bigint
  readonly data: Hex
}
export type Proposal = {
  readonly id: bigint
  readonly proposer: Address
  readonly description: string
  readonly state: ProposalState
  /** Unix seconds. */
  readonly voteStartsAt: number
  readonly voteEndsAt: number
  /** Unix seconds from which it can be executed; 0 before it is queued. */
  readonly executableAt: number
  /** Wei of votes. */
  readonly votes: { readonly for: bigint; readonly against: bigint; readonly abstain: bigint }
  /** Wei of votes that must be for it or abstain; before the vote begins, what it would be now. */
  readonly quorum: bigint
  readonly calls: readonly ProposalCall[]
}

/** By which the governor knows a proposal's description. */
export function descriptionHash(description: string): Bytes32 {
  return keccak256(stringToHex(description))
}

/** All proposals, oldest first, as the governor has them now. */
export function readProposals(network: { rpcUrl: string; contracts: ContractAddresses }): Promise<Proposal[]> {
  const client = createRpcClient(network)
  const governor = { address: network.contracts.HeuristGovernor, abi: heuristGovernorAbi } as const
  return translating('read the proposals', async () => {
    const events = await client.getContractEvents({ ...governor, eventName: 'ProposalCreated', fromBlock: 0n, strict: true })
    return Promise.all(
      events.map(async ({ args }) => {
        const of = { ...governor, args: [args.proposalId] } as const
        const [state, endsAt, eta, quorum, [against, inFavour, abstain]] = await Promise.all([
          // Of the next block: a chain that makes blocks only when asked would still show what was before the vote's end.
          client.readContract({ ...of, functionName: 'state', blockTag: 'pending' }),
          client.readContract({ ...of, functionName: 'proposalDeadline' }),
          client.readContract({ ...of, functionName: 'proposalEta' }),
          quorumOf(client, governor, args.voteStart),
          client.readContract({ ...of, functionName: 'proposalVotes' }),
        ])
        return {
          id: args.proposalId,
          proposer: lower(args.proposer),
          description: args.description,
          state: STATES[state] ?? 'pending',
          voteStartsAt: Number(args.voteStart),
          voteEndsAt: Number(endsAt),
          executableAt: Number(eta),
          votes: { for: inFavour, against, abstain },
          quorum,
          calls: args.targets.map((target, index) =>
            describeCall(network.contracts, { target, valueWei: args.values[index] ?? 0n, data: args.calldatas[index] ?? '0x' }),
          ),
        }
      }),
    )
  })
}

async function quorumOf(
  client: PublicClient,
  governor: { address: Address; abi: typeof heuristGovernorAbi },
  voteStart: bigint,
): Promise<bigint> {
  const { timestamp } = await client.getBlock({ blockTag: 'latest' })
  const lastKnown = timestamp - 1n
  return client.readContract({ ...governor, functionName: 'quorum', args: [minOf(voteStart, lastKnown)] })
}

/** The shares that governance has decided on and the timelock still holds back: they count as soon as anybody executes them. */
export async function readQueuedShares(network: { rpcUrl: string; contracts: ContractAddresses }): Promise<ChainShares[]> {
  const queued = (await readProposals(network)).filter(({ state }) => state === 'queued').flatMap(({ calls }) => calls)
  return queued
    .filter(({ contract, call }) => contract === 'JobSettlement' && call === 'setShares')
    .map(({ args }) => {
      const shares = args[0] as { deployerBps: number; frontendBps: number; votersBps: number; protocolBps: number } // cast: by its ABI
      return { deployer: shares.deployerBps, frontend: shares.frontendBps, voters: shares.votersBps, protocol: shares.protocolBps }
    })
}

function describeCall(contracts: ContractAddresses, part: { target: Address; valueWei: bigint; data: Hex }): ProposalCall {
  const target = lower(part.target)
  const contract = CONTRACT_NAMES.find(name => contracts[name] === target) ?? null
  const plain = { ...part, target, contract, call: null, args: [] }
  if (!contract || part.data === '0x') return plain
  try {
    const abi = contractAbis[contract] as Abi // cast: any of our ABIs
    const { functionName, args } = decodeFunctionData({ abi, data: part.data })
    return { ...plain, call: functionName, args: args ?? [] }
  } catch {
    return plain // A call that the contract will refuse, or another contract behind the address.
  }
}
