import { createHash } from 'node:crypto'
import { type Address, contractAbis, HeuristError } from '#protocol'
import { type ChainErrorCode, CONTRACT_NAMES, type ContractName } from '../port.ts'

/** What is known of a deployment. Kept by the caller (a setting, a JSON file); `complete` once every step is done and final. */
export type Deployment = {
  readonly chainId: number
  readonly fromBlock: number
  /** Which contracts these are: see {@link interfacesHash}. */
  readonly interfaces: string
  readonly addresses: Partial<Readonly<Record<ContractName, Address>>>
  readonly complete: boolean
}
export interface DeploymentStore {
  load(): Promise<Deployment | null>
  save(deployment: Deployment): Promise<void>
}

/** A digest of all ABIs: this program can only speak to contracts that have them. */
export function interfacesHash(): string {
  const text = JSON.stringify(CONTRACT_NAMES.map(name => [name, contractAbis[name]]))
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

/**
 * Refuses what this program cannot go on with. Nothing is ever deployed a second time by itself: balances would be left behind.
 * @throws HeuristError CHAIN_MISMATCH
 */
export function demandUsable(deployment: Deployment, chainId: number): void {
  if (deployment.chainId !== chainId) {
    throw mismatch(
      `The contracts are recorded for chain ${deployment.chainId}, the configured chain is ${chainId}. Use another HEURIST_HOME for another chain.`,
    )
  }
  if (deployment.interfaces === interfacesHash()) return
  throw mismatch(
    'The contracts on this chain were deployed by another version of Heurist and differ from those that this version speaks to. ' +
      'Nothing was changed. To go on with them, start the version that deployed them. To start over with this one, move the folder of the state away ' +
      '(mv .heurist .heurist.old, or name another one with HEURIST_HOME) and start again: balances, credits and receipts stay in the old folder.',
  )
}

/** @throws HeuristError CHAIN_MISMATCH when the chain lacks contracts of a finished deployment */
export function demandPresent(missing: readonly ContractName[]): void {
  if (missing.length === 0) return
  throw mismatch(
    `The contracts were deployed before, but this chain has no ${missing.join(', ')}. The chain's state was removed or another chain is configured: ` +
      'put the state file back or correct CHAIN_RPC_URL. To start over, delete the whole .heurist folder; credits and receipts in it are lost.',
  )
}

function mismatch(message: string): HeuristError<ChainErrorCode> {
  return new HeuristError<ChainErrorCode>('CHAIN_MISMATCH', message)
}
