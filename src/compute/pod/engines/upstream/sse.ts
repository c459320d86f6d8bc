import { StringDecoder } from 'node:string_decoder'

/** Longest event that is believed; a chunk of a real server has some hundred bytes, one with many log probabilities some 10 kB. */
export const MAX_EVENT_CHARS = 4 * 2 ** 20

export type SseParser = {
  /** Data of every event that the bytes complete. @throws RangeError when a line or an event never ends */
  push(bytes: Uint8Array): string[]
  /** Data of an event that the end of the stream cut off from its blank line (some servers leave it out). */
  end(): string | null
}

/**
 * Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), data only: event names, ids and
 * comments are skipped. Chunks may be split anywhere; lines end with CRLF, LF or CR.
 */
export function createSseParser(): SseParser {
  const decoder = new StringDecoder('utf8')
  let pending = ''
  let data: string[] = []
  let dataChars = 0
  let atStart = true
  let skipLineFeed = false

  const takeLine = (line: string, events: string[]): void => {
    if (line === '') {
      if (data.length > 0) events.push(data.join('\n'))
      data = []
      dataChars = 0
      return
    }
    if (line !== 'data' && !line.startsWith('data:')) return
    const value = line.slice('data:'.length)
    data.push(value.startsWith(' ') ? value.slice(1) : value)
    dataChars += value.length
    if (dataChars > MAX_EVENT_CHARS) throw new RangeError(`an event is longer than ${MAX_EVENT_CHARS} characters`)
  }

  return {
    push(bytes) {
      let text = decoder.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
      if (text === '') return []
      if (atStart && text.startsWith('\ufeff')) text = text.slice(1)
      atStart = false
      // A CR that ended the chunk before may have been the first half of a CRLF.
      if (skipLineFeed && text.startsWith('\n')) text = text.slice(1)
      skipLineFeed = text.endsWith('\r')
      const lines = (pending + text).split(/\r\n|\n|\r/)
      pending = lines.pop() ?? ''
      if (pending.length > MAX_EVENT_CHARS) throw new RangeError(`a line is longer than ${MAX_EVENT_CHARS} characters`)
      const events: string[] = []
      for (const line of lines) takeLine(line, events)
      return events
    },
    end() {
      const events: string[] = []
      takeLine(pending + decoder.end(), events)
      takeLine('', events)
      pending = ''
      return events[0] ?? null
    },
  }
}
