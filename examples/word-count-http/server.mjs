// The pod of ../word-count as a server: HTTP on the unix socket that HEURIST_SOCKET names. Any language and framework will do.
import { createServer } from 'node:http'

function count(text) {
  const counts = new Map()
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}']+/gu)) counts.set(word, (counts.get(word) ?? 0) + 1)
  return [...counts].sort(([, a], [, b]) => b - a)
}

createServer(async (request, response) => {
  if (request.method === 'GET') return response.end('well')
  let body = ''
  for await (const piece of request) body += piece
  const input = JSON.parse(body)
  if (typeof input?.text !== 'string') {
    response.statusCode = 400
    return response.end(JSON.stringify({ error: { message: '"input.text" must be a text', param: 'input.text' } }))
  }
  response.setHeader('content-type', 'text/event-stream')
  for (const [word, times] of count(input.text)) response.write(`data: ${JSON.stringify({ word, times })}\n\n`)
  response.end('data: [DONE]\n\n')
}).listen(process.env.HEURIST_SOCKET)
