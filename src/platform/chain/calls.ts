import type { AbiStateMutability, ContractFunctionArgs, ContractFunctionName, ContractFunctionReturnType } from 'viem'
import type { Address, Bytes32, contractAbis, Hex } from '#protocol'
import type { Signer } from '../signing.ts'

/** `valueWei` HEU goes along with the call. `gasLimit` skips estimation. `to` null creates a contract. */
export type ChainCall = { readonly to: Address | null; readonly data: Hex; readonly valueWei?: bigint; readonly gasLimit?: bigint }
export type ChainReceipt = {
  readonly transactionHash: Bytes32
  readonly blockNumber: number
  readonly blockHash: Bytes32
  readonly gasUsed: number
}

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
