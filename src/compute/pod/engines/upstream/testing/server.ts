import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type Delta, isHeuristError, type JobKind, messageOf } from '#protocol'
import type { EngineErrorCode, LoadedModel } from '../../engine.ts'

/**
 * Test support: a small OpenAI-compatible server over loaded models, so that the upstream engine is tested against real
 * answers of the shipped models and not against canned strings.
 */
export type TestServer = {
  readonly url: string
  readonly requests: { path: string; body: Record<string, unknown>; traceparent: unknown }[]
  open(): number
  close(): Promise<void>
}

type Models = { readonly chat: LoadedModel; readonly embedding: LoadedModel | null; readonly id: string }

const KINDS: Readonly<Record<string, JobKind>> = {
  '/v1/chat/completions': 'chat',
  '/v1/completions': 'completion',
  '/v1/embeddings': 'embedding',
}
const STATUS: Readonly<Partial<Record<EngineErrorCode, number>>> = {
  ENGINE_BAD_REQUEST: 400,
  ENGINE_CONTEXT_EXCEEDED: 400,
  ENGINE_OVERLOADED: 503,
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString('utf8') || '{}')
}

function chunkOf(kind: JobKind, delta: Delta): unknown {
  const { choice: index, text, logprobs, toolCalls } = delta
  if (kind === 'completion') return { choices: [{ index, text, finish_reason: null, logprobs: null }] }
  const calls = toolCalls?.map(({ index: at, id, name, arguments: args }) => ({
    index: at,
    id,
    type: id && 'function',
    function: { name, arguments: args },
  }))
  return {
    choices: [
      {
        index,
        delta: { ...(calls ? { tool_calls: calls } : { content: text }) },
        finish_reason: null,
        logprobs: logprobs ? { content: logprobs } : null,
      },
    ],
  }
}

async function stream(model: LoadedModel, job: { kind: JobKind; body: Record<string, unknown> }, response: ServerResponse): Promise<void> {
  const controller = new AbortController()
  response.on('close', () => controller.abort())
  const send = (value: unknown): void => {
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(`data: ${typeof value === 'string' ? value : JSON.stringify(value)}\r\n\r\n`)
  }
  const { finish, inputUnits, outputUnits } = await model.run(job, {
    signal: controller.signal,
    emit: delta => send(chunkOf(job.kind, delta)),
  })
  for (const { index, reason } of finish) send({ choices: [{ index, delta: {}, text: '', finish_reason: reason }] })
  send({ choices: [], usage: { prompt_tokens: inputUnits, completion_tokens: outputUnits } })
  send('[DONE]')
  response.end()
}

async function embed(model: LoadedModel, body: Record<string, unknown>, response: ServerResponse): Promise<void> {
  const data: unknown[] = []
  const emit = ({ choice, embedding }: Delta): void => void data.push({ index: choice, embedding: [...(embedding ?? [])] })
  const { inputUnits } = await model.run({ kind: 'embedding', body }, { signal: new AbortController().signal, emit })
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ data, usage: { prompt_tokens: inputUnits } }))
}

function refuse(error: unknown, response: ServerResponse): void {
  if (response.headersSent) {
    response.end(`data: ${JSON.stringify({ error: { message: messageOf(error) } })}\n\n`)
    return
  }
  const code = isHeuristError(error) ? (error.code as EngineErrorCode) : 'ENGINE_FAILED' // cast: engines throw engine codes
  const openAiCode = code === 'ENGINE_CONTEXT_EXCEEDED' ? 'context_length_exceeded' : null
  response
    .writeHead(STATUS[code] ?? 500)
    .end(JSON.stringify({ error: { message: messageOf(error), type: 'invalid_request_error', param: null, code: openAiCode } }))
}

/** Listens on a free port of the loopback address. */
export async function listen(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ server: Server; url: string }> {
  const server = createServer(handle)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the test server has no port')
  return { server, url: `http://127.0.0.1:${address.port}/v1` }
}

export async function startTestServer(models: Models): Promise<TestServer> {
  const requests: TestServer['requests'] = []
  let open = 0
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? ''
    if (path === '/v1/models') {
      response.end(JSON.stringify({ object: 'list', data: [{ id: models.id, object: 'model' }] }))
      return
    }
    const kind = KINDS[path]
    if (!kind || (kind === 'embedding' && !models.embedding)) {
      response.writeHead(404).end('{"error":{"message":"no such route","type":"invalid_request_error"}}')
      return
    }
    open++
    response.on('close', () => open--)
    const body = await readBody(request)
    requests.push({ path, body, traceparent: request.headers.traceparent })
    if (kind === 'embedding' && models.embedding) await embed(models.embedding, body, response)
    else await stream(models.chat, { kind, body }, response)
  }
  const { server, url } = await listen((request, response) => {
    handle(request, response).catch(error => refuse(error, response))
  })
  return {
    url,
    requests,
    open: () => open,
    close: () =>
      new Promise(resolve => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
