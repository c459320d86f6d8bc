import { type BatchHead, encodeAck, encodeBatch } from './batches.ts'
import { createOutbox } from './outbox.ts'

/**
 * One end of a session between node and router, whatever connection carries it: what this end says is numbered and kept until the other
 * has it, and what the other says is taken once and in order. So a cut loses nothing and repeats nothing.
 */
export type LinkStream = {
  /** A message as JSON text. All that one turn says travels together. */
  text(json: string): void
  frame(bytes: Uint8Array): void
  /** Sends what waits now. */
  flush(): void
  /** Last batch of the other end that was taken. */
  readonly received: number
  /** Bytes kept for the other end, which has not acknowledged them. */
  readonly keptBytes: number
  /** Resolves when no more than half of the bound is kept; null when that is so now. */
  writable(): Promise<void> | null
  /**
   * What a batch of the other end is. `gap`: one before it is missing, so the connection is worth nothing any more.
   * `false ack`: it acknowledges what was never sent.
   */
  take(head: BatchHead, bytes: number): 'new' | 'known' | 'gap' | 'false ack'
  /** True when the stream can go on after batch `received` of this end. */
  canResume(received: number): boolean
  /** A connection carries the stream from now on: what the other end lacks after batch `received` is sent again. */
  attach(write: (message: Uint8Array | string) => void, received: number): void
  /** The connection is gone. What is said from now on is kept. */
  detach(): void
  /** The session is over: nothing is kept, nobody waits. */
  end(): void
}

export type LinkStreamOptions = {
  /** Bytes that may be kept. Beyond them `full` is called: the session can not be saved any more. */
  readonly maxBytes: number
  readonly full: () => void
  /** Runs a callback when the turn of the event loop ends. */
  readonly later: (callback: () => void) => void
}

/** Bytes taken after which the other end is told so, if nothing else was sent meanwhile. */
const ACK_BYTES = 64 * 1024
/** What a kept batch costs beside its bytes: heartbeats alone must fill the bound too. */
const BATCH_COST_BYTES = 64

type Kept = { readonly number: number; readonly message: Uint8Array | string }

const costOf = ({ message }: Kept): number => message.length + BATCH_COST_BYTES

/** The batches that the other end has not acknowledged, oldest first. */
function createKeep() {
  let kept: Kept[] = []
  let bytes = 0
  let acknowledged = 0
  return {
    bytes: () => bytes,
    acknowledged: () => acknowledged,
    add(batch: Kept): void {
      kept.push(batch)
      bytes += costOf(batch)
    },
    forgetUpTo(number: number): void {
      if (number <= acknowledged) return
      acknowledged = number
      let count = 0
      for (let batch = kept[0]; batch && batch.number <= number; batch = kept[count]) {
        bytes -= costOf(batch)
        count += 1
      }
      kept.splice(0, count)
    },
    all: (): readonly Kept[] => kept,
    clear(): void {
      kept = []
      bytes = 0
    },
  }
}

export function createLinkStream({ maxBytes, full, later }: LinkStreamOptions): LinkStream {
  const keep = createKeep()
  const outbox = createOutbox(post, later)
  let write: ((message: Uint8Array | string) => void) | null = null
  let waiting: (() => void)[] = []
  let sent = 0
  let received = 0
  let untoldBytes = 0
  let isOver = false

  function post(message: Uint8Array | string): void {
    const batch = { number: ++sent, message }
    keep.add(batch)
    send(batch)
    if (keep.bytes() > maxBytes) full()
  }

  function send({ number, message }: Kept): void {
    if (!write) return
    untoldBytes = 0
    write(encodeBatch(message, { number, ack: received }))
  }

  function acknowledge(ack: number): void {
    keep.forgetUpTo(ack)
    if (waiting.length > 0 && 2 * keep.bytes() <= maxBytes) release()
  }

  function release(): void {
    const ready = waiting
    waiting = []
    for (const resolve of ready) resolve()
  }

  return {
    text: json => void (isOver || outbox.text(json)),
    frame: bytes => void (isOver || outbox.frame(bytes)),
    flush: outbox.flush,
    get received() {
      return received
    },
    get keptBytes() {
      return keep.bytes()
    },
    writable: () => (isOver || 2 * keep.bytes() <= maxBytes ? null : new Promise(resolve => waiting.push(resolve))),
    take({ number, ack }, bytes) {
      if (ack > sent) return 'false ack'
      acknowledge(ack)
      if (number <= received) return 'known'
      if (number > received + 1) return 'gap'
      received = number
      untoldBytes += bytes
      if (untoldBytes >= ACK_BYTES && write) {
        untoldBytes = 0
        write(encodeAck(received))
      }
      return 'new'
    },
    canResume: after => after >= keep.acknowledged() && after <= sent,
    attach(connection, after) {
      write = connection
      acknowledge(after)
      for (const batch of [...keep.all()]) send(batch)
    },
    detach() {
      write = null
    },
    end() {
      isOver = true
      write = null
      outbox.drop()
      keep.clear()
      release()
    },
  }
}
