import { EMISSION_EPOCHS, EPOCH_SECONDS, emissionAtRate, emissionRateWadDown } from '#economics'
import type { ChainNode, IndexedEvent } from '#platform'
import {
  type EmissionPoint,
  type EmissionSplit,
  EPOCH_PHASES,
  type EpochNode,
  type EpochPhase,
  type EpochPod,
  type EpochView,
  maxOf,
  nodeGaugeId,
  type PodRecord,
} from '#protocol'
import { type EconomyDependencies, integerOf, readTime } from './context.ts'

/** `Constants.VOTE_LOCK`: no votes in the last hour. */
const VOTE_LOCK_SECONDS = 3_600

/** An epoch as the chain has it; null before it has begun. Default: the present one. */
export async function readEpoch(dependencies: EconomyDependencies, wanted?: number): Promise<EpochView | null> {
  const { chain, pods } = dependencies
  const time = await readTime(dependencies)
  const epoch = wanted ?? time.epoch
  if (epoch > time.epoch) return null
  const [phase, emission, nodeWeight, podWeight, allNodes, allPods, reports] = await Promise.all([
    chain.read('EmissionController', 'phaseOf', [BigInt(epoch)]),
    readSplit(dependencies, epoch),
    chain.read('NodeGauge', 'totalWeightAt', [BigInt(epoch)]),
    chain.read('PodGauge', 'totalWeightAt', [BigInt(epoch)]),
    chain.allNodes(),
    pods.list(),
    readReports(dependencies, epoch),
  ])
  const startsAt = time.genesis + epoch * EPOCH_SECONDS
  const secondsLeft = Math.max(0, startsAt + EPOCH_SECONDS - time.now)
  return {
    epoch,
    startsAt,
    endsAt: startsAt + EPOCH_SECONDS,
    now: time.now,
    secondsLeft,
    votesCloseIn: Math.max(0, secondsLeft - VOTE_LOCK_SECONDS),
    phase: phaseName(phase),
    emission,
    nodeWeight,
    podWeight,
    nodes: await Promise.all(allNodes.map(node => readNode(dependencies, epoch, node, reports))),
    pods: await Promise.all(allPods.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(pod => readPod(dependencies, epoch, pod))),
  }
}

function phaseName(phase: number): EpochPhase {
  const name = EPOCH_PHASES[phase]
  if (!name) throw new RangeError(`the emission contract answered with the unknown phase ${phase}`)
  return name
}

/** What the contract fixed, or what it would fix now. */
async function readSplit({ chain }: EconomyDependencies, epoch: number): Promise<EmissionSplit> {
  const fixed = await chain.read('EmissionController', 'emissionOf', [BigInt(epoch)])
  const revenueRateWad = fixed.opened
    ? fixed.revenueRateWad
    : await chain.read('EmissionController', 'quoteRevenueRateWad', [BigInt(epoch)])
  const modelled = emissionAtRate(epoch, revenueRateWad)
  const parts = fixed.opened ? { base: fixed.basePart, dynamic: fixed.dynamicPart, reservoir: fixed.reservoirPart } : modelled
  return {
    isFixed: fixed.opened,
    revenueRateWad,
    emissionRateWad: emissionRateWadDown(revenueRateWad),
    budget: modelled.budget,
    base: parts.base,
    dynamic: parts.dynamic,
    reservoir: parts.reservoir,
  }
}

/** The reports that count: those of the newest report number. */
async function readReports({ events }: EconomyDependencies, epoch: number): Promise<ReadonlyMap<bigint, IndexedEvent>> {
  const all = await events.list({ contract: 'EmissionController', names: ['NodeReported'], args: { epoch: String(epoch) } })
  const newest = all.reduce((highest, event) => maxOf(highest, integerOf(event, 'report')), 0n)
  return new Map(all.filter(event => integerOf(event, 'report') === newest).map(event => [integerOf(event, 'nodeId'), event]))
}

async function readNode(
  { chain }: EconomyDependencies,
  number: number,
  { registryId, nodeId, owner }: ChainNode,
  reports: ReadonlyMap<bigint, IndexedEvent>,
): Promise<EpochNode> {
  const [epoch, id] = [BigInt(number), nodeGaugeId(registryId)]
  const [weight, shareWad, multiplierWad, tipBps, reward, isClaimed] = await Promise.all([
    chain.read('NodeGauge', 'weightAt', [id, epoch]),
    chain.read('NodeGauge', 'shareWadAt', [id, epoch]),
    chain.read('NodeGauge', 'multiplierWad', [registryId, epoch]),
    chain.read('EmissionController', 'tipBpsAt', [registryId, epoch]),
    chain.read('EmissionController', 'rewardOf', [registryId, epoch]),
    chain.read('EmissionController', 'isClaimed', [registryId, epoch]),
  ])
  const told = reports.get(registryId)
  const report = told
    ? {
        availabilityBps: Number(integerOf(told, 'availabilityBps')),
        capacity: integerOf(told, 'capacity'),
        organicComputeUnits: integerOf(told, 'organicComputeUnits'),
      }
    : null
  return { registryId, nodeId, owner, weight, shareWad, multiplierWad, tipBps: Number(tipBps), report, reward, isClaimed }
}

async function readPod(dependencies: EconomyDependencies, number: number, { podId, name }: PodRecord): Promise<EpochPod> {
  const { chain, networkSlots } = dependencies
  const epoch = BigInt(number)
  const [weight, shareWad, ceiling] = await Promise.all([
    chain.read('PodGauge', 'weightAt', [podId, epoch]),
    chain.read('PodGauge', 'shareWadAt', [podId, epoch]),
    chain.read('PodGauge', 'replicaCeilingOf', [podId, epoch, BigInt(networkSlots())]),
  ])
  return { podId, name, weight, shareWad, replicaCeiling: Number(ceiling) }
}

/** The epochs that the contract has opened or closed, oldest first: the live line of Figure 9. */
export async function readHistory({ events }: EconomyDependencies): Promise<EmissionPoint[]> {
  const told = await events.list({ contract: 'EmissionController', names: ['EpochOpened', 'EpochFinalised'] })
  const points = new Map<number, EmissionPoint>()
  for (const event of told) {
    const epoch = Number(integerOf(event, 'epoch'))
    if (epoch >= EMISSION_EPOCHS) continue
    const revenueRateWad = points.get(epoch)?.revenueRateWad ?? integerOf(event, 'revenueRateWad')
    points.set(epoch, {
      epoch,
      revenueRateWad,
      emissionRateWad: emissionRateWadDown(revenueRateWad),
      emitted: integerOf(event, 'basePart') + integerOf(event, 'dynamicPart'),
      toReservoir: integerOf(event, 'reservoirPart'),
    })
  }
  return [...points.values()].sort((a, b) => a.epoch - b.epoch)
}
