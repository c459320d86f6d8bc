import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import { bytes32Schema, HeuristError, jobIdSchema, messageOf } from '#protocol'

/** `NODE_JOURNAL_CORRUPT`: a line in the middle of the journal can not be read. `NODE_JOURNAL_WRITE`: the disk refused a line. */
export type JournalErrorCode = 'NODE_JOURNAL_CORRUPT' | 'NODE_JOURNAL_WRITE'

const benchmarkSchema = z.object({
  type: z.literal('benchmark'),
  deviceId: z.string(),
  /** What the figure was measured on; another name, size or share of the device makes it void. */
  fingerprint: z.string(),
  kernel: z.string(),
  score: z.number().positive(),
  measuredAtMs: z.number().int(),
})
const leaseSchema = z.object({
  type: z.literal('lease'),
  leaseId: bytes32Schema,
  jobId: jobIdSchema,
  fencingToken: z.number().int().positive(),
})
const speedSchema = z.object({
  type: z.literal('speed'),
  key: z.string(),
  unitsPerSecond: z.number().positive(),
  measuredAtMs: z.number().int(),
})
const entrySchema = z.discriminatedUnion('type', [benchmarkSchema, leaseSchema, speedSchema])
type JournalEntry = z.output<typeof entrySchema>
export type BenchmarkEntry = z.output<typeof benchmarkSchema>
export type LeaseEntry = z.output<typeof leaseSchema>

/** Leases that are remembered; a router's fencing tokens grow, so an older one than these is refused by its token. */
const REMEMBERED_LEASES = 2000
/** The file is rewritten when it has this many lines that say nothing any more. */
const COMPACT_AFTER_LINES = 8000

/** What a node must still know after a restart: measured speeds, and which leases it has already run (law L8). */
export type Journal = {
  benchmark(deviceId: string): BenchmarkEntry | undefined
  saveBenchmark(entry: Omit<BenchmarkEntry, 'type'>): void
  /** Speed of a pod's engine on a device, measured in an earlier run. */
  speed(key: string): number | undefined
  saveSpeed(key: string, unitsPerSecond: number, measuredAtMs: number): void
  /** Records the lease and returns true; false when it, or a newer one for the same job, was seen before. */
  admit(lease: Omit<LeaseEntry, 'type'>): boolean
  close(): void
}

type State = {
  benchmarks: Map<string, BenchmarkEntry>
  speeds: Map<string, Extract<JournalEntry, { type: 'speed' }>>
  leases: Map<string, LeaseEntry>
  tokens: Map<string, number>
}

function apply(state: State, entry: JournalEntry): void {
  if (entry.type === 'benchmark') state.benchmarks.set(entry.deviceId, entry)
  else if (entry.type === 'speed') state.speeds.set(entry.key, entry)
  else {
    state.leases.set(entry.leaseId, entry)
    state.tokens.set(entry.jobId, Math.max(entry.fencingToken, state.tokens.get(entry.jobId) ?? 0))
    if (state.leases.size > REMEMBERED_LEASES) forgetOldest(state)
  }
}

function forgetOldest(state: State): void {
  const oldest = state.leases.values().next().value
  if (!oldest) return
  state.leases.delete(oldest.leaseId)
  if (state.tokens.get(oldest.jobId) === oldest.fencingToken) state.tokens.delete(oldest.jobId)
}

function readEntries(path: string): JournalEntry[] {
  const lines = readFileSync(path, 'utf8').split('\n')
  const entries: JournalEntry[] = []
  for (const [index, line] of lines.entries()) {
    if (line === '') continue
    try {
      entries.push(entrySchema.parse(JSON.parse(line)))
    } catch (cause) {
      // The last line may be half written when the process was killed; nothing was promised on it yet.
      if (index === lines.length - 1) break
      throw new HeuristError<JournalErrorCode>(
        'NODE_JOURNAL_CORRUPT',
        `Line ${index + 1} of the node's journal ${path} can not be read. ` +
          'Stop the node, move the file away and start again: the node measures its devices anew; keys and collateral are not in this file.',
        { cause, payload: { path, line: index + 1 } },
      )
    }
  }
  return entries
}

/** Rewrites the file with what still matters: written beside it, synced, renamed. */
function compact(path: string, state: State): number {
  const entries = [...state.benchmarks.values(), ...state.speeds.values(), ...state.leases.values()]
  const temporary = `${path}.new`
  writeFileSync(temporary, entries.map(entry => `${JSON.stringify(entry)}\n`).join(''), { mode: 0o600, flush: true })
  renameSync(temporary, path)
  return entries.length
}

/** Opens (or creates, mode 600) the node's journal. @throws HeuristError NODE_JOURNAL_CORRUPT, NODE_JOURNAL_WRITE */
export function openJournal(path: string): Journal {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const state: State = { benchmarks: new Map(), speeds: new Map(), leases: new Map(), tokens: new Map() }
  if (existsSync(path)) for (const entry of readEntries(path)) apply(state, entry)
  let lines = compact(path, state)
  let file = openSync(path, 'a', 0o600)
  function append(entry: JournalEntry): void {
    apply(state, entry)
    try {
      writeSync(file, `${JSON.stringify(entry)}\n`)
    } catch (cause) {
      throw new HeuristError<JournalErrorCode>(
        'NODE_JOURNAL_WRITE',
        `The node's journal ${path} can not be written: ${messageOf(cause)}. Free some disk space.`,
        { cause },
      )
    }
    lines += 1
    if (lines < COMPACT_AFTER_LINES) return
    closeSync(file)
    lines = compact(path, state)
    file = openSync(path, 'a', 0o600)
  }
  return {
    benchmark: deviceId => state.benchmarks.get(deviceId),
    saveBenchmark: entry => append({ type: 'benchmark', ...entry }),
    speed: key => state.speeds.get(key)?.unitsPerSecond,
    saveSpeed: (key, unitsPerSecond, measuredAtMs) => append({ type: 'speed', key, unitsPerSecond, measuredAtMs }),
    admit(lease) {
      if (state.leases.has(lease.leaseId) || (state.tokens.get(lease.jobId) ?? 0) >= lease.fencingToken) return false
      append({ type: 'lease', ...lease })
      return true
    },
    close() {
      fsyncSync(file)
      closeSync(file)
    },
  }
}
