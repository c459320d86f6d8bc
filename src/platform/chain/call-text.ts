import type { AbiFunction, AbiParameter } from 'viem'
import { type Address, contractAbis, HeuristError, type Hex } from '#protocol'
import type { ContractCalls } from './contract-calls.ts'
import { type ChainErrorCode, CONTRACT_NAMES, type ContractName } from './port.ts'

/**
 * A call as a person types it (`JobSettlement`, `setChallengeWindow`, `["120"]`), checked against the ABI and encoded. Numbers are in
 * the contract's own units.
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
    const wanted = entry.inputs.map(({ type, name: input }) => `${input} (${type})`).join(', ')
    throw badCall(`${name}.${call} takes ${wanted || 'no values'}, not ${values.length} values.`)
  }
  const args = entry.inputs.map((input, index) => parsed(values[index] ?? '', input)) as never // cast: made by the types of the ABI
  const encoded = chain.encode({ contract: name, call: call as never, args }) // cast: found in this contract's ABI
  return { contract: name, call, to: encoded.to, data: encoded.data }
}

function writesOf(name: ContractName): AbiFunction[] {
  const entries = contractAbis[name] as readonly { readonly type: string; readonly stateMutability?: string }[] // cast: entries of an ABI
  return entries.filter(entry => entry.type === 'function' && !/^(?:view|pure)$/.test(entry.stateMutability ?? '')) as AbiFunction[] // cast: functions
}

const PATTERNS: readonly (readonly [type: RegExp, text: RegExp, words: string])[] = [
  [/^u?int\d*$/, /^-?\d{1,78}$/, "a whole number in the contract's unit"],
  [/^bool$/, /^(?:true|false)$/, 'true or false'],
  [/^address$/, /^0x[0-9a-fA-F]{40}$/, 'an address'],
  [/^bytes\d*$/, /^0x(?:[0-9a-fA-F]{2})*$/, 'hex digits after 0x'],
  [/^string$/, /^/, 'a text'],
]

function parsed(text: string, { type, name }: AbiParameter): unknown {
  const pattern = PATTERNS.find(([known]) => known.test(type))
  if (!pattern) throw badCall(`${name} has the type ${type}, which cannot be given as text. Propose it through the governor's contract.`)
  if (!pattern[1].test(text)) throw badCall(`${name} (${type}) must be ${pattern[2]}, not "${text}".`)
  if (type === 'bool') return text === 'true'
  return /^u?int/.test(type) ? BigInt(text) : text
}

function badCall(message: string): HeuristError<ChainErrorCode> {
  return new HeuristError<ChainErrorCode>('CHAIN_BAD_CALL', message)
}
