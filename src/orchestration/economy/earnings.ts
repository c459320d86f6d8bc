import type { IndexedEvent } from '#platform'
import {
  type Address,
  BPS,
  type Claimable,
  type Earnings,
  EPOCH_PHASES,
  GAUGE_KINDS,
  type GaugeKind,
  type Hex,
  mulDivDown,
  nodeGaugeId,
} from '#protocol'
import { type EconomyDependencies, GAUGE_CONTRACT, GAUGE_NUMBER, integerOf, readTime } from './context.ts'
import { readGrants } from './reservoir.ts'
import { readVesting } from './vesting.ts'

/** All that the account can claim now, what waits in the challenge window, and what a jail holds. */
export async function readEarnings(dependencies: EconomyDependencies, account: Address): Promise<Earnings> {
  const { chain } = dependencies
  const assets = [chain.contracts.WrappedHeu, chain.contracts.DevUsd]
  const [jailedNodes, settled, waiting, emission, voters, vesting, exits, grants] = await Promise.all([
    chain.read('NodeRegistry', 'jailedNodesOf', [account]),
    Promise.all(assets.map(async asset => ({ asset, amount: await chain.claimable(account, asset) }))),
    Promise.all(assets.map(async asset => ({ asset, amount: await chain.pending(account, asset) }))),
    readEmissions(dependencies, account),
    readVoterRewards(dependencies, account),
    readVesting(dependencies, account),
    chain.read('StakedHeu', 'maxWithdraw', [account]),
    readGrants(dependencies),
  ])
  const claimable: Claimable[] = [
    ...(jailedNodes > 0n ? [] : settled.map(each => ({ kind: 'settlement' as const, ...each }))),
    ...emission,
    ...voters,
    ...vesting.map(({ wallet, name, releasable }) => ({ kind: 'vesting' as const, wallet, name, amount: releasable })),
    { kind: 'exit', amount: exits },
    ...grants
      .filter(({ receiver }) => receiver === account)
      .map(grant => ({ kind: 'grant' as const, grantId: grant.grantId, amount: grant.claimable })),
  ]
  const isThere = ({ amount }: { readonly amount: bigint }): boolean => amount > 0n
  const frozen = jailedNodes > 0n ? settled.filter(isThere) : []
  return { account, claimable: claimable.filter(isThere), waiting: waiting.filter(isThere), frozen }
}

/** Rewards of closed epochs of the account's nodes: those it owns and those that pay to it. */
async function readEmissions(dependencies: EconomyDependencies, account: Address): Promise<Claimable[]> {
  const { chain, events } = dependencies
  const mine = (await chain.allNodes()).filter(({ owner, payout, jailed }) => (owner === account || payout === account) && !jailed)
  const perNode = await Promise.all(
    mine.map(async ({ registryId }) => {
      const reported = await events.list({ contract: 'EmissionController', names: ['NodeReported'], args: { nodeId: String(registryId) } })
      const epochs = [...new Set(reported.map(event => integerOf(event, 'epoch')))]
      return Promise.all(epochs.map(epoch => readEmission(dependencies, registryId, epoch)))
    }),
  )
  return perNode.flat().filter(found => found !== null)
}

async function readEmission({ chain }: EconomyDependencies, registryId: bigint, epoch: bigint): Promise<Claimable | null> {
  const [phase, isClaimed, reward, tipBps, weight] = await Promise.all([
    chain.read('EmissionController', 'phaseOf', [epoch]),
    chain.read('EmissionController', 'isClaimed', [registryId, epoch]),
    chain.read('EmissionController', 'rewardOf', [registryId, epoch]),
    chain.read('EmissionController', 'tipBpsAt', [registryId, epoch]),
    chain.read('NodeGauge', 'weightAt', [nodeGaugeId(registryId), epoch]),
  ])
  if (EPOCH_PHASES[phase] !== 'final' || isClaimed) return null
  // Nobody voted: nobody to tip.
  const tip = weight === 0n ? 0n : mulDivDown(reward, tipBps, BPS)
  return { kind: 'emission', registryId, epoch: Number(epoch), amount: reward - tip, tip }
}

/** The account's parts of tips and pod revenue: of everything it ever voted for. */
async function readVoterRewards(dependencies: EconomyDependencies, account: Address): Promise<Claimable[]> {
  const { epoch } = await readTime(dependencies)
  const perKind = await Promise.all(
    GAUGE_KINDS.map(async gauge => {
      const ids = await everVotedFor(dependencies, gauge, account)
      return Promise.all(ids.map(id => readPots(dependencies, { gauge, id, epoch }, account)))
    }),
  )
  return perKind.flat(2)
}

async function everVotedFor({ events }: EconomyDependencies, gauge: GaugeKind, voter: Address): Promise<Hex[]> {
  const ballots = await events.list({ contract: GAUGE_CONTRACT[gauge], names: ['BallotCast'], args: { voter } })
  return [...new Set(ballots.flatMap(({ args }) => args.ids as Hex[]))] // cast: bytes32[] in BallotCast
}

type Place = { readonly gauge: GaugeKind; readonly id: Hex; readonly epoch: number }

/** What the account can claim of the pots of one id, for each asset together. */
async function readPots({ chain, events }: EconomyDependencies, { gauge, id, epoch }: Place, account: Address): Promise<Claimable[]> {
  const kind = GAUGE_NUMBER[gauge]
  const funded = await events.list({ contract: 'VoterRewards', names: ['PotFunded'], args: { kind: String(kind), id } })
  const assets = [...new Set(funded.map(assetOf))]
  return Promise.all(
    assets.map(async asset => {
      const of = funded.filter(event => assetOf(event) === asset).map(event => integerOf(event, 'epoch'))
      const epochs = [...new Set(of)].filter(each => each <= BigInt(epoch))
      const amounts = await Promise.all(epochs.map(each => chain.read('VoterRewards', 'claimableOf', [kind, id, each, asset, account])))
      const full = epochs.filter((_, index) => (amounts[index] ?? 0n) > 0n).map(Number)
      return { kind: 'voters' as const, gauge, id, asset, epochs: full, amount: amounts.reduce((sum, part) => sum + part, 0n) }
    }),
  )
}

function assetOf({ args }: IndexedEvent): Address {
  return args.asset as Address // cast: an address in PotFunded
}
