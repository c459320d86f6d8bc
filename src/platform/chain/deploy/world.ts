import type { PublicClient } from 'viem'
import type { Address, Hex } from '#protocol'
import type { ContractCalls } from '../calls.ts'
import type { ContractName } from '../port.ts'
import { lower } from '../reads.ts'
import type { DeployOptions } from './options.ts'

/** What a step of the deployment may look at. Addresses of contracts are known before the contracts are there. */
export type World = {
  readonly client: PublicClient
  readonly calls: Pick<ContractCalls, 'read' | 'encode'>
  readonly options: DeployOptions
  readonly deployer: Address
  readonly epochGenesisSeconds: number
  at(name: ContractName): Address
}

export type Encoded = { readonly to: Address; readonly data: Hex; readonly valueWei?: bigint }
/** One transaction of the deployer, sent unless it is `done`. `gasLimit` only where it needs more than others. */
export type Step = Encoded & { readonly name: string; readonly gasLimit?: bigint; done(): Promise<boolean> }

/** A step that sets one value and is done when `get` answers `wanted`. */
export function setting(name: string, { call, get, wanted }: { call: Encoded; get: () => Promise<unknown>; wanted: unknown }): Step {
  return { name, ...call, done: async () => same(await get(), wanted) }
}

function same(present: unknown, wanted: unknown): boolean {
  return typeof present === 'string' ? lower(present) === lower(String(wanted)) : present === wanted
}
