import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { eventually, isAlive, type Network, newHome, removeHome, startNetwork } from '../support/network.ts'

const MOST_GROWTH_BYTES = 150 * 1024 * 1024

type Answer = { status: number; text: string; error: { code: string; message: string; param: string | null } }
type Job = { jobId: string; state: string; units: { outputUnits: number } | null; price: string; receipt: object | null }

/** The started network under people who mean no good, or do not know better. After each group it is as it was. */
describe('hostile', () => {
  const home = newHome()
  const sockets: Socket[] = []
  let network: Network
  let base: string
  let port: number
  let chat: string
  let pids: Record<string, number>
  let rssBytes: number

  beforeAll(async () => {
    network = await startNetwork(home, { HEURIST_DEV_NODES: '1', HEURIST_REQUESTS_PER_MINUTE: '5000' })
    const dev = network.dev()
    base = dev.gatewayUrl.replace('/v1', '')
    port = Number(new URL(base).port)
    chat = dev.models.chat
    pids = dev.pids
    expect(await says()).toBe(200)
    rssBytes = rssOf(pids.main ?? 0)
  }, 300_000)
  afterAll(async () => {
    await network?.stop()
    removeHome(home)
  }, 60_000)
  // Each test is one group.
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    expect(await says(), 'the network still answers').toBe(200)
    expect(network.dev().pids, 'no process was replaced').toEqual(pids)
    expect(Object.values(pids).every(isAlive)).toBe(true)
    expect(rssOf(pids.main ?? 0) - rssBytes, 'memory of the main process').toBeLessThan(MOST_GROWTH_BYTES)
  }, 30_000)

  const chatBody = (changes: object = {}): string =>
    JSON.stringify({ model: chat, messages: [{ role: 'user', content: 'Hello' }], max_tokens: 4, ...changes })
  const send = async (path: string, init: RequestInit & { key?: string } = {}): Promise<Answer> => {
    const { key = network.dev().apiKey, ...rest } = init
    const headers = {
      ...(key && { authorization: `Bearer ${key}` }),
      ...(rest.body !== undefined && { 'content-type': 'application/json' }),
      ...rest.headers,
    }
    const response = await fetch(`${base}${path}`, { ...rest, headers })
    const text = await response.text()
    const { error } = text.startsWith('{') ? (JSON.parse(text) as Partial<Answer>) : {} // cast: probed by the expectations
    return { status: response.status, text, error: error ?? { code: '', message: '', param: null } }
  }
  const complete = (body: string | Buffer = chatBody(), key?: string): Promise<Answer> =>
    send('/v1/chat/completions', { method: 'POST', body, ...(key !== undefined && { key }) })
  const says = async (): Promise<number> => (await complete()).status
  const makeKey = async (body: object): Promise<{ secret: string; keyId: string }> =>
    JSON.parse(
      (
        await send('/api/keys', {
          method: 'POST',
          key: network.dev().adminKey,
          body: JSON.stringify({ name: 'test', scopes: ['inference', 'read'], ...body }),
        })
      ).text,
    ) as { secret: string; keyId: string } // cast: our own API
  const raw = (text: string): { heard: () => string; closed: Promise<void>; socket: Socket } => {
    const socket = connect(port, '127.0.0.1')
    sockets.push(socket)
    let heard = ''
    socket
      .on('error', () => undefined)
      .on('data', bytes => {
        heard += bytes.toString('latin1')
      })
    const closed = new Promise<void>(resolve => socket.once('close', () => resolve()))
    socket.write(text)
    return { heard: () => heard, closed, socket }
  }
  const post = (body: string, headers = ''): string =>
    `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${network.dev().apiKey}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`

  test('error: bodies that are no request are refused by name', async () => {
    const cases: [what: string, body: string | Buffer, status: number, code: RegExp][] = [
      ['not JSON', 'hello', 400, /invalid_json/],
      ['nothing', '', 400, /invalid_json|invalid_type/],
      ['null', 'null', 400, /invalid/],
      ['a list', '[]', 400, /invalid/],
      ['deep nesting', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 400, /invalid/],
      ['__proto__', chatBody().replace('{', '{"__proto__": {"isAdmin": true}, '), 400, /invalid/],
      ['a lone surrogate', chatBody().replace('Hello', '\\ud800'), 400, /invalid/],
      [
        'bytes that are no UTF-8',
        Buffer.from([...Buffer.from(chatBody().replace('Hello', 'x'))].map(byte => (byte === 120 ? 0xff : byte))),
        400,
        /invalid/,
      ],
      ['no messages', chatBody({ messages: [] }), 400, /invalid_value/],
      ['wrong types', chatBody({ messages: 'hi' }), 400, /invalid_type/],
      ['a negative limit', chatBody({ max_tokens: -1 }), 400, /invalid_value/],
      ['a huge number', chatBody().replace('"max_tokens":4', '"max_tokens":1e400'), 400, /invalid/],
      ['an unknown model', chatBody({ model: 'no/such' }), 404, /model_not_found/],
    ]
    for (const [what, body, status, code] of cases) {
      const answer = await complete(body)
      expect([what, answer.status, answer.error.code]).toEqual([what, status, expect.stringMatching(code)])
    }
    const long = await complete(chatBody({ messages: [{ role: 'user', content: 'word '.repeat(5_000) }] }))
    expect([long.status, long.error.code]).toEqual([400, 'context_length_exceeded'])
    expect(long.error.message.match(/\d+/g)?.length, long.error.message).toBeGreaterThanOrEqual(2)
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined()
  }, 60_000)

  test('error: wrong paths, methods and content types are refused by name', async () => {
    expect((await send('/v1/models/%')).status).toBe(400)
    expect((await send('/v1/models/..%2f..%2fetc%2fpasswd')).status).toBe(404)
    expect((await send('/v1/chat/completions')).status).toBe(405)
    expect((await send('/v1/models', { method: 'DELETE' })).status).toBe(405)
    const typed = await send('/v1/chat/completions', { method: 'POST', body: chatBody(), headers: { 'content-type': 'text/plain' } })
    expect([typed.status, typed.error.code]).toEqual([415, 'unsupported_media_type'])
  }, 30_000)

  test('error: slow, cut, pipelined and oversized HTTP holds nothing up', async () => {
    const slowHeaders = raw('POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n')
    raw(post(chatBody()).slice(0, -10))
    const oversized = raw(post(chatBody(), `x-long: ${'a'.repeat(20_000)}\r\n`))
    await oversized.closed
    expect(oversized.heard()).toMatch(/^HTTP\/1\.1 431 /)
    // Refused by its length, before it is read.
    const huge = raw(post(chatBody({ user: 'a'.repeat(5 * 1024 * 1024) })).slice(0, 2_000))
    await huge.closed
    expect(huge.heard()).toMatch(/^HTTP\/1\.1 413 .*request_too_large/s)
    const smuggled = raw(post(chatBody(), 'transfer-encoding: chunked\r\n'))
    await smuggled.closed
    expect(smuggled.heard()).toMatch(/^HTTP\/1\.1 400 /)
    const cut = raw(post(chatBody()).slice(0, -5))
    cut.socket.end()
    await cut.closed
    expect(cut.heard()).not.toContain(' 200 ')
    const pipelined = raw('GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(50))
    await eventually('50 answers', async () => (pipelined.heard().match(/HTTP\/1\.1 200 /g) ?? []).length === 50)
    expect(await says()).toBe(200)
    await slowHeaders.closed
    expect(slowHeaders.heard()).toMatch(/^HTTP\/1\.1 408 /)
  }, 60_000)

  test('behavior: 200 connections that say nothing keep nobody out', async () => {
    const idle = Array.from({ length: 200 }, () => raw(''))
    await eventually('they are open', async () => idle.every(({ socket }) => socket.readyState === 'open'))
    expect(await says()).toBe(200)
  }, 30_000)

  test('behavior: a client that leaves in mid-stream pays for what it was sent, and its slot is free again', async () => {
    const leaver = new AbortController()
    const headers = { authorization: `Bearer ${network.dev().apiKey}`, 'content-type': 'application/json' }
    const body = chatBody({ stream: true, max_tokens: 400, messages: [{ role: 'user', content: 'Tell me a story.' }] })
    const response = await fetch(`${base}/v1/chat/completions`, { method: 'POST', headers, body, signal: leaver.signal })
    const jobId = response.headers.get('x-heurist-job-id') ?? ''
    let heard = ''
    for await (const part of response.body ?? []) {
      heard += Buffer.from(part).toString()
      if (/"content":"[^"]/.test(heard)) break
    }
    leaver.abort()
    const job = await eventually('the job to end', async () => {
      const found = JSON.parse((await send(`/api/jobs/${jobId}`)).text) as Job // cast: our own API
      return ['succeeded', 'cancelled', 'failed'].includes(found.state) && found
    })
    expect(['succeeded', 'cancelled']).toContain(job.state)
    expect(job.receipt).not.toBeNull()
    expect(BigInt(job.price)).toBeGreaterThan(0n)
    expect(job.units?.outputUnits).toBeGreaterThan(0)
    expect(job.units?.outputUnits ?? 0).toBeLessThan(400)
    expect(await Promise.all(Array.from({ length: 8 }, says)), 'all slots are free').toEqual(Array(8).fill(200))
  }, 60_000)

  test('error: keys that are missing, wrong, expired or revoked open nothing', async () => {
    expect(await complete(chatBody(), '')).toMatchObject({ status: 401, error: { code: 'missing_api_key' } })
    for (const wrong of ['x', `${network.dev().apiKey}0`, 'sk-'.padEnd(4_000, 'a'), "' or 1=1 --"]) {
      expect(await complete(chatBody(), wrong), wrong.slice(0, 20)).toMatchObject({ status: 401, error: { code: 'invalid_api_key' } })
    }
    const brief = await network.cli('key', 'create', '--name', 'brief', '--expires-in-days', '0.00002', '--json')
    const { secret } = JSON.parse(brief.stdout) as { secret: string } // cast: our own CLI
    const expired = await eventually('the key to expire', async () =>
      ((a: Answer) => a.status === 401 && a)(await complete(chatBody(), secret)),
    )
    expect(expired.error.message).not.toContain(secret)
    const revoked = await makeKey({})
    expect((await complete(chatBody(), revoked.secret)).status).toBe(200)
    expect((await network.cli('key', 'revoke', revoked.keyId)).code).toBe(0)
    await eventually('the key to be refused', async () => (await complete(chatBody(), revoked.secret)).status === 401)
  }, 60_000)

  test('error: another account sees no job, no key and no credit of ours, and can not make itself more', async () => {
    const { response } = await network
      .client()
      .chat.completions.create({ model: chat, messages: [{ role: 'user', content: 'Hello' }], max_tokens: 4 })
      .withResponse()
    const jobId = response.headers.get('x-heurist-job-id') ?? ''
    const { secret: key } = await makeKey({ account: `0x${'ab'.repeat(20)}` })
    expect((await send(`/api/jobs/${jobId}`)).status).toBe(200)
    expect((await send(`/api/jobs/${jobId}`, { key })).status).toBe(404)
    expect((await send('/api/jobs', { key })).text).not.toContain(jobId)
    expect((await send('/api/credits', { key })).text).toContain('"credits":"0"')
    expect((await send('/api/keys', { key })).text).not.toContain('dev admin')
    const grab = { method: 'POST', key, body: JSON.stringify({ name: 'x', scopes: ['admin'] }) }
    expect((await send('/api/keys', grab)).status).toBe(403)
    const first = { method: 'POST', key, body: JSON.stringify({ name: 'x', weight: 100 }) }
    expect((await send('/api/keys', first)).status).toBe(403)
    for (const weight of [0, 1.5, 101, '7']) {
      const wrong = { method: 'POST', key: network.dev().adminKey, body: JSON.stringify({ name: 'x', weight }) }
      expect((await send('/api/keys', wrong)).status, `weight ${weight}`).toBe(400)
    }
    expect((await complete(chatBody(), key)).error.code).toBe('insufficient_quota')
  }, 30_000)

  test('error: a key that may infer reads nothing, and only an admin key makes or revokes keys', async () => {
    const { secret: key } = await makeKey({ scopes: ['inference'], budgetCredits: 1, expiresInDays: 1 })
    const readers = ['/api/jobs', `/api/jobs/job_${'0'.repeat(32)}`, '/api/credits', '/api/credits/history', '/api/keys']
    for (const path of readers)
      expect(await send(path, { key }), path).toMatchObject({ status: 403, error: { code: 'insufficient_permissions' } })
    const unlimited = { method: 'POST', body: JSON.stringify({ name: 'mine', scopes: ['inference'] }) }
    const { keyId } = await makeKey({})
    for (const mine of [key, network.dev().apiKey]) {
      expect((await send('/api/keys', { ...unlimited, key: mine })).status).toBe(403)
      expect((await send(`/api/keys/${keyId}`, { method: 'DELETE', key: mine })).status).toBe(403)
    }
    expect((await complete(chatBody(), key)).status).toBe(200)
    for (const name of ['', 'a\u0000b', 'two\nlines', 'x'.repeat(101)]) {
      const named = { method: 'POST', key: network.dev().adminKey, body: JSON.stringify({ name }) }
      expect(await send('/api/keys', named), JSON.stringify(name)).toMatchObject({ status: 400, error: { code: 'invalid_value' } })
    }
  }, 30_000)

  test('behavior: a new key has the rate limit that the settings give', async () => {
    const key = await makeKey({})
    const { headers } = await fetch(`${base}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key.secret}`, 'content-type': 'application/json' },
      body: chatBody(),
    })
    expect(headers.get('x-ratelimit-limit-requests')).toBe('5000')
  })

  test('error: strangers on the node link get no work and do no harm', async () => {
    expect((await send('/node')).status).toBeGreaterThanOrEqual(400)
    const open = (): WebSocket => new WebSocket(`${base.replace('http', 'ws')}/node`)
    const closing = (link: WebSocket): Promise<number> =>
      new Promise(resolve => link.on('error', () => undefined).once('close', code => resolve(code)))
    const hello = JSON.stringify({ type: 'hello', linkVersion: 1, nodeId: `0x${'cd'.repeat(20)}`, chainId: network.dev().chainId })
    const unsigned = JSON.stringify({ type: 'authenticate', nonce: `0x${'0'.repeat(64)}`, signature: `0x${'0'.repeat(130)}`, facts: {} })
    const talks: (string | Buffer)[][] = [
      ['garbage'],
      [randomBytes(5_000)],
      ['{"type":"__proto__"}'],
      ['['.repeat(50_000)],
      [hello, unsigned],
      [unsigned],
      [hello.replace('"linkVersion":1', '"linkVersion":999')],
      [hello, JSON.stringify({ type: 'result', leaseId: 'x' })],
    ]
    for (const talk of talks) {
      const link = open()
      const closed = closing(link)
      await new Promise(resolve => link.once('open', resolve))
      for (const frame of talk) link.send(frame)
      expect(await closed, String(talk[0]).slice(0, 30)).toBeGreaterThan(1000)
    }
    const crowd = Array.from({ length: 50 }, open)
    const gone = Promise.all(crowd.map(closing))
    for (const link of crowd) link.once('open', () => link.send(randomBytes(100_000)))
    await gone
    const nodes = JSON.parse((await network.cli('node', 'list', '--json')).stdout) as { online: boolean }[] // cast: our own CLI
    expect(nodes.filter(({ online }) => online).length).toBe(1)
  }, 60_000)
})

function rssOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
}
