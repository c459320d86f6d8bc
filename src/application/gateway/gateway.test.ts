import { randomBytes } from 'node:crypto'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ChoiceOutput, Delta, TokenLogprob } from '#protocol'
import { textScript, wordDeltas } from './testing/dispatcher.ts'
import { createTestGateway, eventsOf, type TestGateway } from './testing/harness.ts'
import { assertCompletionChunk, assertOpenAi } from './testing/openai-schema.ts'

let the: TestGateway
beforeAll(async () => {
  the = await createTestGateway()
})
afterAll(() => the.stop())

const MESSAGES = [{ role: 'user' as const, content: 'Say hello.' }]
const CHAT = { model: 'tiny/chat', messages: MESSAGES }

/** Scripts the router for one model call. */
function answerWith(deltas: readonly Delta[], choices: readonly ChoiceOutput[]): void {
  const outputUnits = deltas.reduce((sum, delta) => sum + delta.tokens, 0)
  the.dispatcher.script = () => ({ deltas, choices, outputUnits })
}

function lastOrder() {
  const job = the.dispatcher.jobs.at(-1)
  if (!job) throw new Error('nothing was dispatched')
  return job.order
}

describe('chat completions by the official client', () => {
  test('default: plain', async () => {
    the.dispatcher.script = () => textScript('Hello from a node.')
    const { data, response, request_id } = await the.client.chat.completions.create(CHAT).withResponse()
    assertOpenAi('CreateChatCompletionResponse', data)
    expect(data.choices[0]).toMatchObject({
      index: 0,
      finish_reason: 'stop',
      logprobs: null,
      message: { role: 'assistant', content: 'Hello from a node.', refusal: null },
    })
    expect(data.usage).toMatchObject({ completion_tokens: 4 })
    expect(data.model).toBe('tiny/chat')
    expect(request_id).toMatch(/^req_[0-9a-f]{24}$/)
    expect(response.headers.get('x-heurist-job-id')).toMatch(/^job_/)
    expect(response.headers.get('x-heurist-node-id')).toMatch(/^0x/)
    expect(Number(response.headers.get('x-heurist-cost-credits'))).toBeGreaterThan(0)
    expect(response.headers.get('openai-processing-ms')).toMatch(/^\d+$/)
    expect(response.headers.get('x-ratelimit-limit-requests')).toBe('100000')
  })

  test('default: streamed', async () => {
    the.dispatcher.script = () => textScript('Hello from a node.')
    const chunks: OpenAI.ChatCompletionChunk[] = []
    for await (const chunk of await the.client.chat.completions.create({ ...CHAT, stream: true })) chunks.push(chunk)
    for (const chunk of chunks) assertOpenAi('CreateChatCompletionStreamResponse', chunk)
    expect(chunks[0]?.choices[0]?.delta.role).toBe('assistant')
    expect(chunks.map(chunk => chunk.choices[0]?.delta.content ?? '').join('')).toBe('Hello from a node.')
    expect(chunks.filter(chunk => chunk.choices[0]?.finish_reason).length).toBe(1)
    expect(new Set(chunks.map(chunk => `${chunk.id} ${chunk.created}`)).size).toBe(1)
    expect(chunks.every(chunk => !('usage' in chunk))).toBe(true)
  })

  test('behavior: usage comes once, last, with no choices, and null before', async () => {
    the.dispatcher.script = () => textScript('one two three')
    const { text } = await the.call('/v1/chat/completions', { ...CHAT, stream: true, stream_options: { include_usage: true } })
    const events = eventsOf(text)
    expect(events.at(-1)).toBe('[DONE]')
    const last = events.at(-2) as { choices: unknown[]; usage: { completion_tokens: number }; heurist: { cost_credits: string } } // cast: read for the assertions
    assertOpenAi('CreateChatCompletionStreamResponse', last)
    expect(last.choices).toEqual([])
    expect(last.usage.completion_tokens).toBe(3)
    expect(Number(last.heurist.cost_credits)).toBeGreaterThan(0)
    for (const event of events.slice(0, -2)) expect((event as { usage: unknown }).usage).toBeNull() // cast: read for the assertion
  })

  test('behavior: the receipt of a stream without usage is a comment', async () => {
    const { text } = await the.call('/v1/chat/completions', { ...CHAT, stream: true })
    expect(text).toMatch(/^: heurist \{"job_id":"job_[0-9a-f]{32}".*"receipt":"0x[0-9a-f]{64}"\}$/m)
    expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true)
  })

  test('behavior: n choices, whole and streamed', async () => {
    the.dispatcher.script = () => textScript('two answers', 2)
    const whole = await the.client.chat.completions.create({ ...CHAT, n: 2 })
    assertOpenAi('CreateChatCompletionResponse', whole)
    expect(whole.choices.map(choice => choice.index)).toEqual([0, 1])
    const finished: number[] = []
    for await (const chunk of await the.client.chat.completions.create({ ...CHAT, n: 2, stream: true })) {
      for (const choice of chunk.choices) if (choice.finish_reason) finished.push(choice.index)
    }
    expect(finished).toEqual([0, 1])
  })

  test('behavior: log probabilities, whole and streamed', async () => {
    const logprob: TokenLogprob = {
      token: 'hi',
      logprob: -0.5,
      bytes: [104, 105],
      top_logprobs: [{ token: 'hi', logprob: -0.5, bytes: [104, 105] }],
    }
    answerWith(
      [{ choice: 0, tokens: 1, text: 'hi', logprobs: [logprob] }],
      [{ index: 0, text: 'hi', toolCalls: [], finishReason: 'length' }],
    )
    const whole = await the.client.chat.completions.create({ ...CHAT, logprobs: true, top_logprobs: 1 })
    assertOpenAi('CreateChatCompletionResponse', whole)
    expect(whole.choices[0]?.logprobs?.content).toEqual([logprob])
    expect(whole.choices[0]?.finish_reason).toBe('length')
    const { text } = await the.call('/v1/chat/completions', { ...CHAT, stream: true, logprobs: true })
    const events = eventsOf(text).filter(event => event !== '[DONE]')
    for (const event of events) assertOpenAi('CreateChatCompletionStreamResponse', event)
    expect(JSON.stringify(events)).toContain('"logprobs":{"content":[{"token":"hi"')
  })

  test('behavior: tool calls, whole and streamed', async () => {
    const call = { id: 'call_1', name: 'weather', arguments: '{"city":"Ghent"}' }
    answerWith(
      [
        { choice: 0, tokens: 1, text: '', toolCalls: [{ index: 0, id: 'call_1', name: 'weather', arguments: '' }] },
        { choice: 0, tokens: 2, text: '', toolCalls: [{ index: 0, arguments: '{"city":' }] },
        { choice: 0, tokens: 2, text: '', toolCalls: [{ index: 0, arguments: '"Ghent"}' }] },
      ],
      [{ index: 0, text: '', toolCalls: [call], finishReason: 'tool_calls' }],
    )
    const tools = [
      {
        type: 'function' as const,
        function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
      },
    ]
    const whole = await the.client.chat.completions.create({ ...CHAT, tools, tool_choice: 'required' })
    assertOpenAi('CreateChatCompletionResponse', whole)
    expect(whole.choices[0]?.message).toMatchObject({
      content: null,
      tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'weather', arguments: call.arguments } }],
    })
    const stream = the.client.chat.completions.stream({ ...CHAT, tools, tool_choice: { type: 'function', function: { name: 'weather' } } })
    const final = await stream.finalChatCompletion()
    expect(final.choices[0]?.message.tool_calls?.[0]).toMatchObject({
      id: 'call_1',
      function: { name: 'weather', arguments: call.arguments },
    })
    const { text } = await the.call('/v1/chat/completions', { ...CHAT, stream: true, tools })
    const deltas = eventsOf(text).filter(event => event !== '[DONE]')
    for (const event of deltas) assertOpenAi('CreateChatCompletionStreamResponse', event)
  })

  test('behavior: the body passes on unchanged, unknown members included, only `heurist` is ours', async () => {
    the.dispatcher.script = () => textScript('ok')
    const body = {
      ...CHAT,
      messages: [
        { role: 'developer', content: 'Be brief.' },
        { role: 'user', content: [{ type: 'text', text: 'What is the weather?' }] },
        { role: 'assistant', content: null, tool_calls: [{ id: 'c', type: 'function', function: { name: 'weather', arguments: '{}' } }] },
        { role: 'tool', tool_call_id: 'c', content: 'rain' },
      ],
      temperature: null,
      top_p: null,
      max_completion_tokens: 7,
      stop: ['\n', 'END'],
      seed: 42,
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: { type: 'object' }, strict: true } },
      metadata: { team: 'a' },
      user: 'u',
      mirostat: 2,
      a_future_parameter: { deep: [1] },
    }
    const { status } = await the.call('/chat/completions', {
      ...body,
      heurist: { on_failure: 'discard', deadline_ms: 9_000, max_price_credits: 5 },
    })
    expect(status).toBe(200)
    const order = lastOrder()
    expect(order.request).toEqual({ kind: 'chat', body })
    expect(order.preferences).toMatchObject({ on_failure: 'discard', deadline_ms: 9_000 })
    expect(order.totalMs).toBe(9_000)
    expect(order.seedCommitment).not.toBe(`0x${'0'.repeat(64)}`)
  })

  test('behavior: explicit null is accepted for every optional', async () => {
    const optional = [
      'stream',
      'stream_options',
      'temperature',
      'top_p',
      'n',
      'seed',
      'stop',
      'presence_penalty',
      'frequency_penalty',
      'logit_bias',
      'user',
      'metadata',
      'heurist',
    ]
    const chatOnly = [
      'max_tokens',
      'max_completion_tokens',
      'logprobs',
      'top_logprobs',
      'response_format',
      'tools',
      'tool_choice',
      'parallel_tool_calls',
    ]
    const nulls = Object.fromEntries([...optional, ...chatOnly].map(name => [name, null]))
    expect((await the.call('/v1/chat/completions', { ...CHAT, ...nulls })).status).toBe(200)
  })
})

describe('completions by the official client', () => {
  test('default: plain and streamed', async () => {
    the.dispatcher.script = () => textScript('once upon a time')
    const whole = await the.client.completions.create({ model: 'tiny/chat', prompt: 'Once', max_tokens: 10 })
    assertOpenAi('CreateCompletionResponse', whole)
    expect(whole.choices[0]?.text).toBe('once upon a time')
    let text = ''
    for await (const chunk of await the.client.completions.create({
      model: 'tiny/chat',
      prompt: 'Once',
      stream: true,
      stream_options: { include_usage: true },
    })) {
      assertCompletionChunk(chunk)
      text += chunk.choices[0]?.text ?? ''
      if (chunk.choices.length === 0) expect(chunk.usage?.completion_tokens).toBe(4)
    }
    expect(text).toBe('once upon a time')
  })

  test('behavior: log probabilities in the older shape', async () => {
    const entry = (token: string): TokenLogprob => ({
      token,
      logprob: -1,
      bytes: null,
      top_logprobs: [{ token, logprob: -1, bytes: null }],
    })
    answerWith(
      [
        { choice: 0, tokens: 1, text: 'ab', logprobs: [entry('ab')] },
        { choice: 0, tokens: 1, text: 'cd', logprobs: [entry('cd')] },
      ],
      [{ index: 0, text: 'abcd', toolCalls: [], finishReason: 'stop' }],
    )
    const { json } = await the.call('/completions', { model: 'tiny/chat', prompt: 'x', logprobs: 1 })
    assertOpenAi('CreateCompletionResponse', json)
    expect(json.choices).toMatchObject([
      { logprobs: { tokens: ['ab', 'cd'], token_logprobs: [-1, -1], text_offset: [0, 2], top_logprobs: [{ ab: -1 }, { cd: -1 }] } },
    ])
  })

  test('behavior: a list of prompts and of token ids counts every one', async () => {
    the.dispatcher.script = () => textScript('a', 2)
    await the.call('/v1/completions', { model: 'tiny/chat', prompt: ['one two', 'three'], max_tokens: 5 })
    expect(lastOrder().inputUnits).toBe(5)
    await the.call('/v1/completions', { model: 'tiny/chat', prompt: [[1, 2, 3], [4]], max_tokens: 5 })
    expect(lastOrder().inputUnits).toBe(4)
    await the.call('/v1/completions', { model: 'tiny/chat', prompt: [1, 2, 3], max_tokens: 5 })
    expect(lastOrder().inputUnits).toBe(3)
  })
})

describe('embeddings by the official client', () => {
  const vectors = [Float32Array.of(0.25, -1, 3.5e-5), Float32Array.of(1, 2, 3)]
  const script = () => ({
    deltas: vectors.map((embedding, choice) => ({ choice, tokens: 0, text: '', embedding })),
    choices: [],
    outputUnits: 0,
  })

  test('default: the client asks for base64 by itself and gets the numbers back', async () => {
    the.dispatcher.script = script
    const answer = await the.client.embeddings.create({ model: 'encoder', input: ['one two', 'three'] })
    expect(answer.data.map(entry => entry.embedding)).toEqual(vectors.map(vector => Array.from(vector)))
    expect(answer.usage).toEqual({ prompt_tokens: 3, total_tokens: 3 })
    const { json } = await the.call('/v1/embeddings', { model: 'encoder', input: ['a', 'b'], encoding_format: 'base64' })
    const [first] = json.data as { embedding: string }[] // cast: read for the assertion
    expect(Buffer.from(first?.embedding ?? '', 'base64').readFloatLE(4)).toBe(-1)
  })

  test('default: float', async () => {
    the.dispatcher.script = script
    const { json } = await the.call('/embeddings', { model: 'encoder', input: 'one two', dimensions: 3, user: 'u' })
    assertOpenAi('CreateEmbeddingResponse', json)
    expect(lastOrder().request.body).toEqual({ model: 'encoder', input: 'one two', dimensions: 3, user: 'u' })
  })
})

describe('models', () => {
  test('default: listed and one by one, without a key', async () => {
    const page = await new OpenAI({ apiKey: 'none-needed', baseURL: `${the.url}/v1`, maxRetries: 0 }).models
      .list()
      .catch(error => error.status)
    expect(page).toBe(401)
    const list = await (await fetch(`${the.url}/models`)).json()
    assertOpenAi('ListModelsResponse', list)
    expect((await the.client.models.list()).data.map(model => model.id)).toContain('tiny/chat')
    expect((await the.client.models.retrieve('tiny/chat')).id).toBe('tiny/chat')
  })

  test.each(['/v1/models/tiny/chat', '/v1/models/tiny%2Fchat', '/models/tiny/chat', '/models/tiny%2fchat'])('behavior: %s', async path => {
    const json = await (await fetch(`${the.url}${path}`)).json()
    assertOpenAi('Model', json)
    expect(json).toMatchObject({ id: 'tiny/chat', context_length: 2048, pricing: { prompt: '0.001', completion: '0.002' } })
  })

  test('error: an unknown model is named', async () => {
    const response = await fetch(`${the.url}/v1/models/no/such`)
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ error: { code: 'model_not_found', message: expect.stringContaining('no/such') } })
  })
})

describe('other routes', () => {
  test('behavior: health, and readiness', async () => {
    expect(await (await fetch(`${the.url}/healthz`)).json()).toEqual({ status: 'ok' })
    expect(await (await fetch(`${the.url}/readyz`)).json()).toEqual({ status: 'ready', missing: [] })
  })

  test.each([
    ['GET', '/v1/nothing', 404],
    ['GET', '/v1/chat/completions', 405],
    ['DELETE', '/v1/models', 405],
    ['PUT', '/v1/embeddings', 405],
  ])("error: %s %s answers %i in OpenAI's shape", async (method, path, status) => {
    const response = await fetch(`${the.url}${path}`, { method })
    expect(response.status).toBe(status)
    assertOpenAi('ErrorResponse', await response.json())
    expect(response.headers.get('x-request-id')).toMatch(/^req_/)
    if (status === 405) expect(response.headers.get('allow')).toBeTruthy()
  })

  test('behavior: other web pages may not read answers', async () => {
    const response = await fetch(`${the.url}/v1/models`, { headers: { origin: 'https://evil.example' } })
    expect(response.headers.get('access-control-allow-origin')).toBeNull()
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
  })
})

test('behavior: random ids do not repeat', async () => {
  the.dispatcher.script = () => textScript(randomBytes(4).toString('hex'))
  const answers = await Promise.all(Array.from({ length: 50 }, () => the.client.chat.completions.create(CHAT)))
  expect(new Set(answers.map(answer => answer.id)).size).toBe(50)
  expect(wordDeltas('a b').length).toBe(2)
})
