import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestGateway, type TestGateway } from './testing/harness.ts'
import { assertOpenAi } from './testing/openai-schema.ts'

let the: TestGateway
beforeAll(async () => {
  the = await createTestGateway({ server: { bodyLimitBytes: 200_000 } })
})
afterAll(() => the.stop())

type Expected = { status: number; param?: string | null; code?: string; says?: RegExp }
const USER = [{ role: 'user', content: 'hi' }]
const chat = (extra: object) => ({ model: 'tiny/chat', messages: USER, ...extra })

async function refused(path: string, body: unknown, expected: Expected): Promise<void> {
  const before = the.dispatcher.jobs.length
  const { status, json, headers } = await the.call(path, body)
  assertOpenAi('ErrorResponse', json)
  const error = json.error as { message: string; param: string | null; code: string } // cast: checked by the schema
  expect({ status, error: error.message }).toMatchObject({ status: expected.status })
  if (expected.param !== undefined) expect(error.param).toBe(expected.param)
  if (expected.code !== undefined) expect(error.code).toBe(expected.code)
  if (expected.says) expect(error.message).toMatch(expected.says)
  expect(headers.get('x-request-id')).toMatch(/^req_/)
  // Nothing refused may have reached a router.
  expect(the.dispatcher.jobs.length).toBe(before)
}

const tool = { type: 'function', function: { name: 'weather' } }

describe('chat completions', () => {
  test.each<[string, unknown, Expected]>([
    ['no model', { messages: USER }, { status: 400, param: 'model', code: 'missing_required_parameter' }],
    ['model of a wrong type', { model: 7, messages: USER }, { status: 400, param: 'model', code: 'invalid_type' }],
    ['unknown model', { model: 'gpt-17', messages: USER }, { status: 404, param: 'model', code: 'model_not_found', says: /gpt-17/ }],
    ['no messages', { model: 'tiny/chat' }, { status: 400, param: 'messages', code: 'missing_required_parameter' }],
    ['empty messages', chat({ messages: [] }), { status: 400, param: 'messages' }],
    ['messages of a wrong type', chat({ messages: 'hi' }), { status: 400, param: 'messages', code: 'invalid_type' }],
    ['null message', chat({ messages: [null] }), { status: 400, param: 'messages[0]' }],
    ['no role', chat({ messages: [{ content: 'hi' }] }), { status: 400, param: 'messages[0].role' }],
    [
      'unknown role',
      chat({ messages: [{ role: 'king', content: 'hi' }] }),
      { status: 400, param: 'messages[0].role', says: /system, developer, user/ },
    ],
    ['user without content', chat({ messages: [{ role: 'user' }] }), { status: 400, param: 'messages[0].content' }],
    ['content of a wrong type', chat({ messages: [{ role: 'user', content: 5 }] }), { status: 400, param: 'messages[0].content' }],
    ['empty content parts', chat({ messages: [{ role: 'user', content: [] }] }), { status: 400, param: 'messages[0].content' }],
    [
      'tool answer without its call',
      chat({ messages: [{ role: 'tool', content: 'x' }] }),
      { status: 400, param: 'messages[0].tool_call_id' },
    ],
    ['temperature above 2', chat({ temperature: 2.1 }), { status: 400, param: 'temperature' }],
    ['temperature below 0', chat({ temperature: -0.1 }), { status: 400, param: 'temperature' }],
    ['temperature as text', chat({ temperature: '1' }), { status: 400, param: 'temperature', code: 'invalid_type' }],
    ['top_p above 1', chat({ top_p: 1.5 }), { status: 400, param: 'top_p' }],
    ['n of 0', chat({ n: 0 }), { status: 400, param: 'n' }],
    ['n of 9', chat({ n: 9 }), { status: 400, param: 'n' }],
    ['half an n', chat({ n: 1.5 }), { status: 400, param: 'n' }],
    ['max_tokens of 0', chat({ max_tokens: 0 }), { status: 400, param: 'max_tokens' }],
    ['negative max_tokens', chat({ max_tokens: -5 }), { status: 400, param: 'max_tokens' }],
    ['stream_options without stream', chat({ stream_options: { include_usage: true } }), { status: 400, param: 'stream_options' }],
    ['tool_choice without tools', chat({ tool_choice: 'auto' }), { status: 400, param: 'tool_choice' }],
    [
      'tool_choice of another function',
      chat({ tools: [tool], tool_choice: { type: 'function', function: { name: 'x' } } }),
      { status: 400, param: 'tool_choice' },
    ],
    ['empty tools', chat({ tools: [] }), { status: 400, param: 'tools' }],
    [
      'bad function name',
      chat({ tools: [{ type: 'function', function: { name: 'a b' } }] }),
      { status: 400, param: 'tools[0].function.name' },
    ],
    ['top_logprobs without logprobs', chat({ top_logprobs: 2 }), { status: 400, param: 'top_logprobs' }],
    ['top_logprobs above 20', chat({ logprobs: true, top_logprobs: 21 }), { status: 400, param: 'top_logprobs' }],
    ['unknown response_format', chat({ response_format: { type: 'xml' } }), { status: 400, param: 'response_format.type' }],
    [
      'json_schema without a schema',
      chat({ response_format: { type: 'json_schema' } }),
      { status: 400, param: 'response_format.json_schema' },
    ],
    ['metadata that is no text', chat({ metadata: { a: 1 } }), { status: 400, param: 'metadata.a' }],
    ['stop of a wrong type', chat({ stop: 5 }), { status: 400, param: 'stop', says: /a string or a list of at most 16 strings/ }],
    ['17 stops', chat({ stop: Array(17).fill('a') }), { status: 400, param: 'stop', says: /at most 16/ }],
    ['unknown preference', chat({ heurist: { speed: 'fast' } }), { status: 400, param: 'heurist' }],
    ['preference of a wrong type', chat({ heurist: { deadline_ms: '5' } }), { status: 400, param: 'heurist.deadline_ms' }],
    [
      'a maximum price below the quote',
      chat({ heurist: { max_price_credits: 0.0001 } }),
      { status: 400, param: 'heurist.max_price_credits', says: /can cost up to/ },
    ],
    ['a model of another kind', { model: 'encoder', messages: USER }, { status: 400, param: 'model', code: 'unsupported_model' }],
  ])('error: %s', async (_name, body, expected) => refused('/v1/chat/completions', body, expected))

  test('error: over the context, with both numbers', async () => {
    const long = { model: 'small-context', messages: [{ role: 'user', content: 'word '.repeat(30) }] }
    await refused('/v1/chat/completions', long, {
      status: 400,
      code: 'context_length_exceeded',
      param: 'messages',
      says: /20 tokens.*\b3[0-9] tokens/,
    })
    const wants = { model: 'small-context', messages: USER, max_tokens: 500 }
    await refused('/v1/chat/completions', wants, {
      status: 400,
      code: 'context_length_exceeded',
      param: 'max_tokens',
      says: /is 20 tokens.*asked for 50\d tokens/,
    })
  })

  test.each<[string, string, Expected]>([
    [
      'a number that is no number',
      '{"model":"tiny/chat","messages":[{"role":"user","content":"hi"}],"temperature":1e400}',
      { status: 400, param: 'temperature' },
    ],
    [
      'a huge max_tokens',
      '{"model":"tiny/chat","messages":[{"role":"user","content":"hi"}],"max_tokens":99999999999999999999}',
      { status: 400, param: 'max_tokens' },
    ],
    [
      'a large max_tokens',
      '{"model":"tiny/chat","messages":[{"role":"user","content":"hi"}],"max_tokens":2147483648}',
      { status: 400, code: 'context_length_exceeded' },
    ],
    ['truncated JSON', '{"model":"tiny/chat","mess', { status: 400, code: 'invalid_json' }],
    ['an empty body', '', { status: 400, code: 'invalid_json' }],
    ['null', 'null', { status: 400, code: 'invalid_type' }],
    ['an array', '[]', { status: 400, code: 'invalid_type' }],
    [
      'half a surrogate pair',
      '{"model":"tiny/chat","messages":[{"role":"user","content":"\\ud800"}]}',
      { status: 400, param: 'messages[0].content' },
    ],
    ['__proto__', '{"model":"tiny/chat","messages":[],"__proto__":{"isAdmin":true}}', { status: 400, param: '__proto__' }],
    [
      '__proto__ by escapes',
      '{"model":"tiny/chat","messages":[{"role":"user","content":"hi"}],"metadata":{"__pr\\u006fto__":"x"}}',
      { status: 400, param: 'metadata.__proto__' },
    ],
    ['a tower of brackets', `{"a":${'['.repeat(50_000)}`, { status: 400, code: 'invalid_json', says: /64 levels/ }],
    ['a body over the limit', JSON.stringify(chat({ user: 'x'.repeat(300_000) })), { status: 413, code: 'request_too_large' }],
  ])('error: %s', async (_name, body, expected) => refused('/v1/chat/completions', body, expected))
})

describe('completions and embeddings', () => {
  test.each<[string, string, unknown, Expected]>([
    ['no prompt', '/v1/completions', { model: 'tiny/chat' }, { status: 400, param: 'prompt', code: 'missing_required_parameter' }],
    ['an empty list of prompts', '/v1/completions', { model: 'tiny/chat', prompt: [] }, { status: 400, param: 'prompt' }],
    ['a mixed list', '/v1/completions', { model: 'tiny/chat', prompt: ['a', 1] }, { status: 400, param: 'prompt' }],
    ['best_of', '/v1/completions', { model: 'tiny/chat', prompt: 'a', best_of: 3 }, { status: 400, param: 'best_of' }],
    [
      'stream_options without stream',
      '/v1/completions',
      { model: 'tiny/chat', prompt: 'a', stream_options: {} },
      { status: 400, param: 'stream_options' },
    ],
    ['no input', '/v1/embeddings', { model: 'encoder' }, { status: 400, param: 'input' }],
    ['an empty list', '/v1/embeddings', { model: 'encoder', input: [] }, { status: 400, param: 'input' }],
    [
      'too many inputs',
      '/v1/embeddings',
      { model: 'encoder', input: Array.from({ length: 2049 }, () => 'a') },
      { status: 400, param: 'input' },
    ],
    [
      'an unknown encoding',
      '/v1/embeddings',
      { model: 'encoder', input: 'a', encoding_format: 'hex' },
      { status: 400, param: 'encoding_format' },
    ],
    [
      'an input over the context',
      '/v1/embeddings',
      { model: 'encoder', input: ['a', 'b '.repeat(60)] },
      { status: 400, param: 'input', code: 'context_length_exceeded', says: /50 tokens.*input 1 has 60/ },
    ],
    ['a chat model', '/v1/embeddings', { model: 'tiny/chat', input: 'a' }, { status: 400, param: 'model', code: 'unsupported_model' }],
  ])('error: %s', async (_name, path, body, expected) => refused(path, body, expected))
})

describe('content type', () => {
  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonp'])(
    'error: %s',
    async type => {
      const { status, json } = await the.call('/v1/chat/completions', JSON.stringify(chat({})), { 'content-type': type })
      expect(status).toBe(415)
      expect(json).toMatchObject({ error: { code: 'unsupported_media_type', message: expect.stringContaining('application/json') } })
    },
  )

  test.each(['application/json; charset=utf-8', 'Application/JSON', 'application/vnd.api+json'])('default: %s', async type => {
    expect((await the.call('/v1/chat/completions', JSON.stringify(chat({})), { 'content-type': type })).status).toBe(200)
  })
})

describe('keys', () => {
  async function withKey(authorization: string | null): Promise<{ status: number; code: string; message: string }> {
    const response = await fetch(`${the.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(authorization !== null && { authorization }) },
      body: JSON.stringify(chat({})),
    })
    const json = await response.json()
    if (response.status !== 200) assertOpenAi('ErrorResponse', json)
    return { status: response.status, ...(json as { error?: { code: string; message: string } }).error! } // cast: checked by the schema
  }

  test.each([
    ['missing', null, 'missing_api_key'],
    ['empty', '', 'missing_api_key'],
    ['another scheme', 'Basic abc', 'invalid_api_key'],
    ['nothing after Bearer', 'Bearer ', 'invalid_api_key'],
    ['two words', 'Bearer a b', 'invalid_api_key'],
    ['wrong', `Bearer hk_${'0'.repeat(64)}`, 'invalid_api_key'],
    ['of another service', 'Bearer sk-proj-abcdef', 'invalid_api_key'],
    ['very long', `Bearer ${'x'.repeat(2_000)}`, 'invalid_api_key'],
  ])('error: %s', async (_name, authorization, code) => {
    expect(await withKey(authorization)).toMatchObject({ status: 401, code })
  })

  test('error: revoked and expired keys, at once', async () => {
    const revoked = await the.newCaller()
    expect((await withKey(`Bearer ${revoked.secret}`)).status).toBe(200)
    await the.keys.revoke(revoked.keyId)
    expect(await withKey(`Bearer ${revoked.secret}`)).toMatchObject({ status: 401, message: expect.stringContaining('revoked') })
    const expired = await the.newCaller({ expiresAtMs: Date.now() - 1 })
    expect(await withKey(`Bearer ${expired.secret}`)).toMatchObject({ status: 401, message: expect.stringContaining('expired') })
  })

  test('error: a key without the scope', async () => {
    const reader = await the.newCaller({ scopes: ['read'] })
    expect(await withKey(`Bearer ${reader.secret}`)).toMatchObject({
      status: 403,
      code: 'insufficient_permissions',
      message: expect.stringContaining('inference'),
    })
  })

  test('error: a message never tells the key', async () => {
    const { message } = await withKey('Bearer hk_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef')
    expect(message).not.toContain('abcdef')
  })

  test('behavior: 500 wrong keys at once are refused and a right one still answers', async () => {
    const wrong = Array.from({ length: 500 }, (_, index) => withKey(`Bearer hk_${index.toString(16).padStart(64, '0')}`))
    const right = withKey(`Bearer ${the.secret}`)
    expect((await right).status).toBe(200)
    expect(new Set((await Promise.all(wrong)).map(({ status }) => status))).toEqual(new Set([401]))
  })
})
