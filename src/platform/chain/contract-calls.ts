import type { Abi, AbiStateMutability, ContractFunctionArgs, ContractFunctionName, ContractFunctionReturnType, PublicClient } from 'viem'
import { encodeFunctionData } from 'viem'
import { type Address, contractAbis, HeuristError, type Hex } from '#protocol'
import type { Signer } from '../signing.ts'
import { translating } from './errors.ts'
import type { ChainErrorCode, ChainReceipt, ContractAddresses } from './port.ts'
import type { Sender } from './send.ts'

type Abis = typeof contractAbis
export type AnyContract = keyof Abis
type Of<Name extends AnyContract, State extends AbiStateMutability> = ContractFunctionName<Abis[Name], State>
type Viewing = 'view' | 'pure'
type Changing = 'nonpayable' | 'payable'

export type ReadName<Name extends AnyContract> = Of<Name, Viewing>
export type ReadArgs<Name extends AnyContract, Call extends ReadName<Name>> = ContractFunctionArgs<Abis[Name], Viewing, Call>
export type ReadResult<Name extends AnyContract, Call extends ReadName<Name>> = ContractFunctionReturnType<
  Abis[Name],
  Viewing,
  Call,
  ReadArgs<Name, Call>
>
export type WriteName<Name extends AnyContract> = Of<Name, Changing>
export type WriteArgs<Name extends AnyContract, Call extends WriteName<Name>> = ContractFunctionArgs<Abis[Name], Changing, Call>

/** One call of one of our contracts. `valueWei` HEU goes along. `at`: which one, where the deployment has many (vesting wallets). */
export type ContractCall<Name extends AnyContract = AnyContract, Call extends WriteName<Name> = WriteName<Name>> = {
  readonly contract: Name
  readonly at?: Address
  readonly call: Call
  readonly args: WriteArgs<Name, Call>
  readonly valueWei?: bigint
}

/** Every function of every contract of the deployment, typed by its ABI. */
export interface ContractCalls {
  /**
   * `at`: as in {@link ContractCall}.
   * @throws HeuristError CHAIN_UNAVAILABLE, CHAIN_REVERTED, CHAIN_MISMATCH (the contract is not deployed on this chain)
   */
  read<Name extends AnyContract, Call extends ReadName<Name>>(
    contract: Name,
    call: Call,
    args: ReadArgs<Name, Call>,
    at?: Address,
  ): Promise<ReadResult<Name, Call>>
  /** The call as bytes for {@link Chain.send}. */
  encode<Name extends AnyContract, Call extends WriteName<Name>>(
    call: ContractCall<Name, Call>,
  ): { to: Address; data: Hex; valueWei: bigint }
  /** Runs the call in the next block without sending it: throws what sending it now would throw, also on a chain that makes blocks only when asked. */
  simulate<Name extends AnyContract, Call extends WriteName<Name>>(sender: Address, call: ContractCall<Name, Call>): Promise<void>
  write<Name extends AnyContract, Call extends WriteName<Name>>(signer: Signer, call: ContractCall<Name, Call>): Promise<ChainReceipt>
}

export function createContractCalls(client: PublicClient, contracts: ContractAddresses, send: Sender): ContractCalls {
  const reads = createContractReads(client, contracts)
  return { ...reads, write: (signer, call) => send(signer, reads.encode(call)) }
}

/** All that needs no key. */
export function createContractReads(client: PublicClient, contracts: ContractAddresses): Omit<ContractCalls, 'write'> {
  const addressOf = (name: AnyContract): Address => {
    const address = (contracts as Partial<Record<AnyContract, Address>>)[name] // cast: not every ABI is deployed everywhere
    if (address) return address
    throw new HeuristError<ChainErrorCode>(
      'CHAIN_MISMATCH',
      `${name} is not part of this chain's deployment. Check that it is the right chain.`,
    )
  }
  const encode: ContractCalls['encode'] = ({ contract, at, call, args, valueWei = 0n }) => ({
    to: at ?? addressOf(contract),
    data: encodeFunctionData({ abi: contractAbis[contract] as Abi, functionName: call as string, args: args as readonly unknown[] }), // cast: typed by ContractCall
    valueWei,
  })
  return {
    async read(contract, call, args, at) {
      const abi = contractAbis[contract] as Abi // cast: which one, the port's types say
      const request = { address: at ?? addressOf(contract), abi, functionName: call, args: args as readonly unknown[] } // cast: likewise
      return translating(`read ${contract}.${call}`, () => client.readContract(request)) as Promise<never> // cast: typed by the port
    },
    encode,
    simulate: (sender, call) =>
      translating(`call ${call.contract}.${call.call}`, async () => {
        const { to, data, valueWei } = encode(call)
        await client.call({ account: sender, to, data, value: valueWei, blockTag: 'pending' })
      }),
  }
}
