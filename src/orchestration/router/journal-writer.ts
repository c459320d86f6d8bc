import type { Counter } from 'prom-client'
import { type Clock, type Logger, type Signer, signGroup } from '#platform'
import { type JobId, type JournalPiece, journalDigest, MAX_GROUP, messageOf } from '#protocol'
import type { Fleet } from './fleet.ts'
import type { JournalSink } from './options.ts'

export type JournalWriter = {
  start(): void
  /** A decision about the job was said and is not stored yet. */
  decided(jobId: JobId): void
  /**
   * Resolves when every decision about the job is on disk. Jobs that ask while one store is under way share the next.
   * @throws what the sink said, when it could not store them
   */
  stored(jobId: JobId): Promise<void>
  /** Signs and stores what the journals said so far. Never rejects: what was not stored is tried again. */
  flush(): Promise<void>
  stop(): Promise<void>
}

export type JournalWriterDependencies = {
  readonly fleet: Pick<Fleet, 'takeJournal' | 'restartJournals'>
  readonly sink: JournalSink
  readonly signer: Signer
  readonly separator: Uint8Array
  readonly clock: Clock
  readonly logger: Logger
  readonly lost: Counter
}

/** Characters that may wait for a store that is away: about a minute at 10,000 decisions a second. */
const MAX_WAITING = 64 * 1024 * 1024

/**
 * Signs and stores what the journals say, all pods with one signature: when the end of a job asks for its decisions, and every
 * `intervalMs`. A job that lasts longer than that finds its decisions stored and waits for nothing (ADR 0017).
 */
export function createJournalWriter(
  { intervalMs }: { readonly intervalMs: number },
  dependencies: JournalWriterDependencies,
): JournalWriter {
  const { fleet, sink, signer, separator, clock, logger, lost } = dependencies
  let waiting: JournalPiece[] = []
  /** Jobs decided about since the pieces were taken, and jobs whose decisions are in the pieces that wait. */
  let decided = new Set<JobId>()
  let unstored = new Set<JobId>()
  /** Flushes follow one another, so that pieces are stored once and in order. */
  let underWay: Promise<void> | null = null
  let next: Promise<void> | null = null
  let failure: unknown = null
  let cancel = (): void => {}

  function sign(): void {
    const pieces = fleet.takeJournal()
    for (let from = 0; from < pieces.length; from += MAX_GROUP) {
      const group = pieces.slice(from, from + MAX_GROUP)
      const signatures = signGroup(
        signer,
        separator,
        group.map(piece => journalDigest(separator, piece)),
      )
      waiting.push(...group.map((piece, i) => ({ ...piece, router: signer.address, routerSignature: signatures[i]! })))
    }
    if (unstored.size === 0) [decided, unstored] = [unstored, decided]
    for (const jobId of decided) unstored.add(jobId)
    decided.clear()
    boundWaiting()
  }

  /** What follows a gap in a segment can not be replayed: after a loss every pod begins a new one. */
  function boundWaiting(): void {
    const before = waiting.length
    while (waiting.reduce((sum, { text }) => sum + text.length, 0) > MAX_WAITING) {
      waiting.shift()
      lost.inc()
    }
    if (waiting.length < before) fleet.restartJournals()
  }

  async function store(): Promise<void> {
    const pieces = waiting
    try {
      if (pieces.length > 0) await sink.append(pieces)
      // Flushes follow one another: nothing was added meanwhile.
      waiting = []
      unstored.clear()
    } catch (error) {
      failure = error
      logger.warn({ pieces: pieces.length, reason: messageOf(error) }, 'the journal of decisions could not be stored; it is tried again')
    }
  }

  async function runNext(): Promise<void> {
    underWay = next
    next = null
    sign()
    await store()
    underWay = null
  }

  /** Whoever asks while one is under way shares the next, which takes all that was said until it begins. */
  function flush(): Promise<void> {
    next ??= (underWay ?? Promise.resolve()).then(runNext)
    return next
  }

  const isStored = (jobId: JobId): boolean => !decided.has(jobId) && !unstored.has(jobId)

  function flushLater(): void {
    cancel = clock.after(intervalMs, () => {
      // A store that hangs must not pile up flushes.
      if (!underWay) void flush()
      flushLater()
    })
  }

  return {
    start: flushLater,
    decided: jobId => void decided.add(jobId),
    async stored(jobId) {
      if (isStored(jobId)) return
      if (underWay && !decided.has(jobId)) await underWay
      if (!isStored(jobId)) await flush()
      if (!isStored(jobId)) throw failure
    },
    flush,
    async stop() {
      cancel()
      await flush()
    },
  }
}
