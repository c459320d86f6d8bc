import type { Command } from 'commander'
import type { EpochView, ReservoirView, VestingAllocation } from '#protocol'
import { durationText, heuText, percentText, sending, wadPercent } from './amounts.ts'
import { type Attach, type Context, usageError } from './commands.ts'
import { EXIT, short, table, time } from './output.ts'
import type { JsonOf } from './show.ts'
import { type Options, openOwnAccount, type Plan, transactAll } from './transact.ts'

function epochText(view: JsonOf<EpochView>): string {
  const { emission } = view
  const left = view.secondsLeft > 0 ? `${durationText(view.secondsLeft)} left` : 'over'
  const votes =
    view.votesCloseIn > 0 ? `votes for the next epoch: ${durationText(view.votesCloseIn)} more` : 'votes for the next epoch: closed'
  return [
    `epoch ${view.epoch}  ${view.phase}, ${left}  (${time(view.startsAt * 1000)} to ${time(view.endsAt * 1000)}, chain time)`,
    votes,
    '',
    `emission  ${wadPercent(emission.emissionRateWad)} a year at ${wadPercent(emission.revenueRateWad)} revenue${emission.isFixed ? '' : ' (if the epoch ended now)'}`,
    table(
      ['part', 'HEU'],
      [
        ['nodes, base', heuText(emission.base)],
        ['nodes, dynamic', heuText(emission.dynamic)],
        ['reservoir', heuText(emission.reservoir)],
        ['all', heuText(emission.budget)],
      ],
    ),
    '',
    table(
      ['node', 'id', 'votes', 'multiplier', 'tip', 'available', 'organic units', 'reward HEU'],
      view.nodes.map(node => [
        short(node.nodeId),
        node.registryId,
        wadPercent(node.shareWad),
        `${heuText(node.multiplierWad)}x`,
        percentText(node.tipBps),
        node.report ? percentText(node.report.availabilityBps) : 'not reported',
        node.report?.organicComputeUnits,
        `${heuText(node.reward)}${node.isClaimed ? ' (claimed)' : ''}`,
      ]),
    ),
    '',
    table(
      ['pod', 'votes', 'replica ceiling'],
      view.pods.map(pod => [pod.name, wadPercent(pod.shareWad), pod.replicaCeiling]),
    ),
  ].join('\n')
}

function reservoirText(view: JsonOf<ReservoirView>): string {
  return [
    `reservoir ${heuText(view.balance)} HEU, of it ${heuText(view.unallocated)} in no budget; ${heuText(view.filled)} came in so far`,
    table(
      ['use', 'budget HEU', 'spent HEU'],
      view.uses.map(({ use, budget, spent }) => [use, heuText(budget), heuText(spent)]),
    ),
    ...(view.grants.length > 0
      ? [
          '',
          table(
            ['grant', 'receiver', 'HEU', 'claimed', 'claimable', 'ends'],
            view.grants.map(grant => [
              grant.grantId,
              short(grant.receiver),
              heuText(grant.amount),
              heuText(grant.claimed),
              heuText(grant.claimable),
              time(grant.endsAt * 1000),
            ]),
          ),
        ]
      : []),
  ].join('\n')
}

type Allocations = { readonly data: readonly JsonOf<VestingAllocation>[] }

function vestingTable(rows: readonly JsonOf<VestingAllocation>[]): string {
  return table(
    ['allocation', 'wallet', 'beneficiary', 'HEU', 'vested', 'releasable', 'ends', 'revocable'],
    rows.map(row => [
      row.name,
      row.wallet,
      short(row.beneficiary),
      heuText(row.total),
      heuText(row.vested),
      heuText(row.releasable),
      time(row.endsAt * 1000),
      row.revokedAt > 0 ? `revoked ${time(row.revokedAt * 1000)}` : row.revocable ? 'yes' : 'no',
    ]),
  )
}

/** One wallet, or all of them that have something to release. */
async function release(context: Context, [wanted]: readonly string[], options: Options): Promise<number> {
  const account = await openOwnAccount(context, options)
  const { data } = await context.client().get<Allocations>('/api/vesting')
  const named = wanted === undefined ? data : data.filter(({ wallet, name }) => wallet === wanted.toLowerCase() || name === wanted)
  if (named.length === 0) throw usageError(`No allocation is called "${wanted}". See: heurist vesting list`)
  // One that was named is tried in any case, so that the chain says why it gives nothing.
  const due = wanted === undefined ? named.filter(({ releasable }) => BigInt(releasable) > 0n) : named
  const plans = due.map(
    ({ name, wallet, beneficiary, released, releasable }): Plan => ({
      title: `release ${heuText(releasable)} HEU of "${name}" to ${beneficiary}`,
      call: { contract: 'VestingWallet', at: wallet, call: 'release', args: [] },
      changes: [{ what: 'released HEU', now: heuText(released), after: heuText(BigInt(released) + BigInt(releasable)) }],
    }),
  )
  await transactAll(context, account, plans, options)
  return EXIT.ok
}

/** `heurist epoch`, `heurist reservoir`, `heurist vesting`: where HEU comes from and goes to. */
export function economyCommands(groups: { epoch: Command; reservoir: Command; vesting: Command }, attach: Attach): void {
  const epoch = groups.epoch
    .command('show [number]')
    .description('Show an epoch: time left, emission, votes, reports; default: the present one')
    .addHelpText('after', '\nExamples:\n  heurist epoch show\n  heurist epoch show 3 --json')
  attach(epoch, async ({ output, client }, [number]) => {
    if (number !== undefined && !/^\d{1,6}$/.test(number)) throw usageError(`"${number}" is no epoch: give a whole number.`)
    const view = await client().get<JsonOf<EpochView>>(`/api/epochs/${number ?? 'current'}`)
    output.answer(view, () => epochText(view))
    return EXIT.ok
  })
  const reservoir = groups.reservoir
    .command('show')
    .description('Show what the reservoir has, its budgets and its grants')
    .addHelpText('after', '\nExample:\n  heurist reservoir show')
  attach(reservoir, async ({ output, client }) => {
    const view = await client().get<JsonOf<ReservoirView>>('/api/reservoir')
    output.answer(view, () => reservoirText(view))
    return EXIT.ok
  })
  const list = groups.vesting
    .command('list')
    .description('List the allocations of the genesis: what is vested, released and locked')
    .addHelpText('after', '\nExample:\n  heurist vesting list')
  attach(list, async ({ output, client }) => {
    const { data } = await client().get<Allocations>('/api/vesting')
    output.answer(data, () => vestingTable(data))
    return EXIT.ok
  })
  const releasing = groups.vesting
    .command('release [wallet]')
    .description('Send what has vested to its beneficiary: one allocation by wallet or name, or all of them')
    .addHelpText('after', '\nExamples:\n  heurist vesting release\n  heurist vesting release "team and advisors" --dry-run')
  attach(sending(releasing), release)
}
