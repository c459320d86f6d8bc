import { DEFAULT_SPLIT_BPS, type SplitBps } from '#economics'
import type { Frontends } from '#orchestration'
import { type Chain, type Clock, type Logger, repeat } from '#platform'
import { type Address, type FrontendView, messageOf, type PodRecord } from '#protocol'

/** What the chain says about the split of a payment: governed shares, and what each frontend asks for. */
export type ShareBook = {
  start(): Promise<void>
  stop(): void
  /** The basis points of one job. A pod's and a frontend's own share count up to what is governed. */
  bpsOf(job: { readonly pod: PodRecord; readonly frontend: Address | null }): SplitBps
}

/** A change by governance takes days. */
const REFRESH_MS = 15_000

export function createShareBook({
  chain,
  queued,
  frontends,
  clock,
  logger,
  refreshMs = REFRESH_MS,
}: {
  readonly chain: Pick<Chain, 'shares'>
  /** Shares that the timelock still holds back. */
  readonly queued: () => Promise<readonly SplitBps[]>
  readonly frontends: Pick<Frontends, 'list'>
  readonly clock: Clock
  readonly logger: Logger
  readonly refreshMs?: number
}): ShareBook {
  let governed: SplitBps = DEFAULT_SPLIT_BPS
  let known: readonly FrontendView[] = []
  let fees: ReadonlyMap<Address, number> = new Map()
  let stop = (): void => undefined

  async function refresh(): Promise<void> {
    // In this order: what is executed in between is in the first answer or in the second.
    const coming = await queued()
    governed = lowest([await chain.shares(), ...coming])
  }
  function feeOf(payout: Address): number | undefined {
    const list = frontends.list()
    if (list !== known) {
      known = list
      fees = feesByPayout(list)
    }
    return fees.get(payout)
  }
  return {
    async start() {
      await refresh()
      stop = repeat(clock, refreshMs, refresh, error =>
        logger.warn({ reason: messageOf(error) }, 'the shares could not be read; the last ones stay in force'),
      )
    },
    stop: () => stop(),
    bpsOf({ pod, frontend }) {
      const asked = frontend === null ? undefined : feeOf(frontend)
      return {
        ...governed,
        deployer: Math.min(governed.deployer, pod.manifest.spec.revenueShareBps ?? governed.deployer),
        frontend: Math.min(governed.frontend, asked ?? governed.frontend),
      }
    },
  }
}

/**
 * A lower share counts from its decision on: the chain refuses batches that give a role more than it allows, also batches of jobs that ended
 * before it was lowered.
 */
function lowest(all: readonly SplitBps[]): SplitBps {
  const least = (role: keyof SplitBps): number => Math.min(...all.map(shares => shares[role]))
  return { deployer: least('deployer'), frontend: least('frontend'), voters: least('voters'), protocol: least('protocol') }
}

/** Of several frontends that are paid to one account the least fee counts: nobody is charged what one of them does not ask. */
function feesByPayout(frontends: readonly FrontendView[]): Map<Address, number> {
  const fees = new Map<Address, number>()
  for (const { payout, feeBps } of frontends) fees.set(payout, Math.min(feeBps, fees.get(payout) ?? feeBps))
  return fees
}
