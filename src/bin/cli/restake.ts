import type { Command } from 'commander'
import { type Address, addressSchema, ZERO_ADDRESS } from '#protocol'
import { heuText, parsePercent, percentText, sending } from './amounts.ts'
import { type Attach, type Context, usageError } from './commands.ts'
import { ownerAccount, registryIdOf } from './node-ref.ts'
import { EXIT } from './output.ts'
import { localOwner, type Options, type OwnAccount, openOwnAccount, type Plan, transactAll } from './transact.ts'

const WHOLE_BPS = 10_000

const shareText = (collateralBps: number, stakeBps: number, payout: string): string =>
  `${percentText(collateralBps)} to collateral, ${percentText(stakeBps)} staked, the rest to ${payout}`

/** Where the part that is not restaked goes: what the owner says, or where it went before. */
function payoutOf(options: Options, before: { payout: Address; account: Address; planned: Address }): Address {
  if (options.payout !== undefined) {
    const parsed = addressSchema.safeParse(options.payout)
    if (parsed.success) return parsed.data
    throw usageError(`"${options.payout}" is no address.`)
  }
  return before.payout === before.account ? before.planned : before.payout
}

async function restakePlans({ chain }: OwnAccount, registryId: bigint, options: Options): Promise<Plan[]> {
  const collateralBps = parsePercent(String(options.collateral ?? '0'), 0)
  const stakeBps = parsePercent(String(options.stake ?? '0'), 0)
  if (collateralBps + stakeBps > WHOLE_BPS) throw usageError('The two shares add up to more than 100 %.')
  const [node, plan, account] = await Promise.all([
    chain.read('NodeRegistry', 'getNode', [registryId]),
    chain.read('Compounder', 'planOf', [registryId]),
    chain.read('Compounder', 'accountOf', [registryId]),
  ])
  const payout = payoutOf(options, { payout: node.payout, account, planned: plan.payout })
  const before = plan.owner === ZERO_ADDRESS ? 'nothing is restaked' : shareText(plan.collateralBps, plan.stakeBps, plan.payout)
  const set: Plan = {
    title: `restake what node ${registryId} earns in HEU`,
    call: { contract: 'Compounder', call: 'setPlan', args: [registryId, collateralBps, stakeBps, payout] },
    changes: [{ what: 'plan', now: before, after: shareText(collateralBps, stakeBps, payout) }],
  }
  const redirect: Plan = {
    title: `let the earnings of node ${registryId} go through its own account`,
    call: { contract: 'NodeRegistry', call: 'setPayout', args: [registryId, account] },
    changes: [{ what: 'payout', now: node.payout, after: account }],
  }
  return node.payout === account ? [set] : [set, redirect]
}

async function restake(context: Context, [node = '']: readonly string[], options: Options): Promise<number> {
  const reader = await openOwnAccount(context)
  const registryId = await registryIdOf(context, reader, node)
  const { owner } = await reader.chain.read('NodeRegistry', 'getNode', [registryId])
  const account = await ownerAccount(context, owner, options)
  await transactAll(context, account, await restakePlans(account, registryId, options), options)
  return EXIT.ok
}

type Earned = { readonly asset: Address; readonly amount: bigint }

/** What the node's owner may claim of what jobs paid: settlement pays owners, so only they can bring it into the node's account. */
async function jobEarnings({ chain }: OwnAccount, owner: Address): Promise<Earned[]> {
  const assets = [chain.contracts.WrappedHeu, chain.contracts.DevUsd]
  const earned = await Promise.all(assets.map(async asset => ({ asset, amount: await chain.claimable(owner, asset) })))
  return earned.filter(({ amount }) => amount > 0n)
}

function bringing({ chain }: OwnAccount, earned: readonly Earned[], earning: Address): Plan[] {
  return earned.map(({ asset, amount }) => ({
    title: `bring what jobs paid the owner into the node's account: ${asset === chain.contracts.WrappedHeu ? `${heuText(amount)} HEU` : 'its dollars'}`,
    call: { contract: 'JobSettlement', call: 'claim', args: [asset, earning] },
    changes: [],
  }))
}

/** Splits what has arrived; anybody may. Where the owner's key lies, what jobs paid the owner comes first. */
async function compound(context: Context, [node = '']: readonly string[], options: Options): Promise<number> {
  const anybody = await openOwnAccount(context, options)
  const { chain } = anybody
  const registryId = await registryIdOf(context, anybody, node)
  const [{ owner: found }, plan, earning] = await Promise.all([
    chain.read('NodeRegistry', 'getNode', [registryId]),
    chain.read('Compounder', 'planOf', [registryId]),
    chain.read('Compounder', 'accountOf', [registryId]),
  ])
  const owner = addressSchema.parse(found.toLowerCase())
  const hasKey = options.as === undefined ? localOwner(context, owner) !== undefined : anybody.signer.address === owner
  const earned = hasKey && plan.owner !== ZERO_ADDRESS ? await jobEarnings(anybody, owner) : []
  const account = earned.length > 0 ? await ownerAccount(context, owner, options) : anybody
  const brought = earned.find(({ asset }) => asset === chain.contracts.WrappedHeu)?.amount ?? 0n
  const [claimable, arrived] = await Promise.all([chain.claimable(earning, chain.contracts.WrappedHeu), chain.nativeBalance(earning)])
  const split = splitting(registryId, plan, claimable + arrived + brought)
  const needsPrevious = earned.length > 0
  await transactAll(context, account, [...bringing(account, earned, earning), { ...split, needsPrevious }], options)
  return EXIT.ok
}

function splitting(
  registryId: bigint,
  plan: { readonly collateralBps: number; readonly stakeBps: number; readonly payout: Address },
  whole: bigint,
): Plan {
  const part = (bps: number): bigint => (whole * BigInt(bps)) / BigInt(WHOLE_BPS)
  const [toCollateral, staked] = [part(plan.collateralBps), part(plan.stakeBps)]
  return {
    title: `split ${heuText(whole)} HEU that node ${registryId} earned, and pay its dollars`,
    call: { contract: 'Compounder', call: 'compound', args: [registryId] },
    changes: [
      { what: 'to its collateral (HEU)', now: '', after: heuText(toCollateral) },
      { what: 'staked for its owner (HEU)', now: '', after: heuText(staked) },
      { what: `paid to ${plan.payout} (HEU)`, now: '', after: heuText(whole - toCollateral - staked) },
    ],
  }
}

/** `heurist node restake` and `heurist node compound`: earnings become collateral or stHEU (wp §2.1.3, §3.4.3). */
export function restakeCommands(node: Command, attach: Attach): void {
  const planning = node
    .command('restake <node>')
    .description('Set which part of its earnings in HEU a node adds to its collateral or stakes; without shares nothing is restaked')
    .option('--collateral <percent>', 'added to the collateral', '0')
    .option('--stake <percent>', 'staked as stHEU for the owner', '0')
    .option('--payout <address>', 'gets the rest, and all stablecoin; default: as before')
    .addHelpText('after', '\nExample:\n  heurist node restake node-1 --collateral 30 --stake 20')
  attach(sending(planning), restake)
  const dividing = node
    .command('compound <node>')
    .description("Split what a node has earned by its plan now; anybody may, but what jobs paid comes only with the owner's key")
    .addHelpText('after', '\nExample:\n  heurist node compound node-1')
  attach(sending(dividing), compound)
}
