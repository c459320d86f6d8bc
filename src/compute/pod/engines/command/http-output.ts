import { StringDecoder } from 'node:string_decoder'
import { createSseParser } from '../upstream/sse.ts'

/** A program's answer in pieces of text: events by their data, one a line; everything else as it is. @throws RangeError for an endless event */
export async function* outputOf(contentType: string, body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  if (/^text\/event-stream\b/i.test(contentType)) yield* eventsOf(body)
  else yield* textOf(body)
}

async function* eventsOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const parser = createSseParser()
  for await (const bytes of body) {
    for (const data of parser.push(bytes)) {
      if (data === '[DONE]') return
      yield `${data}\n`
    }
  }
  const rest = parser.end()
  if (rest !== null && rest !== '[DONE]') yield `${rest}\n`
}

/** No character is cut in two, wherever the bytes are. */
async function* textOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8')
  for await (const bytes of body) {
    const text = decoder.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    if (text !== '') yield text
  }
  const rest = decoder.end()
  if (rest !== '') yield rest
}
