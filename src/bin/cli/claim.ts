import type { Command } from 'commander'
import { type Claimable, type Earnings, formatUnits, type Hex } from '#protocol'
import { heuText, sending } from './amounts.ts'
import type { Attach, Context } from './commands.ts'
import { EXIT, short } from './output.ts'
import type { AssetAnswer, JsonOf } from './show.ts'
import { type Options, type OwnAccount, openOwnAccount, type Plan, transactAll } from './transact.ts'

type Item<Kind extends Claimable['kind']> = JsonOf<Extract<Claimable, { kind: Kind }>>

/** The calls by which an account gets what it can claim. */
function plansOf(item: JsonOf<Claimable>, account: OwnAccount): Plan[] {
  const { address } = account.signer
  switch (item.kind) {
    case 'settlement':
      return [
        plan(`earnings: ${assetText(account, item.asset, item.amount)}`, {
          contract: 'JobSettlement',
          call: 'claim',
          args: [item.asset, address],
        }),
      ]
    case 'emission':
      return [emissionPlan(item)]
    case 'voters':
      return [votersPlan(item, account)]
    case 'vesting':
      return [
        plan(`vesting "${item.name}": ${heuText(item.amount)} HEU`, {
          contract: 'VestingWallet',
          at: item.wallet,
          call: 'release',
          args: [],
        }),
      ]
    case 'grant':
      return [
        plan(`grant ${item.grantId}: ${heuText(item.amount)} HEU`, {
          contract: 'Reservoir',
          call: 'claimGrant',
          args: [BigInt(item.grantId)],
        }),
      ]
    case 'exit':
      return exitPlans(item, account)
  }
}

function emissionPlan({ registryId, epoch, amount, tip }: Item<'emission'>): Plan {
  const shared = BigInt(tip) > 0n ? `, ${heuText(tip)} HEU to its voters` : ''
  const args = [BigInt(registryId), BigInt(epoch)] as const
  return plan(`emission of node ${registryId} in epoch ${epoch}: ${heuText(amount)} HEU${shared}`, {
    contract: 'EmissionController',
    call: 'claim',
    args,
  })
}

function votersPlan({ gauge, id, asset, epochs, amount }: Item<'voters'>, account: OwnAccount): Plan {
  const name = gauge === 'node' ? `node ${BigInt(id)}` : `pod ${short(id)}`
  const args = [gauge === 'node' ? 0 : 1, id as Hex, epochs.map(BigInt), asset] as const // cast: a gauge id of the API
  return plan(`votes for ${name}: ${assetText(account, asset, amount)}`, { contract: 'VoterRewards', call: 'claim', args })
}

/** An exit pays wrapped HEU; people want HEU. */
function exitPlans({ amount }: Item<'exit'>, { signer }: OwnAccount): Plan[] {
  const wei = BigInt(amount)
  const args = [wei, signer.address, signer.address] as const
  return [
    plan(`matured exits: ${heuText(wei)} HEU`, { contract: 'StakedHeu', call: 'withdraw', args }),
    { ...plan(`unwrap ${heuText(wei)} HEU`, { contract: 'WrappedHeu', call: 'withdraw', args: [wei] }), needsPrevious: true },
  ]
}

function plan(title: string, call: Plan['call']): Plan {
  return { title, call, changes: [] }
}

function assetText({ facts }: OwnAccount, asset: string, amount: string): string {
  const known: AssetAnswer | undefined = facts.assets.find(({ address }) => address === asset)
  return known ? `${formatUnits(BigInt(amount), known.decimals)} ${known.symbol}` : `${amount} of ${asset}`
}

async function claimAll(context: Context, options: Options): Promise<number> {
  const account = await openOwnAccount(context, options)
  const { claimable, waiting, frozen } = await context.client().get<JsonOf<Earnings>>(`/api/accounts/${account.signer.address}/earnings`)
  for (const { asset, amount } of waiting) context.output.note(`${assetText(account, asset, amount)} wait in the challenge window`)
  for (const { asset, amount } of frozen)
    context.output.note(`${assetText(account, asset, amount)} are kept while a node of yours is jailed`)
  await transactAll(
    context,
    account,
    claimable.flatMap(item => plansOf(item, account)),
    options,
  )
  return EXIT.ok
}

/** `heurist claim`: everything an account is owed, in one go. */
export function claimCommands(program: Command, attach: Attach): void {
  const claiming = program
    .command('claim')
    .description('Claim everything that is due to the account: job earnings, emission, tips and pod revenue, vesting, grants, exits')
    .addHelpText('after', '\nExamples:\n  heurist claim --dry-run\n  heurist claim --as node-1')
  attach(sending(claiming), (context, _args, options) => claimAll(context, options))
}
