import type { FastifyReply } from 'fastify'

/** Takes the answer from Fastify and says with which headers it begins: what was set so far, then `headers`. */
export function takeOver(reply: FastifyReply, headers: Readonly<Record<string, string>>): Record<string, string> {
  reply.hijack()
  const known = reply.getHeaders() as Record<string, string> // cast: this gateway sets strings only
  return { ...known, 'openai-processing-ms': String(Math.round(reply.elapsedTime)), ...headers }
}

const JSON_HEADERS = { 'content-type': 'application/json; charset=utf-8' }

/** How a streamed answer begins. */
export const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  // nginx and its kin would collect tokens otherwise
  'x-accel-buffering': 'no',
}

/** A whole answer in one write. Past Fastify's `send`, whose hooks and header checks cost as much as the write itself. */
export function sendWhole(reply: FastifyReply, text: string, headers: Readonly<Record<string, string>> = JSON_HEADERS): void {
  const length = String(Buffer.byteLength(text))
  reply.raw.writeHead(200, takeOver(reply, { ...headers, 'content-length': length })).end(text)
}
