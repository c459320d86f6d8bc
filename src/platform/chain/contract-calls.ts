import type { Abi, PublicClient } from 'viem'
import { encodeFunctionData } from 'viem'
import { type Address, contractAbis, HeuristError } from '#protocol'
import type { AnyContract, ContractCalls } from './calls.ts'
import { translating } from './errors.ts'
import type { ChainErrorCode, ContractAddresses } from './port.ts'
import type { Sender } from './send.ts'

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
