import { HeuristError, messageOf } from '#protocol'
import { type BusErrorCode, MAX_BUS_PAYLOAD } from './port.ts'

const TOPIC = /^[\w:/-]+(\.[\w:/-]+)*$/
const MAX_TOPIC = 200

/** The same limits in every driver, so that no caller works on one machine and fails on many. @throws HeuristError BUS_BAD_TOPIC */
export function checkTopic(topic: string): void {
  if (topic.length <= MAX_TOPIC && TOPIC.test(topic)) return
  throw new HeuristError<BusErrorCode>(
    'BUS_BAD_TOPIC',
    `${JSON.stringify(topic.slice(0, MAX_TOPIC))} is no topic: at most ${MAX_TOPIC} characters, words of letters, digits, _, -, : or / joined by dots.`,
  )
}

/** @throws HeuristError BUS_BAD_PAYLOAD */
export function checkPayload(topic: string, payload: string): void {
  const bytes = Buffer.byteLength(payload)
  if (bytes > MAX_BUS_PAYLOAD) {
    throw new HeuristError<BusErrorCode>(
      'BUS_BAD_PAYLOAD',
      `A message for ${topic} has ${bytes} bytes; the bus carries ${MAX_BUS_PAYLOAD}. Store the content and send its id, or split it.`,
      { payload: { topic, bytes } },
    )
  }
  if (payload.includes('\0')) {
    throw new HeuristError<BusErrorCode>(
      'BUS_BAD_PAYLOAD',
      `A message for ${topic} has the character U+0000, which PostgreSQL can not carry. Send JSON.`,
      { payload: { topic, bytes } },
    )
  }
}

/** @param server its name without a password */
export function busUnavailable(server: string, cause: unknown): HeuristError<BusErrorCode> {
  return new HeuristError<BusErrorCode>(
    'BUS_UNAVAILABLE',
    `The message bus at ${server} can not be reached (${messageOf(cause)}). Start the server or correct the setting, then try again.`,
    { cause, retryable: true },
  )
}
