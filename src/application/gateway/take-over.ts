import type { FastifyReply } from 'fastify'

/** Takes the answer from Fastify and says with which headers it begins: what was set so far, then `headers`. */
export function takeOver(reply: FastifyReply, headers: Readonly<Record<string, string>>): Record<string, string> {
  reply.hijack()
  const known = reply.getHeaders() as Record<string, string> // cast: this gateway sets strings only
  return { ...known, 'openai-processing-ms': String(Math.round(reply.elapsedTime)), ...headers }
}

/** A whole answer in one write. Past Fastify's `send`, whose hooks and header checks cost as much as the write itself. */
export function sendJson(reply: FastifyReply, text: string): void {
  const length = String(Buffer.byteLength(text))
  const headers = takeOver(reply, { 'content-type': 'application/json; charset=utf-8', 'content-length': length })
  reply.raw.writeHead(200, headers).end(text)
}
