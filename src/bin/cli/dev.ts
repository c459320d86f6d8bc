import type { Command } from 'commander'
import { EPOCH_SECONDS, epochAt } from '#economics'
import { type Chain, systemClock } from '#platform'
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

/** How long the network may take to report an epoch that has ended. */
const REPORT_WAIT_MS = 30_000
const REPORT_POLL_MS = 200
/** Positions in the contract's `EpochPhase`. */
const REPORTING = 1

/** The times at which an epoch has just ended between two times, ascending, and the last of both. */
export function warpStops(epochGenesis: number, from: number, to: number): number[] {
  const stops: number[] = []
  for (let next = epochAt(epochGenesis, from) + 1; epochGenesis + next * EPOCH_SECONDS < to; next++) {
    stops.push(epochGenesis + next * EPOCH_SECONDS)
  }
  return [...stops, to]
}

/** Waits for the keeper to report the epoch before `stop`: whatever its nodes did counts only if it is told within three days. */
async function waitForReport(chain: Pick<Chain, 'read'>, epoch: number): Promise<boolean> {
  const until = systemClock.now() + REPORT_WAIT_MS
  while ((await chain.read('EmissionController', 'phaseOf', [BigInt(epoch)])) === REPORTING) {
    if (systemClock.now() > until) return false
    await new Promise(resolve => setTimeout(resolve, REPORT_POLL_MS))
  }
  return true
}

async function warp(context: Context, [text = '']: readonly string[], options: Readonly<Record<string, unknown>>): Promise<number> {
  const seconds = parseDuration(text)
  const { chain, signer: developer, rpcUrl } = await openOwnAccount(context)
  const before = (await chain.head()).timestampSeconds
  const genesis = Number(await chain.read('EmissionController', 'epochGenesis', []))
  // First, so that no batch meets a spending cap that ended on the way.
  const treasury = loadSigner(openHome(context.config.home), 'treasury')
  let extend = () => extendCaps(chain, { treasury, developer }, before + seconds)
  let now = before
  const unreported: number[] = []
  for (const stop of options.jump ? [before + seconds] : warpStops(genesis, before, before + seconds)) {
    if (stop <= now) continue
    now = (await warpDevChain(rpcUrl, stop - now, extend)).timestampSeconds
    extend = async () => undefined
    const ended = epochAt(genesis, now) - 1
    if (!options.jump && ended >= 0 && !(await waitForReport(chain, ended))) unreported.push(ended)
  }
  context.output.answer({ fromSeconds: before, toSeconds: now, unreportedEpochs: unreported }, () =>
    [
      `chain time ${time(before * 1000)}`,
      `       now ${time(now * 1000)}`,
      ...unreported.map(epoch => `epoch ${epoch} was not reported in time: is the network running?`),
    ].join('\n'),
  )
  return EXIT.ok
}

/** `heurist dev`: what only a development chain can do. */
export function devCommands(dev: Command, attach: Attach): void {
  attach(
    dev
      .command('warp <duration>')
      .description("Move the dev chain's time on, for example 7d; it never goes back. Stops at the end of each epoch until it is reported")
      .option('--jump', 'go in one step: the nodes of epochs in between earn nothing'),
    warp,
  )
}
