import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { openKey } from '#compute'
import { type Chain, createLogger, type Signer, systemClock } from '#platform'
import { claim, createRpcChain } from '#platform/chain'
import { type Address, formatUnits } from '#protocol'
import { openHome } from '../home.ts'
import { readNetworkFacts } from '../network/facts.ts'
import { type Attach, type Context, usageError } from './commands.ts'
import { EXIT, table } from './output.ts'

type Earning = {
  readonly symbol: string
  readonly asset: Address
  readonly decimals: number
  readonly claimable: bigint
  readonly pending: bigint
}
type Owner = { readonly chain: Chain; readonly signer: Signer; readonly earnings: readonly Earning[] }

/** The owner of a node of this machine, and what the settlement contract holds for it. */
async function ownerOf({ config }: Context, name: string): Promise<Owner> {
  const path = join(openHome(config.home).nodes, name, 'owner.json')
  if (!existsSync(path))
    throw usageError(`No node "${name}" was ever started from ${config.home}. Start it with: heurist node start --name ${name}`)
  const facts = await readNetworkFacts(config)
  const logger = createLogger({ level: 'error', role: 'cli' })
  const chain = createRpcChain(
    { rpcUrl: config.chainRpcUrl || facts.rpcUrl, chainId: facts.chainId, contracts: facts.contracts },
    { clock: systemClock, logger },
  )
  const { signer } = openKey(path)
  const earnings = await Promise.all(
    facts.assets.map(async ({ address: asset, symbol, decimals }) => ({
      symbol,
      asset,
      decimals,
      claimable: await chain.claimable(signer.address, asset),
      pending: await chain.pending(signer.address, asset),
    })),
  )
  return { chain, signer, earnings }
}

function earningsTable(earnings: readonly Earning[]): string {
  return table(
    ['asset', 'claimable', 'in the challenge window'],
    earnings.map(({ symbol, decimals, claimable, pending }) => [symbol, formatUnits(claimable, decimals), formatUnits(pending, decimals)]),
  )
}

/** `heurist node earnings` and `heurist node claim`: what a node of this machine earned, and getting it. */
export function earningsCommands(node: Command, attach: Attach): void {
  attach(node.command('earnings <name>').description('Show what a node of this machine earned'), async (context, [name = '']) => {
    const { signer, earnings } = await ownerOf(context, name)
    context.output.answer({ owner: signer.address, earnings }, () => `owner ${signer.address}\n${earningsTable(earnings)}`)
    return EXIT.ok
  })
  attach(node.command('claim <name>').description("Pay what is claimable to the node's owner"), async (context, [name = '']) => {
    const { chain, signer, earnings } = await ownerOf(context, name)
    const paid: { symbol: string; amount: string; transactionHash: string }[] = []
    for (const { asset, symbol, decimals, claimable } of earnings) {
      if (claimable === 0n) continue
      const { transactionHash } = await claim(chain, signer, { asset })
      paid.push({ symbol, amount: formatUnits(claimable, decimals), transactionHash })
    }
    context.output.answer({ owner: signer.address, paid }, () =>
      paid.length === 0
        ? 'Nothing is claimable yet: earnings wait in escrow for one to two challenge windows.'
        : paid.map(({ symbol, amount, transactionHash }) => `${amount} ${symbol} in ${transactionHash}`).join('\n'),
    )
    return EXIT.ok
  })
}
