import type { Chain, PodStore, Signer } from '#platform'
import { isHeuristError } from '#protocol'
import type { KeeperTask } from './keeper.ts'

export type PotTaskDependencies = {
  readonly chain: Pick<Chain, 'contracts' | 'simulate' | 'write'>
  /** Pays the gas; anybody may. */
  readonly signer: Signer
  readonly pods: Pick<PodStore, 'list'>
}

/** Brings what pods earned for their voters from settlement into the pot of the epoch (wp §3.2.4), once it is out of the challenge window. */
export function collectPots({ chain, signer, pods }: PotTaskDependencies): KeeperTask {
  const { WrappedHeu, DevUsd } = chain.contracts
  return {
    name: 'pots',
    async run() {
      const did: string[] = []
      for (const { podId, name } of await pods.list()) {
        for (const asset of [WrappedHeu, DevUsd]) {
          const call = { contract: 'VoterRewards', call: 'collect', args: [podId, asset] } as const
          if (!(await isTaken(() => chain.simulate(signer.address, call)))) continue
          await chain.write(signer, call)
          did.push(`collected the revenue of the voters of ${name}`)
        }
      }
      return did
    },
  }
}

/** False when the chain would refuse: nothing is due, or not out of the challenge window. */
async function isTaken(simulate: () => Promise<void>): Promise<boolean> {
  try {
    await simulate()
    return true
  } catch (error) {
    if (isHeuristError(error, 'CHAIN_REVERTED')) return false
    throw error
  }
}
