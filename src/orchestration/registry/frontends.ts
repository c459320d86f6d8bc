import type { Clock, EventStore, IndexedEvent, Logger, SettingStore } from '#platform'
import { type Address, type Bytes32, type FrontendView, HeuristError, messageOf, type NodeId, referralRoot, ZERO_BYTES32 } from '#protocol'
import type { Indexer } from './indexer.ts'

/** `FRONTEND_UNKNOWN`: the chain has no such frontend. `FRONTEND_OTHER_LIST`: the list is not the one that its owner put on chain. */
export type FrontendErrorCode = 'FRONTEND_UNKNOWN' | 'FRONTEND_OTHER_LIST'

export type FrontendDependencies = {
  readonly events: Pick<EventStore, 'list'>
  readonly settings: SettingStore
  readonly indexer: Pick<Indexer, 'onEvents' | 'caughtUp'>
  readonly clock: Clock
  readonly logger: Logger
}
export type Frontends = {
  start(): Promise<void>
  stop(): void
  list(): readonly FrontendView[]
  /** Nodes to which the frontends that are paid to this account refer: routing priority 2 (wp §2.2.2, §3.2.5). */
  referredNodes(payout: Address): ReadonlySet<NodeId>
  /**
   * Tells which nodes stand behind a frontend's referral root: the chain has only the root.
   * @throws HeuristError FRONTEND_UNKNOWN, FRONTEND_OTHER_LIST
   */
  publishReferrals(frontendId: Bytes32, nodeIds: readonly NodeId[]): Promise<FrontendView>
}

const NAMES = ['FrontendRegistered', 'FrontendUpdated', 'FrontendOwnerChanged']
const NOBODY: ReadonlySet<NodeId> = new Set()
const RETRY_MS = 5_000
const settingOf = (frontendId: Bytes32): string => `frontend-referrals:${frontendId}`

/** The frontends of the chain in memory, for the gateway to ask at every job. */
export function createFrontends({ events, settings, indexer, clock, logger }: FrontendDependencies): Frontends {
  let known: readonly FrontendView[] = []
  let referred: ReadonlyMap<Address, ReadonlySet<NodeId>> = new Map()
  let turn: Promise<void> = Promise.resolve()
  let end = (): void => undefined
  let cancelRetry = (): void => undefined
  let isStopped = false

  async function read(): Promise<void> {
    const told = await events.list({ contract: 'FrontendRegistry', names: NAMES })
    known = await Promise.all(frontendsOf(told).map(async frontend => ({ ...frontend, referred: await listOf(frontend) })))
    referred = referredByPayout(known)
  }
  /** A list counts only while it is the one on chain: after the owner has changed it, nobody is referred until the new one is told. */
  async function listOf({ frontendId, referralRoot: root }: Omit<FrontendView, 'referred'>): Promise<readonly NodeId[] | null> {
    if (root === ZERO_BYTES32) return []
    const kept = (await settings.get(settingOf(frontendId))) as readonly NodeId[] | null // cast: written by publishReferrals
    return kept && referralRoot(kept) === root ? kept : null
  }
  const refresh = (): Promise<void> => {
    turn = turn.catch(() => undefined).then(read)
    return turn
  }
  const follow = (): void => {
    refresh().catch(error => {
      logger.warn({ reason: messageOf(error) }, 'the frontends could not be read; it is tried again')
      if (!isStopped) cancelRetry = clock.after(RETRY_MS, follow)
    })
  }
  return {
    async start() {
      end = indexer.onEvents(stored => {
        if (stored === null || stored.some(({ contract }) => contract === 'FrontendRegistry')) follow()
      })
      await refresh()
    },
    stop() {
      isStopped = true
      end()
      cancelRetry()
    },
    list: () => known,
    referredNodes: payout => referred.get(payout) ?? NOBODY,
    async publishReferrals(frontendId, nodeIds) {
      await indexer.caughtUp()
      await refresh()
      const frontend = known.find(each => each.frontendId === frontendId)
      if (!frontend) throw new HeuristError<FrontendErrorCode>('FRONTEND_UNKNOWN', `The chain has no frontend ${frontendId}.`)
      if (referralRoot(nodeIds) !== frontend.referralRoot) {
        throw new HeuristError<FrontendErrorCode>(
          'FRONTEND_OTHER_LIST',
          `These ${nodeIds.length} nodes are not the list that the owner of "${frontend.name}" put on chain. Put it there first: heurist frontend refer.`,
        )
      }
      await settings.put(settingOf(frontendId), nodeIds)
      await refresh()
      return known.find(each => each.frontendId === frontendId) ?? frontend
    },
  }
}

type Registered = Omit<FrontendView, 'referred'>

/** Events oldest first; a frontend is registered before it is anything else. */
function frontendsOf(told: readonly IndexedEvent[]): Registered[] {
  const found = new Map<string, Registered>()
  for (const { name, args } of told) {
    const frontendId = args.frontendId as Bytes32 // cast: by the ABI of these three events, like the rest
    const before = found.get(frontendId) ?? {
      frontendId,
      name: String(args.name),
      owner: args.owner as Address, // cast: FrontendRegistered
      payout: args.owner as Address, // cast: likewise
      feeBps: 0,
      referralRoot: ZERO_BYTES32,
    }
    found.set(frontendId, { ...before, ...changeOf(name, args) })
  }
  return [...found.values()]
}

function changeOf(name: string, args: IndexedEvent['args']): Partial<Registered> {
  if (name === 'FrontendOwnerChanged') return { owner: args.newOwner as Address } // cast: an address in the ABI
  if (name !== 'FrontendUpdated') return {}
  const { payout, feeBps, referralRoot: root } = args
  return { payout: payout as Address, feeBps: Number(feeBps), referralRoot: root as Bytes32 } // cast: by the ABI
}

function referredByPayout(frontends: readonly FrontendView[]): Map<Address, ReadonlySet<NodeId>> {
  const nodes = new Map<Address, Set<NodeId>>()
  for (const { payout, referred } of frontends) {
    const all = nodes.get(payout) ?? new Set()
    for (const nodeId of referred ?? []) all.add(nodeId)
    nodes.set(payout, all)
  }
  return nodes
}
