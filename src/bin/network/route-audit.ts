import { type Router, replayDecisions } from '#orchestration'
import type { JournalStore } from '#platform'
import type { Bytes32, Candidate, JournalPiece, SignedDecision } from '#protocol'

/** Hosts shown of one decision: a pod may have thousands, and the page is for people. */
const SHOWN = 50

export type RouteAudit = {
  candidatesOf(decisions: readonly SignedDecision[]): Promise<readonly (readonly Candidate[])[]>
  journalOf(segment: Bytes32): Promise<readonly JournalPiece[]>
}

function leading(candidates: readonly Candidate[], chosen: string | null): Candidate[] {
  const weight = ({ nodeId, refused }: Candidate): number => (nodeId === chosen ? 2 : 0) + (refused.length === 0 ? 1 : 0)
  return candidates.toSorted((a, b) => weight(b) - weight(a)).slice(0, SHOWN)
}

/** Decisions whose candidates are kept: a page asks for the same job every second. */
const KEPT = 200

/** What API and console show of routing decisions, read from the journal of this process's router. */
export function createRouteAudit(
  separator: Uint8Array,
  { router, journal }: { readonly router: Pick<Router, 'flushJournal'>; readonly journal: JournalStore },
): RouteAudit {
  async function read(segments: readonly Bytes32[]): Promise<JournalPiece[]> {
    // The last tenth of a second may not be stored yet.
    await router.flushJournal()
    return journal.segments(segments)
  }
  const kept = new Map<Bytes32, readonly Candidate[]>()
  async function replay(decisions: readonly SignedDecision[]): Promise<void> {
    const pieces = await read(decisions.flatMap(({ record }) => (record.journal ? [record.journal.segment] : [])))
    const replays = replayDecisions(decisions, pieces, separator)
    for (const [i, { record, recordHash }] of decisions.entries()) {
      const candidates = replays[i]?.candidates ?? []
      if (candidates.length > 0) kept.set(recordHash, leading(candidates, record.chosen))
    }
  }
  return {
    async candidatesOf(decisions) {
      const unknown = decisions.filter(({ recordHash }) => !kept.has(recordHash))
      if (unknown.length > 0) await replay(unknown)
      const found = decisions.map(({ recordHash }) => kept.get(recordHash) ?? [])
      // A map keeps the order in which its keys came: the oldest go.
      for (const oldest of kept.keys()) if (kept.size > KEPT) kept.delete(oldest)
      return found
    },
    journalOf: segment => read([segment]),
  }
}
