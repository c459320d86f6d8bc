import type { Address, Ballot, GaugeKind, Hex, StakeExit, StakeView } from '#protocol'
import { GAUGE_KINDS } from '#protocol'
import { type EconomyDependencies, GAUGE_CONTRACT } from './context.ts'

/** What an account has staked, what is on its way out, and how it votes from the next epoch on. */
export async function readStake(dependencies: Pick<EconomyDependencies, 'chain'>, account: Address): Promise<StakeView> {
  const { chain } = dependencies
  const [{ timestampSeconds }, shares, rateWad, delay, claimableAssets, exits, node, pod] = await Promise.all([
    chain.head(),
    chain.read('StakedHeu', 'balanceOf', [account]),
    chain.read('StakedHeu', 'rateWad', []),
    chain.read('StakedHeu', 'exitDelaySeconds', []),
    chain.read('StakedHeu', 'maxWithdraw', [account]),
    readExits(dependencies, account),
    ...GAUGE_KINDS.map(kind => readBallot(dependencies, kind, account)),
  ])
  const assets = await chain.read('StakedHeu', 'convertToAssets', [shares])
  const ballots = { node: node ?? [], pod: pod ?? [] }
  return { account, now: timestampSeconds, shares, assets, rateWad, exitDelaySeconds: delay, claimableAssets, exits, ballots }
}

async function readExits({ chain }: Pick<EconomyDependencies, 'chain'>, account: Address): Promise<StakeExit[]> {
  const count = await chain.read('StakedHeu', 'exitCount', [account])
  const exits = await Promise.all(
    Array.from({ length: Number(count) }, (_, index) => chain.read('StakedHeu', 'exitAt', [account, BigInt(index)])),
  )
  return exits.map(({ claimableAt, shares, assets }, index) => ({ index, claimableAt: Number(claimableAt), shares, assets }))
}

async function readBallot({ chain }: Pick<EconomyDependencies, 'chain'>, kind: GaugeKind, account: Address): Promise<Ballot> {
  const [ids, weights] = await chain.read(GAUGE_CONTRACT[kind], 'ballotOf', [account])
  return ids.map((id: Hex, index: number) => ({ id, bps: weights[index] ?? 0 }))
}
