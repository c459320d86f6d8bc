import type { Command } from 'commander'
import { frontendIdOf, isRefusal } from '#platform/chain'
import { type Address, addressSchema, HeuristError, ZERO_BYTES32 } from '#protocol'
import { sending } from './amounts.ts'
import type { CliErrorCode } from './client.ts'
import { type Attach, type Context, usageError } from './commands.ts'
import { EXIT, table } from './output.ts'
import { type Options, type OwnAccount, openOwnAccount, transact } from './transact.ts'

function basisPoints(text: string): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value <= 10_000) return value
  throw usageError(`The fee is basis points of a payment, 0 to 10000, not "${text}".`)
}

/** The frontend of this account by its name; null when there is none. */
async function readFrontend({ chain, signer }: OwnAccount, name: string) {
  const id = frontendIdOf(signer.address, name)
  try {
    return { id, ...(await chain.read('FrontendRegistry', 'getFrontend', [id])) }
  } catch (error) {
    if (isRefusal(error, 'FrontendRegistry_UnknownFrontend')) return null
    throw error
  }
}

/** Registers the frontend, or changes the one of this name. */
async function register(context: Context, [name = '', fee = '']: readonly string[], options: Options): Promise<number> {
  const account = await openOwnAccount(context, options)
  const feeBps = basisPoints(fee)
  const present = await readFrontend(account, name)
  const payout = payoutOf(options, present?.payout ?? account.signer.address)
  const terms = [feeBps, payout, present?.referralRoot ?? ZERO_BYTES32] as const
  const call = present
    ? ({ contract: 'FrontendRegistry', call: 'update', args: [present.id, ...terms] } as const)
    : ({ contract: 'FrontendRegistry', call: 'register', args: [name, ...terms] } as const)
  const changes = [
    { what: 'fee', now: present ? `${present.feeBps} bps` : 'none', after: `${feeBps} bps` },
    { what: 'paid to', now: present?.payout ?? 'nobody', after: payout },
  ]
  await transact(context, account, { title: `${present ? 'change' : 'register'} frontend ${name}`, call, changes }, options)
  return EXIT.ok
}

function payoutOf({ payout }: Options, otherwise: string): Address {
  const parsed = addressSchema.safeParse(String(payout ?? otherwise).toLowerCase())
  if (parsed.success) return parsed.data
  throw usageError(`--payout must be an address (0x and 40 hex digits), not "${payout}".`)
}

async function show(context: Context, [name = '']: readonly string[], options: Options): Promise<number> {
  const account = await openOwnAccount(context, options)
  const found = await readFrontend(account, name)
  if (!found) throw new HeuristError<CliErrorCode>('CLI_NOT_FOUND', `${account.signer.address} has no frontend "${name}".`)
  const { chain } = account
  const payout = addressSchema.parse(found.payout.toLowerCase())
  const governed = (await chain.shares()).frontend
  const earned = await Promise.all(
    [chain.contracts.WrappedHeu, chain.contracts.DevUsd].map(async asset => ({
      asset,
      claimable: await chain.claimable(payout, asset),
      pending: await chain.pending(payout, asset),
    })),
  )
  const answer = { ...found, payout, paidBps: Math.min(found.feeBps, governed), earned }
  context.output.answer(answer, () =>
    [
      `frontend ${name} asks for ${found.feeBps} bps and gets ${answer.paidBps}, paid to ${payout}`,
      `keys that earn for it: heurist key create --frontend ${payout}`,
      table(
        ['asset', 'claimable', 'in the challenge window'],
        earned.map(({ asset, claimable, pending }) => [asset, String(claimable), String(pending)]),
      ),
    ].join('\n'),
  )
  return EXIT.ok
}

/** `heurist frontend register|show`: a share of what the users of one's own surface pay (wp §3.2.5). */
export function frontendCommands(frontend: Command, attach: Attach): void {
  const registering = frontend
    .command('register <name> <fee>')
    .description('Register a frontend, or change the one of this name; the fee is basis points of a payment')
    .option('--payout <address>', 'account that is paid (default: your own)')
  attach(sending(registering), register)
  attach(
    frontend
      .command('show <name>')
      .description('Show what a frontend asks, gets and has earned')
      .option('--as <account>', 'whose: a node of this machine (its owner) or a role; default: developer'),
    show,
  )
}
