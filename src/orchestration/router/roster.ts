import type { PodRecord } from '#protocol'
import { fixedFit } from './filter.ts'
import type { Hosting } from './hosting.ts'
import type { PodJournal } from './journal.ts'
import { rankCode, rankKeys } from './rank.ts'
import { createRankList, type RankList } from './rank-list.ts'

/**
 * All nodes that host one pod. Those that may get a job now stand in lists by rank, one for the whole world and one for each region that
 * a job has asked for, so that a decision does not look at every node (ADR 0008). Whatever changes a hosting calls `update`; the journal
 * hears of it there.
 */
export type Roster = {
  readonly hostings: readonly Hosting[]
  readonly journal: PodJournal
  /** Hostings that lack at most a free slot. */
  readonly usable: number
  /** Hostings that may get a job now, of one region or all; null when nobody hosts the pod in that region. */
  listed(region?: string): RankList<Hosting> | null
  /** Hostings are judged against this version of the pod. */
  judgeFor(pod: PodRecord): void
  add(hosting: Hosting): void
  remove(hosting: Hosting): void
  /** Facts of the hosting or its node changed. */
  update(hosting: Hosting): void
  /** Only the number of its busy slots did. */
  updateBusy(hosting: Hosting): void
}

const MAX_REGION_LISTS = 64

type Lists = { readonly all: RankList<Hosting>; readonly regions: Map<string, RankList<Hosting>> }

function setListed({ all, regions }: Lists, hosting: Hosting, isListed: boolean): void {
  if (hosting.isListed === isListed) return
  hosting.isListed = isListed
  const region = regions.get(hosting.region)
  for (const list of region ? [all, region] : [all]) {
    if (isListed) list.add(hosting)
    else list.remove(hosting)
  }
}

/** The list of a region, made when it is first asked for: most never are. */
function regionList({ regions }: Lists, hostings: readonly Hosting[], region: string): RankList<Hosting> | null {
  const known = regions.get(region)
  if (known) return known
  const own = hostings.filter(hosting => hosting.region === region)
  if (own.length === 0) return null
  // Nodes name their regions: whoever makes up many must not make up as many lists.
  if (regions.size >= MAX_REGION_LISTS) regions.clear()
  const list = createRankList<Hosting>()
  for (const hosting of own) if (hosting.isListed) list.add(hosting)
  regions.set(region, list)
  return list
}

function isUsable({ refusals, row }: Hosting): boolean {
  return row >= 0 && refusals.length === 0
}

export function createRoster(journal: PodJournal): Roster {
  const hostings: Hosting[] = []
  const lists: Lists = { all: createRankList(), regions: new Map() }
  let usable = 0
  let judgedFor: PodRecord | null = null

  /** Takes the hosting out of its lists, lets `change` act on it and puts it back where it belongs now. */
  function replace(hosting: Hosting, change: () => void): void {
    setListed(lists, hosting, false)
    if (isUsable(hosting)) usable -= 1
    change()
    if (isUsable(hosting)) usable += 1
    setListed(lists, hosting, isUsable(hosting) && hosting.busy < hosting.slots)
  }

  function judge(hosting: Hosting): void {
    hosting.refusals = judgedFor ? [...hosting.fixedRefusals, ...fixedFit(hosting, judgedFor)] : hosting.fixedRefusals
    hosting.rank = rankCode(rankKeys(hosting, false))
    hosting.region = hosting.node.facts.region
    hosting.owner = hosting.node.standing?.owner ?? null
    journal.changed(hosting)
  }

  return {
    hostings,
    journal,
    get usable() {
      return usable
    },
    listed: region => (region === undefined ? lists.all : regionList(lists, hostings, region)),
    judgeFor(pod) {
      const isSame = judgedFor === pod || judgedFor?.manifestHash === pod.manifestHash
      judgedFor = pod
      if (!isSame) for (const hosting of hostings) replace(hosting, () => judge(hosting))
    },
    add(hosting) {
      replace(hosting, () => {
        hosting.row = hostings.push(hosting) - 1
        judge(hosting)
      })
    },
    remove(hosting) {
      replace(hosting, () => {
        const last = hostings.pop()
        // The order of rows does not matter, so the last takes the gap.
        if (last && last !== hosting) {
          hostings[hosting.row] = last
          last.row = hosting.row
        }
        hosting.row = -1
        journal.gone(hosting)
      })
    },
    update: hosting => replace(hosting, () => judge(hosting)),
    updateBusy(hosting) {
      journal.busyChanged(hosting)
      setListed(lists, hosting, isUsable(hosting) && hosting.busy < hosting.slots)
    },
  }
}
