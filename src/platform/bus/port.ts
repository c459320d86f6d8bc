/**
 * Messages between the processes of one network: wake-ups and summaries. A message may be lost (a process was away, a link broke)
 * and nobody learns of it, so nothing that matters rests on one: truth is in the database, and whoever waits for a message also looks
 * there from time to time.
 */
export interface Bus {
  /**
   * Sends `payload` to every subscriber of `topic` in every process, this one included. Returns at once; messages of one process keep
   * their order. Nothing is sent after `stop`.
   * @param topic words of letters, digits, `_`, `-`, `:` or `/`, joined by dots, at most 200 characters
   * @param payload text without the character U+0000, at most MAX_BUS_PAYLOAD bytes of UTF-8
   * @throws HeuristError BUS_BAD_TOPIC, BUS_BAD_PAYLOAD
   */
  publish(topic: string, payload: string): void
  /**
   * Calls `handler` at most once per message, never inside `publish`. What a handler throws is logged and harms nobody else.
   * @returns what ends the subscription
   * @throws HeuristError BUS_BAD_TOPIC
   */
  subscribe(topic: string, handler: (payload: string) => void): () => void
  /** Sends what was published, unless the link is broken, and closes it. */
  stop(): Promise<void>
}

/** Bytes of UTF-8. PostgreSQL carries less than 8,000 in one notification, the topic and our own words included. */
export const MAX_BUS_PAYLOAD = 7_500

export type BusErrorCode =
  | 'BUS_BAD_TOPIC'
  /** Too long, or a character that not every driver can carry. */
  | 'BUS_BAD_PAYLOAD'
  /** The server could not be reached when the bus was opened. Retryable. */
  | 'BUS_UNAVAILABLE'
