import { z } from 'zod'
import { recoverMember } from '#platform'
import {
  type Address,
  addressSchema,
  type Bytes32,
  bytes32Schema,
  type JournalPiece,
  journalDigest,
  keccak256,
  type NodeId,
  type PodId,
} from '#protocol'
import { type HostFacts, nextHead } from './journal.ts'

export type KnownHost = HostFacts & { readonly nodeId: NodeId; readonly busy: number }

/** The fleet at one decision. */
export type Moment = {
  readonly head: Bytes32
  readonly hosts: readonly KnownHost[]
  /** A valid signature of the segment's router covers everything up to here. */
  readonly isSigned: boolean
}

export type JournalReading = {
  readonly router: Address
  readonly podId: PodId
  /** By "job attempt", of the decisions that were asked for. */
  readonly moments: ReadonlyMap<string, Moment>
  /** What is wrong with the segment, in words. */
  readonly differences: readonly string[]
}

const headerSchema = z.object({ version: z.literal(1), router: addressSchema, podId: bytes32Schema })
const factsSchema = z.object({
  owner: addressSchema.nullable(),
  refusals: z.array(z.string()),
  region: z.string(),
  slots: z.number().int(),
  unitsPerSecond: z.number(),
  uptimeBps: z.number(),
  votes: z.number(),
  warm: z.boolean(),
})
type Line =
  | readonly ['segment', z.output<typeof headerSchema>]
  | readonly ['host', number, NodeId, number, HostFacts]
  | readonly ['gone', number]
  | readonly ['busy', number, number]
  | readonly ['decided', string, number]

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value)
}

/** A segment has thousands of short lines and few long ones: only these are worth a schema. @throws Error on a line that is none */
function parseLine(text: string): Line {
  const [kind, a, b, c, d] = JSON.parse(text) as unknown[] // cast: each member is checked below
  if (kind === 'busy' && isCount(a) && isCount(b)) return ['busy', a, b]
  if (kind === 'decided' && typeof a === 'string' && isCount(b)) return ['decided', a, b]
  if (kind === 'gone' && isCount(a)) return ['gone', a]
  if (kind === 'host' && isCount(a) && isCount(c)) return ['host', a, addressSchema.parse(b), c, factsSchema.parse(d)]
  if (kind === 'segment') return ['segment', headerSchema.parse(a)]
  throw new Error(`"${text.slice(0, 80)}" is no line of a journal`)
}

/** Applies a line to what is known of the hosts. */
function apply(hosts: Map<number, KnownHost>, line: Line): void {
  if (line[0] === 'host') hosts.set(line[1], { nodeId: line[2], busy: line[3], ...line[4] })
  else if (line[0] === 'gone') hosts.delete(line[1])
  else if (line[0] === 'busy') {
    const known = hosts.get(line[1])
    if (!known) throw new Error(`host ${line[1]} has busy slots before it is known`)
    hosts.set(line[1], { ...known, busy: line[2] })
  }
}

type Progress = { head: Bytes32; readonly hosts: Map<number, KnownHost>; readonly unsigned: Map<string, Omit<Moment, 'isSigned'>> }

/** Reads a piece's lines; the chain's steps are before each decision and at the end. */
function readPiece(progress: Progress, text: string, wanted: ReadonlySet<string>): void {
  let block = ''
  for (const lineText of text.split('\n').slice(0, -1)) {
    const line = parseLine(lineText)
    if (line[0] === 'decided') {
      progress.head = nextHead(progress.head, block)
      block = ''
      const key = `${line[1]} ${line[2]}`
      if (wanted.has(key)) progress.unsigned.set(key, { head: progress.head, hosts: [...progress.hosts.values()] })
    }
    block += `${lineText}\n`
    apply(progress.hosts, line)
  }
  progress.head = nextHead(progress.head, block)
}

/** The header's line names the segment: its hash is the segment's id. */
function readHeader(piece: JournalPiece | undefined): z.output<typeof headerSchema> {
  const text = piece?.text.split('\n', 1)[0] ?? ''
  if (piece?.number !== 0 || keccak256(`${text}\n`) !== piece.segment) throw new Error('its first part is missing or was changed')
  const line = parseLine(text)
  if (line[0] !== 'segment') throw new Error('it does not begin with its header')
  return line[1]
}

function checkPiece(piece: JournalPiece, number: number, head: Bytes32, separator: Uint8Array): void {
  if (piece.number !== number) throw new Error(`part ${number} is missing`)
  if (head !== piece.head) throw new Error(`part ${number} hashes to ${head}, it says ${piece.head}`)
  if (recoverMember(separator, journalDigest(separator, piece), piece.routerSignature) !== piece.router)
    throw new Error(`part ${number} is not signed by its router`)
}

/**
 * Follows one segment from its first line and keeps the fleet as it was at the decisions that are asked for. Reading stops at the first
 * part that is missing, changed or not signed by the router of the header: what lies before still stands.
 */
export function readJournal(pieces: readonly JournalPiece[], wanted: ReadonlySet<string>, separator: Uint8Array): JournalReading {
  const sorted = pieces.toSorted((a, b) => a.number - b.number)
  const moments = new Map<string, Moment>()
  const differences: string[] = []
  let header: z.output<typeof headerSchema> | null = null
  const progress: Progress = { head: sorted[0]?.segment ?? '0x', hosts: new Map(), unsigned: new Map() }
  try {
    header = readHeader(sorted[0])
    for (const [number, piece] of sorted.entries()) {
      if (moments.size === wanted.size) break
      readPiece(progress, piece.text, wanted)
      checkPiece(piece, number, progress.head, separator)
      if (piece.router !== header.router || piece.podId !== header.podId) throw new Error(`part ${number} is of another router or pod`)
      for (const [key, moment] of progress.unsigned) moments.set(key, { ...moment, isSigned: true })
      progress.unsigned.clear()
    }
  } catch (error) {
    differences.push(`the journal ${sorted[0]?.segment}: ${error instanceof Error ? error.message : String(error)}`)
  }
  for (const [key, moment] of progress.unsigned) moments.set(key, { ...moment, isSigned: false })
  return { router: header?.router ?? '0x', podId: header?.podId ?? '0x', moments, differences }
}
