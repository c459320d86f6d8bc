import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { textScript } from './testing/dispatcher.ts'
import { createTestGateway, type TestGateway, until } from './testing/harness.ts'
import { assertOpenAi } from './testing/openai-schema.ts'
import { httpText, type RawClient, rawClient } from './testing/raw-client.ts'

let the: TestGateway
const clients: RawClient[] = []
beforeAll(async () => {
  const server = {
    headersTimeoutMs: 300,
    requestTimeoutMs: 600,
    connectionsCheckMs: 50,
    maxHeaderBytes: 8_192,
    bodyLimitBytes: 10_000,
    maxConnections: 120,
  }
  the = await createTestGateway({ server: { ...server, consoleOrigins: ['http://127.0.0.1:8080'] } })
})
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy()
})
afterAll(() => the.stop())

function open(): RawClient {
  const client = rawClient(the.port)
  clients.push(client)
  return client
}

const BODY = JSON.stringify({ model: 'tiny/chat', messages: [{ role: 'user', content: 'hi' }] })
const post = (body = BODY, headers: Record<string, string> = {}) =>
  httpText('POST', '/v1/chat/completions', body, { authorization: `Bearer ${the.secret}`, ...headers })

function bodyOf(heard: string): unknown {
  return JSON.parse(heard.slice(heard.indexOf('\r\n\r\n') + 4))
}

/** The answer is an error in OpenAI's shape, and the connection is closed. */
async function refusedWith(client: RawClient, status: number): Promise<{ code: string }> {
  await client.closed
  expect(client.heard).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
  const body = bodyOf(client.heard)
  assertOpenAi('ErrorResponse', body)
  return (body as { error: { code: string } }).error // cast: checked by the schema
}

async function stillServes(): Promise<void> {
  the.dispatcher.script = () => textScript('alive')
  const client = open()
  client.write(post())
  expect(await client.hears(/alive/)).toMatch(/^HTTP\/1\.1 200/)
}

describe('slow clients', () => {
  test('error: headers that drip are cut off', async () => {
    const client = open()
    client.write('POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n')
    const drip = setInterval(() => client.write('x-a: b\r\n'), 50)
    expect(await refusedWith(client, 408)).toMatchObject({ code: 'request_timeout' })
    clearInterval(drip)
    await stillServes()
  })

  test('error: a body that drips is cut off', async () => {
    const client = open()
    client.write(post().slice(0, -20))
    const drip = setInterval(() => client.write(' '), 200)
    await refusedWith(client, 408)
    clearInterval(drip)
  })

  test('error: a connection that says nothing is closed', async () => {
    const client = open()
    await client.closed
  })

  test('behavior: the time limits are for requests, not for answers', async () => {
    const last = Promise.withResolvers<void>()
    the.dispatcher.script = () => ({ ...textScript('patience'), last: last.promise })
    const client = open()
    client.write(post(BODY.replace('{', '{"stream":true,')))
    await client.hears(/patience/)
    await new Promise(resolve => setTimeout(resolve, 900))
    last.resolve()
    await client.hears(/\[DONE\]/)
  })

  test('behavior: many idle connections do not keep others out, and more than the limit are dropped', async () => {
    const idle = Array.from({ length: 100 }, open)
    await until('they are open', () => idle.every(({ socket }) => socket.readyState === 'open'))
    await stillServes()
    const tooMany = Array.from({ length: 60 }, open)
    await Promise.all(idle.map(({ closed }) => closed))
    await Promise.all(tooMany.map(({ closed }) => closed))
    await stillServes()
  })
})

describe('malformed HTTP', () => {
  test.each([
    ['no HTTP at all', 'hello there\r\n\r\n', 400],
    ['TLS on a plain port', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
    ['two lengths', 'POST /v1/models HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello', 400],
    [
      'length and chunks',
      'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['a negative length', 'POST /v1/models HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n', 400],
    [
      'a bad chunk',
      'POST /v1/models HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
      400,
    ],
    ['a header without a name', 'GET /v1/models HTTP/1.1\r\nhost: x\r\n: y\r\n\r\n', 400],
  ])('error: %s', async (_name, text, status) => {
    const client = open()
    client.write(text)
    await refusedWith(client, status)
    await stillServes()
  })

  test('error: oversized headers', async () => {
    const client = open()
    client.write(`GET /v1/models HTTP/1.1\r\nhost: x\r\nx-big: ${'y'.repeat(20_000)}\r\n\r\n`)
    expect(await refusedWith(client, 431)).toMatchObject({ code: 'headers_too_large' })
  })

  test('error: an oversized body is refused before it is read', async () => {
    const client = open()
    client.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: Bearer ${the.secret}\r\ncontent-length: 99999999\r\n\r\n`,
    )
    expect(await client.hears(/request_too_large/)).toMatch(/^HTTP\/1\.1 413 /)
  })

  test('error: an oversized body in chunks', async () => {
    const client = open()
    client.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`)
    for (let i = 0; i < 4; i++) client.write(`1000\r\n${'x'.repeat(4_096)}\r\n`)
    expect(await client.hears(/request_too_large/)).toMatch(/^HTTP\/1\.1 413 /)
  })

  test('behavior: a truncated body starts no job', async () => {
    const jobs = the.dispatcher.jobs.length
    const client = open()
    client.write(post().slice(0, -10))
    client.socket.end()
    await client.closed
    await stillServes()
    expect(the.dispatcher.jobs.length).toBe(jobs + 1)
  })

  test.each([
    '/v1/models/%',
    '/v1/models/%E0%A4%A',
    '/v1/%00',
    '/v1/models/..%2f..%2fetc%2fpasswd',
    '//',
    `/v1/models/${'a'.repeat(2_000)}`,
    '/v1/models/%F0%9F%98%80',
  ])('error: GET %s', async path => {
    const client = open()
    client.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
    await client.closed
    expect(client.heard).toMatch(/^HTTP\/1\.1 4\d\d /)
    assertOpenAi('ErrorResponse', bodyOf(client.heard))
  })

  test('behavior: header injection by a model name is not possible', async () => {
    const client = open()
    client.write('GET /v1/models/a%0d%0ax-evil:%201 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
    await client.closed
    expect(client.heard).not.toMatch(/^x-evil/m)
  })
})

describe('other kinds of clients', () => {
  test.each(['HTTP/1.0', 'HTTP/1.1'])('behavior: a stream to %s with "connection: close" ends with the connection', async version => {
    the.dispatcher.script = () => textScript('old but alive')
    const client = open()
    const request = post(BODY.replace('{', '{"stream":true,'), { connection: 'close' })
    client.write(request.replace('HTTP/1.1', version))
    await client.closed
    expect(client.heard).toMatch(/alive[\s\S]*data: \[DONE\]/)
  })

  test('behavior: "expect: 100-continue" is answered before the body is sent', async () => {
    the.dispatcher.script = () => textScript('continued')
    const client = open()
    const request = post(BODY, { expect: '100-continue' })
    const end = request.indexOf('\r\n\r\n') + 4
    client.write(request.slice(0, end))
    await client.hears(/100 Continue/)
    client.write(request.slice(end))
    await client.hears(/continued/)
  })
})

describe('pipelining', () => {
  test('behavior: answers come in the order of the requests', async () => {
    the.dispatcher.script = order => textScript(String(order.request.body.user))
    const client = open()
    const one = (user: string) => post(BODY.replace('{', `{"user":"${user}",`))
    client.write(one('first') + one('second') + one('third'))
    await client.hears(/third/)
    expect(client.heard.match(/"content":"(\w+)"/g)).toEqual(['"content":"first"', '"content":"second"', '"content":"third"'])
  })

  test('behavior: a thousand pipelined requests, then gone: nothing is left behind', async () => {
    the.dispatcher.script = () => textScript('x')
    const client = open()
    client.write(`GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n`.repeat(1_000))
    await client.hears(/tiny\/chat/)
    client.destroy()
    await stillServes()
    await until('nothing runs', () => the.gateway.runningJobs === 0)
  })
})

describe('browsers', () => {
  test('behavior: only the console may read answers', async () => {
    const ask = (origin: string, method: string) =>
      fetch(`${the.url}/v1/chat/completions`, { method, headers: { origin, 'access-control-request-method': 'POST' } })
    const console = await ask('http://127.0.0.1:8080', 'OPTIONS')
    expect(console.status).toBe(204)
    expect(console.headers.get('access-control-allow-origin')).toBe('http://127.0.0.1:8080')
    expect(console.headers.get('access-control-allow-headers')).toContain('authorization')
    const evil = await ask('http://127.0.0.1:8081', 'OPTIONS')
    expect(evil.headers.get('access-control-allow-origin')).toBeNull()
    expect(evil.headers.get('access-control-allow-methods')).toBeNull()
  })
})
