import type { ServerResponse } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { collect, describeEngine } from '../conformance.ts'
import type { LoadedModel } from '../engine.ts'
import { createLlamaEngine } from '../llama/llama.ts'
import { deps, specOf, TINY_MODEL } from '../testing/spec.ts'
import { createUseLiteEngine } from '../use-lite/use-lite.ts'
import { listen, startTestServer, type TestServer } from './testing/server.ts'
import { createUpstreamEngine, type UpstreamModel } from './upstream.ts'

const engine = createUpstreamEngine({ apiKey: null }, deps)
const load = (url: string, modelId = 'tiny'): Promise<UpstreamModel> =>
  engine.load(specOf({ engine: 'upstream', modelId, url })) as Promise<UpstreamModel> // cast: what this engine's load declares

let chat: LoadedModel
let embedding: LoadedModel
let server: TestServer
beforeAll(async () => {
  chat = await createLlamaEngine({ threads: 1 }, deps).load(specOf({ engine: 'llama', modelId: 'tiny', modelPath: TINY_MODEL, slots: 6 }))
  embedding = await createUseLiteEngine(deps).load(specOf({ engine: 'use-lite', modelId: 'use', slots: 4 }))
  server = await startTestServer({ chat, embedding, id: 'tiny' })
})
afterAll(async () => {
  await server.close()
  await Promise.all([chat.unload(), embedding.unload()])
})

describeEngine({
  name: 'upstream',
  load: () => load(server.url),
  long: { kind: 'chat', body: { messages: [{ role: 'user', content: 'Tell me a story.' }], n: 16, temperature: 2, seed: 1 } },
  skip: {},
})

const hello = { messages: [{ role: 'user', content: 'Hello' }], temperature: 0 }

describe('upstream engine', () => {
  test('finds out what the server can do', async () => {
    const model = await load(server.url)
    expect(model.capabilities).toEqual({
      model: 'tiny',
      chat: true,
      completions: true,
      embeddings: true,
      streamUsage: true,
      logprobs: true,
    })
    expect(await model.measure()).toBeGreaterThan(1)
    await model.unload()
  })

  test('behavior: it is well while its server answers, and says why it is not', async () => {
    const own = await startTestServer({ chat, embedding, id: 'tiny' })
    const model = await load(own.url)
    await model.health?.(AbortSignal.timeout(60_000))
    await own.close()
    await expect(model.health?.(AbortSignal.timeout(60_000))).rejects.toMatchObject({ code: 'ENGINE_UPSTREAM_FAILED' })
    await model.unload()
  })

  test('behavior: the only model of a server is taken under another name', async () => {
    const model = await load(server.url, 'meta/llama-99b')
    const { texts } = await collect(model, { kind: 'chat', body: { ...hello, model: 'meta/llama-99b' } })
    expect(texts[0]).not.toBe('')
    expect(server.requests.at(-1)?.body.model).toBe('tiny')
    await model.unload()
  })

  test('behavior: the body is passed on unchanged', async () => {
    const model = await load(server.url)
    const body = {
      ...hello,
      model: 'x',
      max_tokens: 5,
      stop: ['zzz'],
      user: 'u',
      metadata: { a: '1' },
      unknown_member: [1],
      stream: false,
      heurist: { max_attempts: 1 },
    }
    await collect(model, { kind: 'chat', body })
    const { heurist: _, ...passed } = body
    expect(server.requests.at(-1)?.body).toEqual({ ...passed, model: 'tiny', stream: true, stream_options: { include_usage: true } })
    await model.unload()
  })

  test("behavior: the server is told the job's trace, when there is one", async () => {
    const model = await load(server.url)
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const options = { signal: AbortSignal.timeout(60_000), emit: () => undefined }
    await model.run({ kind: 'chat', body: { ...hello, max_tokens: 1 } }, { ...options, traceparent })
    expect(server.requests.at(-1)?.traceparent).toBe(traceparent)
    await model.run({ kind: 'chat', body: { ...hello, max_tokens: 1 } }, options)
    expect(server.requests.at(-1)?.traceparent).toBeUndefined()
    await model.unload()
  })

  test('behavior: log probabilities and forced tool calls come through', async () => {
    const model = await load(server.url)
    const direct = await collect(chat, { kind: 'chat', body: { ...hello, max_tokens: 5, logprobs: true, top_logprobs: 2 } })
    const through = await collect(model, { kind: 'chat', body: { ...hello, max_tokens: 5, logprobs: true, top_logprobs: 2 } })
    expect(through.deltas.flatMap(delta => delta.logprobs)).toEqual(direct.deltas.flatMap(delta => delta.logprobs))
    const tools = [
      {
        type: 'function',
        function: {
          name: 'weather',
          parameters: { type: 'object', properties: { city: { enum: ['Paris', 'Rome'] } }, required: ['city'] },
        },
      },
    ]
    const call = await collect(model, { kind: 'chat', body: { ...hello, tools, tool_choice: 'required' } })
    const deltas = call.deltas.flatMap(delta => delta.toolCalls ?? [])
    expect(deltas[0]).toMatchObject({ index: 0, id: expect.stringMatching(/^call_/), name: 'weather' })
    expect(['Paris', 'Rome']).toContain(JSON.parse(deltas.map(delta => delta.arguments ?? '').join('')).city)
    expect(call.finish).toEqual([{ index: 0, reason: 'tool_calls' }])
    await model.unload()
  })

  test('behavior: a cancel closes the request at the server', async () => {
    const model = await load(server.url)
    const controller = new AbortController()
    let onFirst = (): void => {}
    const first = new Promise<void>(resolve => {
      onFirst = resolve
    })
    const run = model.run({ kind: 'chat', body: { ...hello, n: 16, temperature: 2 } }, { signal: controller.signal, emit: () => onFirst() })
    await first
    expect(server.open()).toBe(1)
    controller.abort()
    await expect(run).rejects.toMatchObject({ code: 'ENGINE_CANCELLED' })
    await expect.poll(() => server.open(), { timeout: 2000 }).toBe(0)
    await model.unload()
  })

  test('error: a server that is not there, not a server, or without the model', async () => {
    const failed = { code: 'ENGINE_LOAD_FAILED', retryable: true }
    await expect(load('http://127.0.0.1:1/v1')).rejects.toMatchObject(failed)
    await expect(engine.load(specOf({ engine: 'upstream', modelId: 'x' }))).rejects.toMatchObject(failed)
    const two = await listen((_, response) => response.end(JSON.stringify({ data: [{ id: 'a' }, { id: 'b' }] })))
    await expect(load(two.url)).rejects.toMatchObject({ ...failed, message: expect.stringContaining('a, b') })
    two.server.close()
    const html = await listen((_, response) => response.end('<html>'))
    await expect(load(html.url)).rejects.toMatchObject(failed)
    html.server.close()
  })
})

/** A server that behaves during the probe and then answers one request as the test says. */
describe('upstream engine with a hostile server', () => {
  let model: UpstreamModel
  let close: () => Promise<void>
  let answer: ((response: ServerResponse) => void) | null = null
  const event = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`
  const content = (text: string) => event({ choices: [{ index: 0, delta: { content: text } }] })
  const finish = event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
  const usage = (prompt: unknown, completion: unknown) =>
    event({ choices: [], usage: { prompt_tokens: prompt, completion_tokens: completion } })
  const done = 'data: [DONE]\n\n'

  beforeAll(async () => {
    const { server: hostile, url } = await listen((request, response) => {
      if (answer) answer(response)
      else if (request.url === '/v1/models') response.end(JSON.stringify({ data: [{ id: 'tiny' }] }))
      else if (request.url === '/v1/embeddings') response.writeHead(404).end('{}')
      else response.end(content('Hi') + finish + usage(1, 1) + done)
    })
    model = await load(url)
    close = async () => {
      await model.unload()
      hostile.closeAllConnections()
      hostile.close()
    }
  })
  afterEach(() => {
    answer = null
  })
  afterAll(() => close())

  const run = (respond: string | ((response: ServerResponse) => void)) => {
    answer = typeof respond === 'string' ? response => response.end(respond) : respond
    return collect(model, { kind: 'chat', body: hello })
  }

  test('default: the frame works', async () => {
    const { texts, outputUnits, inputUnits } = await run(content('a') + content('b') + finish + usage(3, 2) + done)
    expect({ texts, outputUnits, inputUnits }).toEqual({ texts: ['ab'], outputUnits: 2, inputUnits: 3 })
  })

  test.each([
    ['garbage', 'data: {{{\n\n'],
    ['an HTML page', '<html><body>502</body></html>'],
    ['nothing', ''],
    ['a cut in the middle of an event', content('a') + finish.slice(0, 20)],
    ['an end without a finish reason', content('a') + usage(1, 1) + done],
    ['an end without usage', content('a') + finish + done],
    ['negative usage', content('a') + finish + usage(-5, 1) + done],
    ['a prompt of a billion tokens', content('a') + finish + usage(1e9, 1) + done],
    ['a choice that nobody asked for', event({ choices: [{ index: 7, delta: { content: 'x' } }] }) + finish + usage(1, 1) + done],
    ['output after the end of a choice', finish + content('late') + usage(1, 1) + done],
    ['an unknown finish reason', content('a') + event({ choices: [{ index: 0, finish_reason: 'because' }] }) + usage(1, 1) + done],
    ['content that is a number', event({ choices: [{ index: 0, delta: { content: 5 } }] })],
    ['an error event', content('a') + event({ error: { message: 'out of memory', type: 'server_error' } })],
  ])('error: %s', async (_, body) => {
    await expect(run(body)).rejects.toMatchObject({ code: 'ENGINE_UPSTREAM_FAILED', retryable: true })
  })

  test('error: a line that never ends is cut off', async () => {
    let closed = false
    const flood = run(response => {
      response.on('close', () => {
        closed = true
      })
      const chunk = Buffer.alloc(256 * 1024, 'x')
      const pump = (): void => {
        while (!closed && response.write(chunk)) {}
        if (!closed) response.once('drain', pump)
      }
      response.write('data: ')
      pump()
    })
    await expect(flood).rejects.toMatchObject({ code: 'ENGINE_UPSTREAM_FAILED' })
    await expect.poll(() => closed, { timeout: 2000 }).toBe(true)
  })

  test('error: a connection that dies in the middle', async () => {
    const cut = run(response => {
      response.write(content('a'))
      setImmediate(() => response.destroy())
    })
    await expect(cut).rejects.toMatchObject({ code: 'ENGINE_UPSTREAM_FAILED', retryable: true })
  })

  test('error: more output than the usage allows for is counted by what came', async () => {
    const { outputUnits } = await run(content('one') + content('two') + finish + usage(1, 0) + done)
    expect(outputUnits).toBe(2)
  })

  test('error: usage cannot claim more tokens than bytes', async () => {
    const { outputUnits, deltas } = await run(content('abc') + finish + usage(1, 1_000_000) + done)
    expect(outputUnits).toBe(4)
    expect(deltas.reduce((sum, delta) => sum + delta.tokens, 0)).toBe(4)
  })

  test.each([
    [400, '{"error":{"message":"bad temperature"}}', 'ENGINE_BAD_REQUEST', false],
    [400, '{"error":{"message":"maximum context length is 8 tokens","code":"context_length_exceeded"}}', 'ENGINE_CONTEXT_EXCEEDED', false],
    [422, '{"detail":"nope"}', 'ENGINE_BAD_REQUEST', false],
    [401, '{"error":"no key"}', 'ENGINE_UPSTREAM_FAILED', true],
    [404, '', 'ENGINE_UPSTREAM_FAILED', true],
    [429, 'slow down', 'ENGINE_OVERLOADED', true],
    [503, '', 'ENGINE_OVERLOADED', true],
    [500, 'x'.repeat(1_000_000), 'ENGINE_UPSTREAM_FAILED', true],
  ])('error: status %i', async (status, body, code, retryable) => {
    await expect(run(response => response.writeHead(status).end(body))).rejects.toMatchObject({ code, retryable })
  })
})
