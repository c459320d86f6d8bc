import type { Counter } from 'prom-client'
import { type Clock, type Logger, type Signer, signGroup } from '#platform'
import { type JournalPiece, journalDigest, MAX_GROUP, messageOf } from '#protocol'
import type { Fleet } from './fleet.ts'

/** Where a router's journal is kept. */
export interface JournalSink {
  /** Resolves when the pieces are stored; a piece that is there already is left as it is. */
  append(pieces: readonly JournalPiece[]): Promise<void>
}

export type JournalWriter = {
  start(): void
  /** Signs and stores what the journals said so far. Never rejects: what was not stored is tried again. */
  flush(): Promise<void>
  stop(): Promise<void>
}

export type JournalWriterDependencies = {
  readonly fleet: Pick<Fleet, 'takeJournal'>
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
 * Stores the journals off the hot path: every `intervalMs` what was said is signed, all pods with one signature, and written. A router
 * that is killed loses at most that: its decisions stay signed, but those of the last interval can not be replayed, and the audit says so.
 */
export function createJournalWriter(
  { intervalMs }: { readonly intervalMs: number },
  dependencies: JournalWriterDependencies,
): JournalWriter {
  const { fleet, sink, signer, separator, clock, logger, lost } = dependencies
  let waiting: JournalPiece[] = []
  /** Flushes follow one another, so that pieces are stored once and in order. */
  let last = Promise.resolve()
  let open = 0
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
    while (waiting.reduce((sum, { text }) => sum + text.length, 0) > MAX_WAITING) {
      waiting.shift()
      lost.inc()
    }
  }

  async function store(): Promise<void> {
    const pieces = waiting
    if (pieces.length === 0) return
    try {
      await sink.append(pieces)
      // Flushes follow one another: nothing was added meanwhile.
      waiting = []
    } catch (error) {
      logger.warn({ pieces: pieces.length, reason: messageOf(error) }, 'the journal of decisions could not be stored; it is tried again')
    }
  }

  function flush(): Promise<void> {
    open += 1
    last = last.then(async () => {
      sign()
      await store()
      open -= 1
    })
    return last
  }

  function flushLater(): void {
    cancel = clock.after(intervalMs, () => {
      // A store that hangs must not pile up flushes.
      if (open === 0) void flush()
      flushLater()
    })
  }

  return {
    start: flushLater,
    flush,
    async stop() {
      cancel()
      await flush()
    },
  }
}
