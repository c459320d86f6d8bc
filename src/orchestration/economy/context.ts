import { epochAt } from '#economics'
import type { Chain, EventStore, IndexedEvent, PodStore } from '#platform'
import type { GaugeKind } from '#protocol'

export type EconomyDependencies = {
  readonly chain: Chain
  readonly events: Pick<EventStore, 'list'>
  readonly pods: Pick<PodStore, 'list'>
  /** Replicas of one pod that the network could run at once: what shares of the pod votes are shares of. */
  readonly networkSlots: () => number
}

export const GAUGE_CONTRACT = { node: 'NodeGauge', pod: 'PodGauge' } as const satisfies Record<GaugeKind, string>
/** `GaugeKind` of IGauge.sol. */
export const GAUGE_NUMBER = { node: 0, pod: 1 } as const satisfies Record<GaugeKind, number>

/** The chain's time and the epoch it is in. */
export async function readTime({ chain }: Pick<EconomyDependencies, 'chain'>): Promise<{ now: number; genesis: number; epoch: number }> {
  const [{ timestampSeconds: now }, genesis] = await Promise.all([chain.head(), chain.read('EmissionController', 'epochGenesis', [])])
  return { now, genesis: Number(genesis), epoch: Math.max(0, epochAt(Number(genesis), now)) }
}

/** An integer argument of an event. */
export function integerOf({ args }: IndexedEvent, name: string): bigint {
  return BigInt(String(args[name]))
}
