/**
 * What one end of a link has to say, collected until the turn of the event loop ends: many jobs move in one turn, and one message
 * for all of them costs one system call and one wake-up of the other end instead of one each. Binary frames leave before
 * texts, because a lease's `done` must not overtake its output.
 */
export type Outbox = {
  /** A message as JSON text. Texts of one turn travel as one JSON array. */
  text(json: string): void
  frame(bytes: Uint8Array): void
  /** Sends what waits now. */
  flush(): void
  /** Forgets what waits: the link is gone. */
  drop(): void
}

/** A batch is closed before it is longer than that; only its last piece may end behind. The other end takes no more at once (frames.ts). */
export const MAX_BATCH_BYTES = 1024 * 1024

/** @param later runs a callback when the turn ends (`setImmediate`) */
export function createOutbox(write: (message: Uint8Array | string) => void, later: (callback: () => void) => void): Outbox {
  let frames: Uint8Array[] = []
  let texts: string[] = []
  let size = 0
  let isScheduled = false

  const flush = (): void => {
    const [oldFrames, oldTexts] = [frames, texts]
    frames = []
    texts = []
    size = 0
    if (oldFrames.length > 0) write(oldFrames.length === 1 ? oldFrames[0]! : Buffer.concat(oldFrames))
    if (oldTexts.length > 0) write(oldTexts.length === 1 ? oldTexts[0]! : `[${oldTexts.join(',')}]`)
  }
  const endTurn = (): void => {
    isScheduled = false
    flush()
  }
  const makeRoom = (bytes: number): void => {
    if (size + bytes > MAX_BATCH_BYTES) flush()
    size += bytes
    if (isScheduled) return
    isScheduled = true
    later(endTurn)
  }

  return {
    text(json) {
      makeRoom(json.length)
      texts.push(json)
    },
    frame(bytes) {
      makeRoom(bytes.length)
      frames.push(bytes)
    },
    flush,
    drop() {
      frames = []
      texts = []
      size = 0
    },
  }
}
