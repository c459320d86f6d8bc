import { type Delta, encodeFrame } from '#protocol'

/** Frames of one tick go out as one message, but never as one that a peer would refuse. */
const MAX_BATCH_BYTES = 1024 * 1024

/**
 * Collects output frames until the tick ends. Many leases produce tokens in the same turn of the event loop;
 * one message for all of them costs one system call and one wake-up of the router instead of one each.
 */
export class FrameBatch {
  readonly #send: (message: Buffer) => void
  #frames: Buffer[] = []
  #bytes = 0
  #scheduled = false

  constructor(send: (message: Buffer) => void) {
    this.#send = send
  }

  add(channel: number, sequence: number, delta: Delta): void {
    const frame = encodeFrame(channel, sequence, delta)
    if (this.#bytes + frame.length > MAX_BATCH_BYTES) this.flush()
    this.#frames.push(frame)
    this.#bytes += frame.length
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.flush())
  }

  /** Sends what is waiting now; call it before a text message that must come after the frames. */
  flush(): void {
    this.#scheduled = false
    if (this.#frames.length === 0) return
    const frames = this.#frames
    this.#frames = []
    this.#bytes = 0
    this.#send(frames.length === 1 ? frames[0]! : Buffer.concat(frames))
  }

  drop(): void {
    this.#frames = []
    this.#bytes = 0
  }
}
