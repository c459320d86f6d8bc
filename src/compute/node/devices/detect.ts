import type { Logger } from '#platform'
import type { Device } from '#protocol'
import { type RunCommand, runCommand } from './command.ts'
import { cpuDevice, type HostFacts, readHost } from './cpu.ts'
import { detectNvidia } from './nvidia.ts'
import { type Offer, offered } from './offers.ts'
import { type MinimumPrice, priced } from './prices.ts'
import { detectRocm } from './rocm.ts'

export type DetectOptions = {
  /** Part of each device that this node may use, in basis points. */
  readonly shareBps: number
  /** How the owner offers the GPUs; of which nothing is said, those are offered whole. */
  readonly offers: readonly Offer[]
  /** What the owner asks for at least. */
  readonly prices: readonly MinimumPrice[]
}
export type DetectDependencies = { readonly logger: Logger; readonly run?: RunCommand; readonly host?: () => HostFacts }

/** Facts carry at most this many devices (protocol/node.ts). */
const MAX_DEVICES = 64

/** Every device of this machine: GPUs and MIG instances first, the CPU last. What can not be used is said in the log. @throws HeuristError NODE_BAD_OFFER, NODE_BAD_PRICE */
export async function detectDevices(options: DetectOptions, dependencies: DetectDependencies): Promise<Device[]> {
  const { logger, run = runCommand, host = readHost } = dependencies
  const { shareBps, offers, prices } = options
  const found = await Promise.all([detectNvidia(run), detectRocm(run)])
  for (const note of found.flatMap(({ notes }) => notes)) logger.warn(note)
  const gpus = offered(
    found.flatMap(({ devices }) => devices),
    offers,
    shareBps,
  )
  if (gpus.length >= MAX_DEVICES)
    logger.warn({ found: gpus.length, used: MAX_DEVICES - 1 }, 'more devices than one node announces; start a second node for the rest')
  return priced([...gpus.slice(0, MAX_DEVICES - 1), cpuDevice(host(), shareBps)], prices)
}
