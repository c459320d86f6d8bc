import type { Command } from 'commander'
import { MAX_WARP_SECONDS, warpDevChain } from '#platform/chain'
import { loadSigner, openHome } from '../home.ts'
import { extendCaps } from '../network/developer.ts'
import { type Attach, type Context, usageError } from './commands.ts'
import { EXIT, time } from './output.ts'
import { openOwnAccount } from './transact.ts'

const UNITS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const

/** "7d" -> 604800. */
export function parseDuration(text: string): number {
  const match = /^(\d{1,10})([smhdw])$/.exec(text)
  const seconds = match ? Number(match[1]) * UNITS[match[2] as keyof typeof UNITS] : 0 // cast: the pattern names the units
  if (seconds > 0 && seconds <= MAX_WARP_SECONDS) return seconds
  throw usageError(`"${text}" is no duration. Give a number and a unit (s, m, h, d, w), at most 100 years, for example 7d.`)
}

async function warp(context: Context, [text = '']: readonly string[]): Promise<number> {
  const seconds = parseDuration(text)
  const { chain, signer: developer, rpcUrl } = await openOwnAccount(context)
  const before = (await chain.head()).timestampSeconds
  // First, so that no batch meets a spending cap that ended on the way.
  const treasury = loadSigner(openHome(context.config.home), 'treasury')
  const { timestampSeconds } = await warpDevChain(rpcUrl, seconds, () => extendCaps(chain, { treasury, developer }, before + seconds))
  context.output.answer({ fromSeconds: before, toSeconds: timestampSeconds }, () =>
    [`chain time ${time(before * 1000)}`, `       now ${time(timestampSeconds * 1000)}`].join('\n'),
  )
  return EXIT.ok
}

/** `heurist dev`: what only a development chain can do. */
export function devCommands(dev: Command, attach: Attach): void {
  attach(dev.command('warp <duration>').description("Move the dev chain's time on, for example 7d; it never goes back"), warp)
}
