import { type Bytes32, type JournalPiece, keccak256, type NodeId, type PodId, ZERO_BYTES32 } from '#protocol'
import type { Hosting } from './hosting.ts'

/**
 * What the router knew of a pod's hosts when it decided, said once per change and not once per decision (ADR 0008). A journal runs in
 * segments; each begins with all hosts and goes on with what changed. Its lines are chained by hash, and a decision's record names the
 * hash of all that was said before it, so whoever has the segment sees the fleet exactly as the decision saw it.
 *
 * Lines are JSON arrays: `["segment",{…}]` · `["host",number,node,busy,{facts}]` · `["gone",number]` · `["busy",number,slots]` ·
 * `["decided",job,attempt]`.
 */
export type PodJournal = {
  /** Says what is new about a host, if anything is. */
  changed(hosting: Hosting): void
  gone(hosting: Hosting): void
  busyChanged(hosting: Hosting): void
  /** A decision about a job looks at the fleet now. */
  decided(jobId: string, attempt: number, hostings: readonly Hosting[]): JournalPlace
  /** Takes what was said since the last time, to be signed and stored. */
  take(): UnsignedPiece[]
  /** Gives the segment up; the next decision begins another. */
  restart(): void
}

export type JournalPlace = { readonly segment: Bytes32; readonly head: Bytes32 }

export type UnsignedPiece = Omit<JournalPiece, 'routerSignature' | 'router'>

/** A host as the journal says it; enough to filter and rank it again. */
export type HostFacts = {
  readonly owner: NodeId | null
  readonly refusals: readonly string[]
  readonly region: string
  readonly slots: number
  readonly unitsPerSecond: number
  readonly uptimeBps: number
  readonly votes: number
  readonly warm: boolean
}

/** A new segment begins when so many lines, or so many for each host, were said: its first part then costs little for each. */
const SEGMENT_LINES = 4096
const SEGMENT_LINES_PER_HOST = 4

function factsText({ owner, refusals, region, slots, unitsPerSecond, uptimeBps, votes, warm }: Hosting): string {
  return JSON.stringify({ owner, refusals, region, slots, unitsPerSecond, uptimeBps, votes, warm } satisfies HostFacts)
}

/** The chain's step. `text` may be empty. */
export function nextHead(head: Bytes32, text: string): Bytes32 {
  return keccak256(head + text)
}

export function createPodJournal(podId: PodId, { router, now }: { readonly router: NodeId; readonly now: () => number }): PodJournal {
  let segment: Bytes32 | null = null
  let segments = 0
  let head: Bytes32 = ZERO_BYTES32
  let lines = 0
  let hosts = 0
  /** Said and not yet hashed; said and not yet taken. */
  let unhashed = ''
  let untaken = ''
  let pieces = 0
  const ended: UnsignedPiece[] = []

  function say(line: string): void {
    unhashed += line
    lines += 1
  }

  function hash(): void {
    head = nextHead(head, unhashed)
    untaken += unhashed
    unhashed = ''
  }

  function closePiece(): UnsignedPiece[] {
    if (segment === null || untaken + unhashed === '') return []
    hash()
    const piece = { podId, segment, number: pieces, text: untaken, head }
    untaken = ''
    pieces += 1
    return [piece]
  }

  function sayHost(hosting: Hosting): void {
    say(`["host",${hosting.number},"${hosting.nodeId}",${hosting.busy},${hosting.logged}]\n`)
  }

  function begin(hostings: readonly Hosting[]): void {
    ended.push(...closePiece())
    const first = `["segment",${JSON.stringify({ version: 1, router, podId, number: segments, previous: head, startedAtMs: now() })}]\n`
    segment = keccak256(first)
    segments += 1
    pieces = 0
    lines = 0
    hosts = 0
    head = segment
    say(first)
    for (const hosting of hostings) {
      hosting.number = hosts++
      hosting.logged = factsText(hosting)
      sayHost(hosting)
    }
    lines = 0
  }

  return {
    changed(hosting) {
      if (segment === null) return
      const text = factsText(hosting)
      if (hosting.number >= 0 && text === hosting.logged) return
      if (hosting.number < 0) hosting.number = hosts++
      hosting.logged = text
      sayHost(hosting)
    },
    gone(hosting) {
      if (segment !== null && hosting.number >= 0) say(`["gone",${hosting.number}]\n`)
      hosting.number = -1
    },
    busyChanged({ number, busy }) {
      if (segment !== null && number >= 0) say(`["busy",${number},${busy}]\n`)
    },
    decided(jobId, attempt, hostings) {
      if (segment === null || lines > Math.max(SEGMENT_LINES, SEGMENT_LINES_PER_HOST * hostings.length)) begin(hostings)
      hash()
      const place = { segment: segment!, head }
      say(`["decided","${jobId}",${attempt}]\n`)
      return place
    },
    restart() {
      segment = null
      unhashed = ''
      untaken = ''
    },
    take() {
      return [...ended.splice(0), ...closePiece()]
    },
  }
}
