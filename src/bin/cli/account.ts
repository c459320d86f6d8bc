import type { Command } from 'commander'
import { openDeveloper } from '../developer.ts'
import { unitsOf } from './amounts.ts'
import { type Attach, positiveInteger, usageError } from './commands.ts'
import { EXIT, short, table, time } from './output.ts'
import { type AssetAnswer, amountText } from './show.ts'

type Credits = {
  account: string
  credits: string
  assets: readonly AssetAnswer[]
  balances: readonly { asset: string; amount: string; nanoCredits: string; credits: string }[]
}
type HistoryRow = {
  sequence: number
  kind: string
  atMs: number
  businessId: string
  postings: readonly { account: string; asset: string; amount: string }[]
}

/** `heurist credit …`: what is left, how to get more, where it went. */
export function accountCommands(credit: Command, attach: Attach): void {
  attach(credit.command('show').description('Show the credits of this account'), async ({ output, client }) => {
    const credits = await client().get<Credits>('/api/credits')
    output.answer(credits, () =>
      [
        `${credits.credits} credits  (account ${credits.account}, 100 credits = 1 USD)`,
        table(
          ['asset', 'backing', 'credits'],
          credits.balances.map(balance => [
            credits.assets.find(({ address }) => address === balance.asset)?.symbol,
            amountText(balance.amount, balance.asset, credits.assets),
            balance.credits,
          ]),
        ),
      ].join('\n'),
    )
    return EXIT.ok
  })
  const buy = credit
    .command('buy <amount>')
    .description('Buy credits with a deposit on the dev chain')
    .option('--asset <symbol>', 'HEU or DevUSD', 'DevUSD')
  attach(buy, async ({ output, config, client }, [amount = ''], options) => {
    const { assets } = await client().get<Credits>('/api/credits')
    const asset = assets.find(({ symbol }) => symbol.toLowerCase() === String(options.asset).toLowerCase())
    if (!asset) throw usageError(`Unknown asset "${options.asset}". Known: ${assets.map(({ symbol }) => symbol).join(', ')}.`)
    const developer = await openDeveloper(config)
    const units = parseAmount(amount, asset)
    output.note(`Depositing ${amount} ${asset.symbol} …`)
    const receipt = await developer.deposit(asset.symbol, units)
    output.answer(
      receipt,
      () => `deposited in transaction ${receipt.transactionHash}; the credits appear when the deposit is final (a few seconds)`,
    )
    return EXIT.ok
  })
  attach(
    credit
      .command('history')
      .description('Show deposits and charges, newest first')
      .option('-n, --limit <count>', 'how many', positiveInteger, 20),
    async ({ output, client }, _args, options) => {
      const { data } = await client().get<{ data: readonly HistoryRow[] }>(`/api/credits/history?limit=${options.limit}`)
      output.answer(data, () =>
        table(
          ['#', 'when', 'what', 'postings'],
          data.map(row => [
            row.sequence,
            time(row.atMs),
            row.kind,
            row.postings.map(posting => `${short(posting.account)} ${posting.amount}`).join('  '),
          ]),
        ),
      )
      return EXIT.ok
    },
  )
}

function parseAmount(text: string, asset: AssetAnswer): bigint {
  const units = unitsOf(text, asset.decimals)
  if (units !== null && units > 0n) return units
  throw usageError(`"${text}" is not an amount of ${asset.symbol}: a decimal number above 0 with at most ${asset.decimals} places.`)
}
