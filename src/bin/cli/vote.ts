import type { Command } from 'commander'
import { type EpochView, type GaugeKind, type Hex, nodeGaugeId } from '#protocol'
import { durationText, parsePercent, percentText, sending } from './amounts.ts'
import { type Attach, type Context, usageError } from './commands.ts'
import { EXIT } from './output.ts'
import type { JsonOf } from './show.ts'
import { localOwner, type Options, openOwnAccount, type Plan, transact } from './transact.ts'

type Epoch = JsonOf<EpochView>
type Named = { readonly id: Hex; readonly name: string }
type NodeNames = { readonly data: readonly { nodeId: string; name: string }[] }

/** What can be voted for, by all names that people use. */
async function candidates(context: Context, kind: GaugeKind, epoch: Epoch): Promise<(Named & { readonly aliases: readonly string[] })[]> {
  if (kind === 'pod') return epoch.pods.map(({ podId, name }) => ({ id: podId, name, aliases: [podId, name] }))
  const { data } = await context.client().get<NodeNames>('/api/nodes')
  const names = new Map(data.map(({ nodeId, name }) => [nodeId, name]))
  return epoch.nodes.map(({ registryId, nodeId }) => {
    const name = names.get(nodeId)
    return {
      id: nodeGaugeId(BigInt(registryId)),
      name: name ?? `node ${registryId}`,
      aliases: [registryId, nodeId, ...(name ? [name] : [])],
    }
  })
}

/** One by its id, its name, or the beginning of a hash. @throws HeuristError CLI_USAGE naming what exists */
function find<Item extends Named & { readonly aliases: readonly string[] }>(all: readonly Item[], text: string, kind: GaugeKind): Item {
  const exact = all.filter(({ aliases }) => aliases.includes(text))
  const beginning = text.split('…')[0] ?? text
  const found =
    exact.length > 0 ? exact : all.filter(({ aliases }) => beginning.length >= 6 && aliases.some(alias => alias.startsWith(beginning)))
  if (found.length === 1 && found[0]) return found[0]
  const known = all.map(({ name, aliases }) => `${name} (${aliases[0]})`).join(', ') || 'none'
  throw usageError(`${found.length === 0 ? `No ${kind} is called` : `Several ${kind}s match`} "${text}". Known: ${known}.`)
}

async function vote(context: Context, [kind = '', ...parts]: readonly string[], options: Options): Promise<number> {
  if (kind !== 'node' && kind !== 'pod') throw usageError(`Vote for a node or a pod, not "${kind}".`)
  const isClear = options.clear === true
  if (isClear === parts.length > 0) throw usageError('Give at least one <id>=<percent>, or --clear to take the ballot back.')
  const account = await openOwnAccount(context, options)
  const epoch = await context.client().get<Epoch>('/api/epochs/current')
  const all = await candidates(context, kind, epoch)
  const ballot = parts.map(part => {
    const [text = '', percent = ''] = part.split('=')
    return { ...find(all, text, kind), bps: parsePercent(percent) }
  })
  ballot.sort((a, b) => (a.id < b.id ? -1 : 1))
  const contract = kind === 'node' ? 'NodeGauge' : 'PodGauge'
  const [[ids, weights], held] = await Promise.all([
    account.chain.read(contract, 'ballotOf', [account.signer.address]),
    account.chain.read('StakedHeu', 'balanceOf', [account.signer.address]),
  ])
  if (held === 0n && !isClear)
    throw usageError(`${account.signer.address} has no stHEU, so its votes would weigh nothing. Stake first: heurist stake.`)
  const before = new Map<string, number>(ids.map((id, index) => [id, weights[index] ?? 0]))
  const nameOf = (id: string): string => all.find(item => item.id === id)?.name ?? id
  const after = new Map<string, number>(ballot.map(({ id, bps }) => [id, bps]))
  const plan: Plan = {
    title: `vote for ${kind}s: counts from epoch ${epoch.epoch + 1} on, in ${durationText(epoch.secondsLeft)}`,
    call: { contract, call: 'vote', args: [ballot.map(({ id }) => id), ballot.map(({ bps }) => bps)] },
    changes: [...new Set([...before.keys(), ...after.keys()])].map(id => ({
      what: nameOf(id),
      now: percentText(before.get(id) ?? 0),
      after: percentText(after.get(id) ?? 0),
    })),
  }
  await transact(context, account, plan, options)
  return EXIT.ok
}

async function setTip(context: Context, [text = '', percent = '']: readonly string[], options: Options): Promise<number> {
  const tipBps = parsePercent(percent, 0)
  const epoch = await context.client().get<Epoch>('/api/epochs/current')
  const { id } = find(await candidates(context, 'node', epoch), text, 'node')
  const node = epoch.nodes.find(({ registryId }) => nodeGaugeId(BigInt(registryId)) === id)
  if (!node) throw usageError(`No node is called "${text}".`)
  const account = await openOwnAccount(context, { as: options.as ?? localOwner(context, node.owner) })
  const registryId = BigInt(node.registryId)
  const next = await account.chain.read('EmissionController', 'tipBpsAt', [registryId, BigInt(epoch.epoch + 1)])
  const plan: Plan = {
    title: `node ${registryId} shares its emission with its voters from epoch ${epoch.epoch + 1} on`,
    call: { contract: 'EmissionController', call: 'setTipBps', args: [registryId, tipBps] },
    changes: [{ what: 'tip', now: percentText(next), after: percentText(tipBps) }],
  }
  await transact(context, account, plan, options)
  return EXIT.ok
}

/** `heurist vote …` and `heurist tip …`: where stHEU directs emission and replicas, and what voters get for it. */
export function voteCommands(program: Command, tip: Command, attach: Attach): void {
  const voting = program
    .command('vote <kind> [ballot...]')
    .description('Spread the weight of your stHEU over nodes or pods, as <id>=<percent>; replaces the last ballot')
    .option('--clear', 'take the ballot back')
    .addHelpText(
      'after',
      '\nExamples:\n  heurist vote node node-1=60 node-2=40\n  heurist vote pod heurist-tiny=100 --as node-1\n  heurist vote pod --clear\n\nVotes count from the next epoch on and stay until they are replaced; in the last hour of an epoch none are taken.',
    )
  attach(sending(voting), vote)
  const set = tip
    .command('set <node> <percent>')
    .description("Give a part of a node's emission to its voters, from the next epoch on")
    .addHelpText('after', '\nExample:\n  heurist tip set node-1 10')
  attach(sending(set), setTip)
}
