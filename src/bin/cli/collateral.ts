import type { Command } from 'commander'
import { ZERO_ADDRESS } from '#protocol'
import { heuText, parseHeu, percentText, sending } from './amounts.ts'
import { type Attach, type Context, usageError } from './commands.ts'
import { ownerAccount, registryIdOf } from './node-ref.ts'
import { EXIT, table, time } from './output.ts'
import { type Options, type OwnAccount, openOwnAccount, type Plan, transact } from './transact.ts'

/** By number of `ISlasher.Stage`: what happens now, and what `deadline` means. */
const STAGES = [
  ['none', 'until'],
  ['accusers seal and then open their claims', 'until'],
  ['it can be answered: heurist collateral answer', 'until'],
  ['a committee is drawn', 'at block'],
  ['the committee votes', 'until'],
  ['closed', 'since'],
] as const
const DRAWING = 3

/** What the chain says about a node's collateral; amounts in wei of HEU. */
async function readCollateral({ chain }: Pick<OwnAccount, 'chain'>, registryId: bigint) {
  const [node, coverage, unbonding, caseId, jailedUntil, operator] = await Promise.all([
    chain.read('NodeRegistry', 'getNode', [registryId]),
    chain.read('NodeRegistry', 'coverageOf', [registryId]),
    chain.read('NodeRegistry', 'unbondingOf', [registryId]),
    chain.read('Slasher', 'openCaseOf', [registryId]),
    chain.read('Slasher', 'jailedUntil', [registryId]),
    chain.read('RestakeAdapter', 'operatorOf', [registryId]),
  ])
  const openCase = caseId === 0n ? null : { caseId, ...(await chain.read('Slasher', 'getCase', [caseId])) }
  return { registryId, ...node, ...coverage, unbonding, openCase, jailedUntil, operator: operator === ZERO_ADDRESS ? null : operator }
}
type Collateral = Awaited<ReturnType<typeof readCollateral>>

const date = (seconds: bigint): string => (seconds > 2n ** 60n ? 'for ever' : `${time(Number(seconds) * 1000)} UTC`)

function caseText({ caseId, stage, deadline, slashBps }: NonNullable<Collateral['openCase']>): string {
  const [now, preposition] = STAGES[stage] ?? STAGES[0]
  const end = `${preposition} ${stage === DRAWING ? deadline : date(deadline)}`
  return `${caseId}: ${now} (${end}); ${slashBps === 0 ? 'no slash is proposed' : `at stake ${percentText(slashBps)} of the collateral`}`
}

function collateralText(found: Collateral): string {
  const { collateral, bonded, restaked, floor, covered, unbonding, exitableAt, jailed, jailedUntil, openCase } = found
  const missing = floor - bonded - restaked
  return table(
    ['what', 'HEU', ''],
    [
      ['collateral', heuText(collateral), 'what the node can lose'],
      ['of it bonded', heuText(bonded), unbonding.amount > 0n ? '' : 'nothing is leaving'],
      ...(unbonding.amount > 0n ? [['of it leaving', heuText(unbonding.amount), `free ${date(unbonding.releasableAt)}`]] : []),
      ['restaked ETH', heuText(restaked), found.operator ?? 'nobody restakes for it'],
      ['floor', heuText(floor), covered ? 'covered: jobs may come' : `${heuText(missing)} HEU are missing: no jobs`],
      ...(exitableAt > 0n ? [['exit', heuText(collateral), `asked for, free ${date(exitableAt)}`]] : []),
      ['jail', '', jailed ? `jailed${openCase ? '' : ` until ${date(jailedUntil)}`}` : 'free'],
      ['case', '', openCase ? caseText(openCase) : 'none'],
    ],
  )
}

type Found = { readonly account: OwnAccount; readonly found: Collateral }

async function open(context: Context, node: string, options: Options = {}): Promise<Found> {
  const account = await openOwnAccount(context, options)
  return { account, found: await readCollateral(account, await registryIdOf(context, account, node)) }
}

/** The same, acting as the node's owner. */
async function openAsOwner(context: Context, node: string, options: Options): Promise<Found> {
  const { found } = await open(context, node)
  return { account: await ownerAccount(context, found.owner, options), found }
}

async function add(context: Context, [node = '', amount = '']: readonly string[], options: Options): Promise<number> {
  const valueWei = parseHeu(amount)
  const { account, found } = await open(context, node, options)
  const { registryId, collateral, bonded, restaked, floor } = found
  const backing = bonded + restaked
  const plan = {
    title: `add ${heuText(valueWei)} HEU to the collateral of node ${registryId}`,
    call: { contract: 'NodeRegistry', call: 'addCollateral', args: [registryId], valueWei },
    changes: [
      { what: 'collateral', now: heuText(collateral), after: heuText(collateral + valueWei) },
      { what: `above the floor of ${heuText(floor)}`, now: heuText(backing - floor), after: heuText(backing + valueWei - floor) },
    ],
  } as const
  await transact(context, account, plan, options)
  return EXIT.ok
}

async function unbond(context: Context, [node = '', amount]: readonly string[], options: Options): Promise<number> {
  if ((amount === undefined) !== (options.cancel === true))
    throw usageError('Say how much HEU is to leave, or --cancel to keep what is leaving.')
  const wei = amount === undefined ? 0n : parseHeu(amount)
  const { account, found } = await openAsOwner(context, node, options)
  const { registryId, bonded, restaked, floor, unbonding } = found
  const delay = await account.chain.read('NodeRegistry', 'unbondingDelaySeconds', [])
  const left = amount === undefined ? bonded + unbonding.amount : bonded - wei
  const jobs = (backing: bigint): string => (backing >= floor ? 'may come' : 'none: below the floor')
  const changes = [
    { what: 'bonded', now: heuText(bonded), after: heuText(left) },
    { what: `above the floor of ${heuText(floor)}`, now: heuText(bonded + restaked - floor), after: heuText(left + restaked - floor) },
    { what: 'jobs', now: jobs(bonded + restaked), after: jobs(left + restaked) },
  ]
  const plan: Plan =
    amount === undefined
      ? {
          title: `keep what is leaving node ${registryId}`,
          call: { contract: 'NodeRegistry', call: 'cancelUnbond', args: [registryId] },
          changes,
        }
      : {
          title: `take ${heuText(wei)} HEU out of the collateral of node ${registryId}, free in ${delay} s; until then it can be slashed`,
          call: { contract: 'NodeRegistry', call: 'requestUnbond', args: [registryId, wei] },
          changes,
        }
  await transact(context, account, plan, options)
  return EXIT.ok
}

async function exit(context: Context, [node = '']: readonly string[], options: Options): Promise<number> {
  const { account, found } = await openAsOwner(context, node, options)
  const { registryId, collateral, exitableAt } = found
  const delay = await account.chain.read('NodeRegistry', 'unbondingDelaySeconds', [])
  const plan = {
    title: `take node ${registryId} out of service; its collateral is free in ${delay} s, and until then it can be slashed`,
    call: { contract: 'NodeRegistry', call: 'requestExit', args: [registryId] },
    changes: [
      { what: 'jobs', now: exitableAt === 0n && found.covered ? 'may come' : 'none', after: 'none' },
      { what: 'collateral that leaves', now: heuText(found.unbonding.amount), after: heuText(collateral) },
    ],
  } as const
  await transact(context, account, plan, options)
  return EXIT.ok
}

/** Pays what is due: of a node that exits everything, of one that works on what it asked for. */
async function withdraw(context: Context, [node = '']: readonly string[], options: Options): Promise<number> {
  const { account, found } = await openAsOwner(context, node, options)
  const { registryId, collateral, exitableAt, unbonding } = found
  const receiver = account.signer.address
  const isExit = exitableAt > 0n
  const plan: Plan = {
    title: isExit ? `take the collateral of node ${registryId} and end it` : `take what has left the collateral of node ${registryId}`,
    call: { contract: 'NodeRegistry', call: isExit ? 'withdraw' : 'completeUnbond', args: [registryId, receiver] },
    changes: [
      { what: 'collateral', now: heuText(collateral), after: heuText(isExit ? 0n : collateral - unbonding.amount) },
      { what: `paid to ${receiver}`, now: '0', after: heuText(isExit ? collateral : unbonding.amount) },
    ],
  }
  await transact(context, account, plan, options)
  return EXIT.ok
}

async function answer(context: Context, [node = '']: readonly string[], options: Options): Promise<number> {
  const { account, found } = await open(context, node, options)
  if (!found.openCase) throw usageError(`No case is open against node ${found.registryId}.`)
  const { caseId } = found.openCase
  const { dispute: bond } = await account.chain.read('Slasher', 'stakes', [])
  const plan = {
    title: `answer case ${caseId}: a committee re-runs the audits; the bond comes back unless it agrees with the accusers`,
    call: { contract: 'Slasher', call: 'dispute', args: [caseId], valueWei: bond },
    changes: [
      { what: 'case', now: STAGES[found.openCase.stage]?.[0] ?? '', after: STAGES[DRAWING][0] },
      { what: 'bond of this account (HEU)', now: '0', after: heuText(bond) },
    ],
  } as const
  await transact(context, account, plan, options)
  return EXIT.ok
}

/** `heurist collateral`: what a node can lose, what it needs, and what hangs over it. `<node>` is a name here, an address, or a number. */
export function collateralCommands(collateral: Command, attach: Attach): void {
  const command = (usage: string, description: string, example: string): Command =>
    collateral.command(usage).description(description).addHelpText('after', `\nExample:\n  heurist collateral ${example}`)
  attach(command('show <node>', 'Show collateral, floor, what is leaving, and open cases', 'show node-1'), async (context, [node = '']) => {
    const { found } = await open(context, node)
    context.output.answer(found, () => `node ${found.registryId}  ${found.hotKey}\nowner  ${found.owner}\n${collateralText(found)}`)
    return EXIT.ok
  })
  attach(sending(command('add <node> <heu>', 'Add HEU to the collateral of any node', 'add node-1 50 --as node-1')), add)
  const leaving = command(
    'unbond <node> [heu]',
    'Start to take HEU out of the collateral; the node works on with the rest, if that covers it',
    'unbond node-1 20 --dry-run',
  )
  attach(sending(leaving.option('--cancel', 'keep what is leaving')), unbond)
  const exiting = command('exit <node>', 'Take a node out of service for good, and its whole collateral with it', 'exit node-1 --dry-run')
  attach(sending(exiting), exit)
  attach(sending(command('withdraw <node>', 'Get what has left the collateral, or all of it after an exit', 'withdraw node-1')), withdraw)
  attach(sending(command('answer <node>', 'Answer the case against a node with a bond; anybody may', 'answer node-1 --dry-run')), answer)
}
