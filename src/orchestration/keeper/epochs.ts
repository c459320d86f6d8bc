import { EMISSION_EPOCHS, EPOCH_SECONDS, epochAt } from '#economics'
import type { BatchStore, Chain, EventStore, NodeStore, Signer } from '#platform'
import type { KeeperTask } from './keeper.ts'
import { epochReport, type NodeReport } from './report.ts'

/** Positions in the contract's `EpochPhase`. */
const PHASE = { running: 0, reporting: 1, disputing: 2, challenged: 3, ready: 4, final: 5 } as const
/** About 6 million gas a chunk. */
const NODES_PER_REPORT = 50

export type EpochTaskDependencies = {
  readonly chain: Pick<Chain, 'read' | 'write' | 'head' | 'allNodes'>
  /** Holds the sequencer role of the emission contract. */
  readonly signer: Signer
  readonly batches: Pick<BatchStore, 'workOf'>
  readonly nodes: Pick<NodeStore, 'epochPresence'>
  readonly events: Pick<EventStore, 'list'>
  /** Resolves when the events are as new as the chain. */
  readonly caughtUp: () => Promise<void>
}

/**
 * Closes epochs that are over: reports what the nodes did and seals the report, and finalises what nobody disputed
 * (wp §3.4.4). Epochs are independent, so a late keeper catches up in any order; what was done is seen on chain, so a restart
 * in the middle of a report goes on behind the last node reported.
 */
export function closeEpochs(dependencies: EpochTaskDependencies): KeeperTask {
  let firstOpen = 0
  return {
    name: 'epochs',
    async run() {
      const { chain } = dependencies
      const genesis = Number(await chain.read('EmissionController', 'epochGenesis', []))
      const { timestampSeconds } = await chain.head()
      const over = Math.min(epochAt(genesis, timestampSeconds), EMISSION_EPOCHS)
      const did: string[] = []
      for (let epoch = firstOpen; epoch < over; epoch++) {
        const what = await advance(dependencies, { epoch, genesis })
        if (what === 'final') {
          if (epoch === firstOpen) firstOpen += 1
        } else if (what) did.push(what)
      }
      return did
    },
  }
}

type Epoch = { readonly epoch: number; readonly genesis: number }

/** One step of one epoch; null when it waits for something else. */
async function advance(dependencies: EpochTaskDependencies, place: Epoch): Promise<string | 'final' | null> {
  const { chain, signer } = dependencies
  const epoch = BigInt(place.epoch)
  const phase = await chain.read('EmissionController', 'phaseOf', [epoch])
  if (phase === PHASE.final) return 'final'
  if (phase === PHASE.reporting) return report(dependencies, place)
  if (phase !== PHASE.ready) return null
  await chain.write(signer, { contract: 'EmissionController', call: 'finalise', args: [epoch] })
  return `closed epoch ${epoch}`
}

async function report(dependencies: EpochTaskDependencies, { epoch, genesis }: Epoch): Promise<string> {
  const { chain, signer, events, caughtUp } = dependencies
  await caughtUp()
  const reports = await reportsOf(dependencies, { epoch, genesis })
  const { report: number } = await chain.read('EmissionController', 'emissionOf', [BigInt(epoch)])
  const told = await events.list({
    contract: 'EmissionController',
    names: ['NodeReported'],
    args: { epoch: String(epoch), report: String(number) },
  })
  const last = told.reduce((highest, { args }) => (BigInt(String(args.nodeId)) > highest ? BigInt(String(args.nodeId)) : highest), 0n)
  const missing = reports.filter(({ nodeId }) => nodeId > last)
  for (let first = 0; first < missing.length; first += NODES_PER_REPORT) {
    const chunk = missing.slice(first, first + NODES_PER_REPORT)
    await chain.write(signer, { contract: 'EmissionController', call: 'report', args: [BigInt(epoch), chunk] })
  }
  await chain.write(signer, { contract: 'EmissionController', call: 'seal', args: [BigInt(epoch)] })
  return `reported ${reports.length} nodes for epoch ${epoch}`
}

/** Work belongs to the epoch in whose time its batch came on chain. */
async function reportsOf({ chain, batches, nodes, events }: EpochTaskDependencies, { epoch, genesis }: Epoch): Promise<NodeReport[]> {
  const betweenSeconds = [genesis + epoch * EPOCH_SECONDS, genesis + (epoch + 1) * EPOCH_SECONDS] as const
  const settled = await events.list({ contract: 'JobSettlement', names: ['BatchSettled'], betweenSeconds })
  const numbers = settled.map(({ args }) => Number(args.number))
  const [known, presence, work] = await Promise.all([chain.allNodes(), nodes.epochPresence(epoch), batches.workOf(numbers)])
  return epochReport({ nodes: known, presence, work })
}
