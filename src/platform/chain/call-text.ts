import type { AbiFunction } from 'viem'
import { type Address, contractAbis, type Hex } from '#protocol'
import { badCall, valueFromText, wantedOf } from './call-values.ts'
import type { ContractCalls } from './calls.ts'
import { CONTRACT_NAMES, type ContractName } from './port.ts'

/**
 * A call as a person types it (`JobSettlement`, `setChallengeWindow`, `["120"]`), checked against the ABI and encoded. Numbers are in
 * the contract's own units; structs and lists are JSON.
 * @throws HeuristError CHAIN_BAD_CALL naming what exists
 */
export function callFromText(
  chain: Pick<ContractCalls, 'encode'>,
  { contract, call, values }: { contract: string; call: string; values: readonly string[] },
): { contract: ContractName; call: string; to: Address; data: Hex } {
  const name = CONTRACT_NAMES.find(known => known.toLowerCase() === contract.toLowerCase())
  if (!name) throw badCall(`No contract is called ${contract}. Known: ${CONTRACT_NAMES.join(', ')}.`)
  const changing = writesOf(name)
  const entry = changing.find(known => known.name === call)
  if (!entry) throw badCall(`${name} has no function ${call}. It has: ${changing.map(known => known.name).join(', ')}.`)
  if (values.length !== entry.inputs.length) {
    const wanted = entry.inputs.map(wantedOf).join(', ')
    throw badCall(`${name}.${call} takes ${wanted || 'no values'}, not ${values.length} values.`)
  }
  const args = entry.inputs.map((input, index) => valueFromText(values[index] ?? '', input)) as never // cast: made by the types of the ABI
  const encoded = chain.encode({ contract: name, call: call as never, args }) // cast: found in this contract's ABI
  return { contract: name, call, to: encoded.to, data: encoded.data }
}

function writesOf(name: ContractName): AbiFunction[] {
  const entries = contractAbis[name] as readonly { readonly type: string; readonly stateMutability?: string }[] // cast: entries of an ABI
  return entries.filter(entry => entry.type === 'function' && !/^(?:view|pure)$/.test(entry.stateMutability ?? '')) as AbiFunction[] // cast: functions
}
