import type { Command } from 'commander'
import { quoteBuyback } from '#economics'
import { buyBack, sweepFees, whyNoBuyback } from '#orchestration'
import { readMarket } from '#platform/chain'
import { formatUnits, minOf } from '#protocol'
import type { Attach } from './commands.ts'
import { EXIT, table } from './output.ts'
import { type OwnAccount, openOwnAccount } from './transact.ts'

const heu = (wei: bigint): string => `${formatUnits(wei, 18)} HEU`
const usd = (micros: bigint): string => `${formatUnits(micros, 6)} USD`
/** Positions in the contract's `RewardSource`. */
const SOURCES = ['buyback', 'fees', 'reservoir'] as const

async function stateOf({ chain, signer }: OwnAccount) {
  const { Buyback, WrappedHeu, DevUsd } = chain.contracts
  const [held, remaining, guards, refusal, sweepable, retained] = await Promise.all([
    chain.tokenBalance(Buyback, DevUsd),
    chain.read('Buyback', 'remainingUsd', []),
    chain.read('Buyback', 'guards', []),
    whyNoBuyback({ chain, signer }),
    chain.read('FeeVault', 'sweepable', []),
    chain.read('FeeVault', 'retained', []),
  ])
  const [heuClaimable, heuPending, usdClaimable, usdPending] = await Promise.all([
    chain.claimable(Buyback, WrappedHeu),
    chain.pending(Buyback, WrappedHeu),
    chain.claimable(Buyback, DevUsd),
    chain.pending(Buyback, DevUsd),
  ])
  const given = await Promise.all(SOURCES.map((_, source) => chain.read('StakedHeu', 'rewardedBy', [source])))
  return {
    settlement: { heuClaimable, heuPending, usdClaimable, usdPending },
    buyback: { heldUsd: held, remainingUsd: remaining, guards, refusal },
    fees: { sweepable, retained },
    given: Object.fromEntries(SOURCES.map((source, index) => [source, given[index] ?? 0n])),
  }
}

function stateText({ settlement, buyback, fees, given }: Awaited<ReturnType<typeof stateOf>>): string {
  const { guards, refusal } = buyback
  return [
    table(
      ['where', 'HEU', 'stablecoin'],
      [
        ['in the challenge window', heu(settlement.heuPending), usd(settlement.usdPending)],
        ['to collect from settlement', heu(settlement.heuClaimable), usd(settlement.usdClaimable)],
        ['waiting for a buy', '-', usd(buyback.heldUsd)],
        ['gas to sweep', heu(fees.sweepable), '-'],
        ['kept for the base layer', heu(fees.retained), '-'],
        ...SOURCES.map(source => [`given to stakers by ${source}`, heu(given[source] ?? 0n), '-']),
      ],
    ),
    `limit     ${usd(buyback.remainingUsd)} of ${usd(guards.epochLimitUsd)} left in this epoch`,
    `guards    price within ${guards.maxDeviationTicks / 100} % of its mean over ${guards.twapWindowSeconds} s, moved by at most ${guards.maxSlippageBps / 100} %`,
    `a buy now ${refusal ?? 'is possible: heurist buyback run'}`,
  ].join('\n')
}

/** What `buyback run` would do now. Whether the price is near its mean is asked again when it runs. */
async function planOf(account: OwnAccount) {
  const { settlement, buyback, fees } = await stateOf(account)
  const sellUsd = minOf(buyback.heldUsd + settlement.usdClaimable, buyback.remainingUsd)
  const market = await readMarket({ rpcUrl: account.rpcUrl, contracts: account.chain.contracts })
  return {
    sweepHeu: fees.sweepable,
    giveHeu: settlement.heuClaimable,
    collectUsd: settlement.usdClaimable,
    sellUsd,
    ...quoteBuyback(sellUsd, market),
    // Before anything is collected there is nothing to try a buy with.
    refusal: sellUsd > 0n && buyback.heldUsd === 0n ? null : buyback.refusal,
  }
}

function planText({ sweepHeu, giveHeu, collectUsd, sellUsd, priceUsdWad, leastHeu, refusal }: Awaited<ReturnType<typeof planOf>>): string {
  return [
    table(
      ['would', 'amount'],
      [
        ['sweep of gas to stakers', heu(sweepHeu)],
        ['give to stakers of payments in HEU', heu(giveHeu)],
        ['collect from settlement', usd(collectUsd)],
        ['sell for HEU, at most', usd(sellUsd)],
        ['get for it, at least', heu(leastHeu)],
      ],
    ),
    `price     ${formatUnits(priceUsdWad, 18)} USD per HEU in the pool now, before its fee`,
    ...(refusal === null ? [] : [`no buy    ${refusal}`]),
    'dry run: nothing was sent',
  ].join('\n')
}

/** `heurist buyback show|run`: the protocol's share of payments and the chain's gas on their way to stHEU. */
export function buybackCommands(buyback: Command, attach: Attach): void {
  attach(buyback.command('show').description("Show where the protocol's money is on its way to stakers"), async context => {
    const state = await stateOf(await openOwnAccount(context))
    context.output.answer(state, () => stateText(state))
    return EXIT.ok
  })
  attach(
    buyback
      .command('run')
      .description('Sweep gas, collect from settlement and buy HEU now; anyone may, and twice does no harm')
      .option('--dry-run', 'show what would be sold, at what price and for how much at least, and send nothing'),
    async (context, _args, { dryRun }: { readonly dryRun?: boolean }) => {
      const account = await openOwnAccount(context)
      if (dryRun) {
        const plan = await planOf(account)
        context.output.answer({ account: account.signer.address, dryRun, ...plan }, () => planText(plan))
        return EXIT.ok
      }
      const all = { leastHeuWei: 1n, leastUsd: 1n }
      const did = [...(await sweepFees(all, account).run()), ...(await buyBack(all, account).run())]
      const refusal = await whyNoBuyback(account)
      context.output.answer({ account: account.signer.address, did, refusal }, () =>
        [...(did.length > 0 ? did : ['Nothing was to be done.']), ...(refusal === null ? [] : [`no further buy: ${refusal}`])].join('\n'),
      )
      return EXIT.ok
    },
  )
}
