import type { Command } from 'commander'
import { addressSchema, type FrontendView, HeuristError, type NodeId, referralRoot } from '#protocol'
import { sending } from './amounts.ts'
import type { CliErrorCode } from './client.ts'
import { type Attach, type Context, usageError } from './commands.ts'
import { EXIT, short, table } from './output.ts'
import { type Options, openOwnAccount, transact } from './transact.ts'

type Frontends = { readonly data: readonly FrontendView[] }
type NodeNames = { readonly data: readonly { nodeId: NodeId; name: string }[] }

async function nodeIdsOf(context: Context, names: readonly string[]): Promise<NodeId[]> {
  const { data } = await context.client().get<NodeNames>('/api/nodes')
  return names.map(name => {
    const found = data.find(node => node.name === name || node.nodeId === name.toLowerCase())
    const key = addressSchema.safeParse(name)
    if (found) return found.nodeId
    if (key.success) return key.data
    throw usageError(`No node is called "${name}". Known: ${data.map(node => `${node.name} (${node.nodeId})`).join(', ') || 'none'}.`)
  })
}

/** Puts the list's root on chain, then tells the gateway which nodes stand behind it. */
async function refer(context: Context, [name = '', ...nodes]: readonly string[], options: Options): Promise<number> {
  if (nodes.length === 0 && options.none !== true) throw usageError('Name the nodes to refer to, or --none to refer to nobody.')
  const account = await openOwnAccount(context, options)
  const [{ data }, nodeIds] = await Promise.all([context.client().get<Frontends>('/api/frontends'), nodeIdsOf(context, nodes)])
  const frontend = data.find(each => each.name === name && each.owner === account.signer.address)
  if (!frontend) {
    throw new HeuristError<CliErrorCode>(
      'CLI_NOT_FOUND',
      `${account.signer.address} has no frontend "${name}". Register it with: heurist frontend register ${name} <fee>`,
    )
  }
  const { frontendId, feeBps, payout, referred } = frontend
  const listText = (list: readonly NodeId[] | null): string => list?.map(short).join(', ') || 'nobody'
  const plan = {
    title: `frontend ${name} refers to ${nodeIds.length} nodes`,
    call: { contract: 'FrontendRegistry', call: 'update', args: [frontendId, feeBps, payout, referralRoot(nodeIds)] },
    changes: [{ what: 'refers to', now: listText(referred), after: listText(nodeIds) }],
  } as const
  await transact(context, account, plan, options)
  if (options.dryRun !== true) await context.client('admin').put(`/api/frontends/${frontendId}/referrals`, { nodes: nodeIds })
  return EXIT.ok
}

function frontendTable(frontends: readonly FrontendView[]): string {
  return table(
    ['frontend', 'owner', 'paid to', 'fee bps', 'refers to'],
    frontends.map(({ name, owner, payout, feeBps, referred }) => [
      name,
      short(owner),
      payout,
      feeBps,
      referred === null ? 'a list that this gateway was not told' : referred.map(short).join(', ') || 'nobody',
    ]),
  )
}

/** `heurist frontend list|refer`: which nodes a frontend's users go to first (wp §3.2.5). */
export function referralCommands(frontend: Command, attach: Attach): void {
  const listing = frontend
    .command('list')
    .description('List frontends, their fees and the nodes they refer to')
    .addHelpText('after', '\nExamples:\n  heurist frontend list\n  heurist frontend list --json')
  attach(listing, async ({ output, client }) => {
    const { data } = await client().get<Frontends>('/api/frontends')
    output.answer(data, () => frontendTable(data))
    return EXIT.ok
  })
  const referring = frontend
    .command('refer <name> [nodes...]')
    .description("Send a frontend's users to these nodes first: the router's second priority, after warm ones")
    .option('--none', 'refer to nobody')
    .addHelpText('after', '\nExample:\n  heurist frontend refer desk node-1 --as node-1')
  attach(sending(referring), refer)
}
