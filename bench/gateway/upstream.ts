import { createServer } from 'node:http'
import { chunk, completion, isPaced, LAST_CHUNK, WORD } from './answer.ts'

/** An OpenAI-compatible server that answers from memory: what the proxies stand in front of. */
const server = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const text = Buffer.concat(parts).toString()
    const body = JSON.parse(text || '{}') as { stream?: boolean; max_tokens?: number } // cast: our own load generator
    const tokens = body.max_tokens ?? 16
    if (!body.stream) return response.writeHead(200, { 'content-type': 'application/json' }).end(completion(tokens))
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    let sent = 0
    const send = (): void => {
      response.write(chunk(WORD))
      sent += 1
      if (sent === tokens) return void response.end(LAST_CHUNK)
      if (isPaced(text)) setTimeout(send, 1000)
      else setImmediate(send)
    }
    send()
  })
})
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => process.send?.({ port: (server.address() as { port: number }).port })) // cast: a TCP server has a port
