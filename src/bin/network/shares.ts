import { DEFAULT_SPLIT_BPS, type SplitBps } from '#economics'
import type { Chain, Clock, EventStore, IndexedEvent, Logger } from '#platform'
import { type Address, messageOf, type PodRecord } from '#protocol'

/** What the chain says about the split of a payment: governed shares, and what each frontend asks for. */
export type ShareBook = {
  start(): Promise<void>
  stop(): void
  /** The basis points of one job. A pod's and a frontend's own share count up to what is governed. */
  bpsOf(job: { readonly pod: PodRecord; readonly frontend: Address | null }): SplitBps
}

/** A change by governance takes days; a frontend's own change may take as long as this to count. */
const REFRESH_MS = 15_000

export function createShareBook({
  chain,
  events,
  clock,
  logger,
}: {
  readonly chain: Pick<Chain, 'shares'>
  readonly events: Pick<EventStore, 'list'>
  readonly clock: Clock
  readonly logger: Logger
}): ShareBook {
  let governed: SplitBps = DEFAULT_SPLIT_BPS
  let fees: ReadonlyMap<Address, number> = new Map()
  let cancel = (): void => {}
  let stopped = false

  async function refresh(): Promise<void> {
    governed = await chain.shares()
    fees = feesByPayout(await events.list({ contract: 'FrontendRegistry', names: ['FrontendUpdated'] }))
  }
  function later(): void {
    if (stopped) return
    cancel = clock.after(REFRESH_MS, () => {
      refresh()
        .catch(error => logger.warn({ reason: messageOf(error) }, 'the shares could not be read; the last ones stay in force'))
        .finally(later)
    })
  }
  return {
    async start() {
      await refresh()
      later()
    },
    stop() {
      stopped = true
      cancel()
    },
    bpsOf({ pod, frontend }) {
      const asked = frontend === null ? undefined : fees.get(frontend)
      return {
        ...governed,
        deployer: Math.min(governed.deployer, pod.manifest.spec.revenueShareBps ?? governed.deployer),
        frontend: Math.min(governed.frontend, asked ?? governed.frontend),
      }
    },
  }
}

/** Events oldest first: the newest word of each frontend counts; of two that pay out to one account, the one that spoke last. */
function feesByPayout(updates: readonly IndexedEvent[]): Map<Address, number> {
  const fees = new Map<Address, number>()
  for (const { args } of updates) fees.set(String(args.payout) as Address, Number(args.feeBps)) // cast: the event's ABI says address
  return fees
}
