import type { Command } from 'commander'
import { sharesForDown } from '#economics'
import type { StakeView } from '#protocol'
import { durationText, heuText, parseHeu, percentText, sending } from './amounts.ts'
import { type Attach, type Context, usageError } from './commands.ts'
import { EXIT, short, table, time } from './output.ts'
import type { JsonOf } from './show.ts'
import { type Options, type OwnAccount, openOwnAccount, transact } from './transact.ts'

type Totals = { readonly totalAssets: bigint; readonly totalShares: bigint }

async function totalsOf({ chain }: OwnAccount): Promise<Totals> {
  const [totalAssets, totalShares] = await Promise.all([
    chain.read('StakedHeu', 'totalAssets', []),
    chain.read('StakedHeu', 'totalSupply', []),
  ])
  return { totalAssets, totalShares }
}

async function stake(context: Context, [text = '']: readonly string[], options: Options): Promise<number> {
  const wei = parseHeu(text)
  const account = await openOwnAccount(context, options)
  const { chain, signer } = account
  const [native, held, shares] = await Promise.all([
    chain.nativeBalance(signer.address),
    chain.read('StakedHeu', 'balanceOf', [signer.address]),
    chain.read('StakedHeu', 'previewDeposit', [wei]),
  ])
  const plan = {
    title: `stake ${heuText(wei)} HEU`,
    call: { contract: 'StakedHeu', call: 'depositNative', args: [signer.address], valueWei: wei },
    changes: [
      { what: 'HEU', now: heuText(native), after: `${heuText(native - wei)} less the fee` },
      { what: 'stHEU', now: heuText(held), after: heuText(held + shares) },
    ],
  } as const
  await transact(context, account, plan, options)
  return EXIT.ok
}

async function unstake(context: Context, [text = '']: readonly string[], options: Options): Promise<number> {
  const account = await openOwnAccount(context, options)
  const { chain, signer } = account
  const [held, totals, delay, { timestampSeconds }] = await Promise.all([
    chain.read('StakedHeu', 'balanceOf', [signer.address]),
    totalsOf(account),
    chain.read('StakedHeu', 'exitDelaySeconds', []),
    chain.head(),
  ])
  const shares = text === 'all' ? held : sharesForDown(totals, parseHeu(text))
  if (shares > held) {
    const worth = heuText(await chain.read('StakedHeu', 'convertToAssets', [held]))
    throw usageError(
      `${signer.address} has ${heuText(held)} stHEU, worth ${worth} HEU: less than ${text}. For everything: heurist unstake all`,
    )
  }
  if (shares === 0n) throw usageError(`${signer.address} has no stHEU to give back. Stake with: heurist stake.`)
  const assets = await chain.read('StakedHeu', 'convertToAssets', [shares])
  const plan = {
    title: `unstake ${heuText(assets)} HEU: claimable after ${durationText(delay)}`,
    call: { contract: 'StakedHeu', call: 'requestRedeem', args: [shares, signer.address, signer.address] },
    changes: [
      { what: 'stHEU (yield and votes)', now: heuText(held), after: heuText(held - shares) },
      { what: 'claimable HEU', now: '-', after: `${heuText(assets)} from ${time((timestampSeconds + delay) * 1000)} on` },
    ],
  } as const
  await transact(context, account, plan, options)
  return EXIT.ok
}

function stakeText(stake: JsonOf<StakeView>): string {
  const ballots = (['node', 'pod'] as const).flatMap(kind =>
    stake.ballots[kind].map(({ id, bps }) => [kind, kind === 'node' ? String(BigInt(id)) : short(id), percentText(bps)]),
  )
  return [
    `account ${stake.account}`,
    `staked  ${heuText(stake.shares)} stHEU, worth ${heuText(stake.assets)} HEU (rate ${heuText(stake.rateWad)})`,
    `exits   ${heuText(stake.claimableAssets)} HEU claimable now: heurist claim`,
    table(
      ['exit', 'HEU', 'claimable from', 'in'],
      stake.exits.map(({ index, claimableAt, assets }) => [
        index,
        heuText(assets),
        time(claimableAt * 1000),
        claimableAt <= stake.now ? 'matured' : durationText(claimableAt - stake.now),
      ]),
    ),
    ...(ballots.length > 0 ? ['', 'votes from the next epoch on', table(['gauge', 'id', 'part'], ballots)] : []),
  ].join('\n')
}

/** `heurist stake …` and `heurist unstake …`: HEU for stHEU, and back. */
export function stakeCommands(program: Command, attach: Attach): void {
  const staking = program
    .command('stake')
    .description('Stake HEU: yield and votes for stHEU')
    .argument('[heu]', 'amount of HEU')
    .addHelpText('after', '\nExamples:\n  heurist stake 1000\n  heurist stake 1000 --as node-1 --dry-run\n  heurist stake show')
  attach(sending(staking), (context, args, options) => {
    if (args.length > 0) return stake(context, args, options)
    throw usageError('Say how much to stake, for example: heurist stake 1000. What is staked: heurist stake show')
  })
  const show = staking.command('show').description('Show what is staked, the exits with their dates, and the votes')
  attach(
    show.option('--as <account>', 'whose: a node of this machine (its owner) or a role; default: developer'),
    async (context, _args, options) => {
      const { signer } = await openOwnAccount(context, options)
      const view = await context.client().get<JsonOf<StakeView>>(`/api/accounts/${signer.address}/stake`)
      context.output.answer(view, () => stakeText(view))
      return EXIT.ok
    },
  )
  const unstaking = program
    .command('unstake <heu>')
    .description('Ask for staked HEU back ("all" for everything): the amount is fixed now and claimable after a year')
    .addHelpText(
      'after',
      '\nExample:\n  heurist unstake 250.5 --dry-run\n\nThen: heurist stake show, and heurist claim when it has matured.',
    )
  attach(sending(unstaking), unstake)
}
