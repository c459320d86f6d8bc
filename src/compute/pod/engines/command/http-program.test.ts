import { mkdtempSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { JobRequest } from '#protocol'
import { collect, describeEngine } from '../conformance.ts'
import type { LoadedModel } from '../engine.ts'
import { loadText, logged, OF_MODELS_ONLY, type Settings, support } from './testing/load.ts'

const job = (input: unknown, members: Record<string, unknown> = {}): JobRequest => ({
  kind: 'command',
  body: { input: input as never, ...members },
})

/** A program whose server runs `body` for each job with `request`, `response`, `input`; `/health` tells `well`. */
const serving = (body: string): string => `import { createServer } from 'node:http'
import net from 'node:net'
import fs from 'node:fs'
const path = process.env.HEURIST_SOCKET
let well = true
const pause = ms => new Promise(resolve => setTimeout(resolve, ms))
const server = createServer(async (request, response) => {
  if (request.url === '/health') { response.statusCode = well ? 200 : 503; response.end(); return }
  let text = ''
  for await (const piece of request) text += piece
  const input = JSON.parse(text)
  ${body}
})
server.listen(path)
`
/** A program that writes to the bare connection, after it has read what was sent. `input` is its last line. */
const raw = (body: string): string => `import net from 'node:net'
net.createServer(socket => {
  socket.on('error', () => {})
  socket.on('data', async data => {
    const text = String(data)
    if (text.startsWith('GET')) { socket.end('HTTP/1.1 200 OK\\r\\ncontent-length: 0\\r\\n\\r\\n'); return }
    const input = JSON.parse(text.slice(text.lastIndexOf('\\r\\n')))
    if (input === 'ok') { socket.end('HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\nok'); return }
    ${body}
  })
}).listen(process.env.HEURIST_SOCKET)
`
const http = { protocol: 'http', http: { path: '/jobs?v=1', health: '/health' } } as const

describe.skipIf(!support.sandbox)(`command engine over HTTP${support.problem ? ` (skipped: ${support.problem})` : ''}`, () => {
  describeEngine({
    name: 'command over HTTP',
    load: () =>
      loadText(
        serving(`response.on('close', () => { request.isGone = true })
          for (let i = 0; i < 500 && !request.isGone; i++) { response.write(i + ' '); await pause(10) } response.end()`),
        http,
      ),
    long: job('go'),
    skip: OF_MODELS_ONLY,
  })

  const models: LoadedModel[] = []
  afterEach(async () => {
    for (const model of models.splice(0)) await model.unload()
  })
  const using = async (text: string, settings: Settings = {}): Promise<LoadedModel> => {
    const model = await loadText(text, { ...http, ...settings })
    models.push(model)
    return model
  }
  const whole = async (model: LoadedModel, request: JobRequest) => (await collect(model, request)).texts.join('')
  const messageOf = (model: LoadedModel, request: JobRequest): Promise<string> =>
    collect(model, request).then(
      () => '',
      error => error.message as string,
    )

  test('default: the input is posted as it is, the answer comes back as it is', async () => {
    const model = await using(
      serving(`response.end(JSON.stringify([request.method, request.url, request.headers['content-type'], input]))`),
    )
    const { texts, finish, inputUnits, outputUnits } = await collect(model, job({ é: [1, null] }))
    expect(JSON.parse(texts.join(''))).toEqual(['POST', '/jobs?v=1', 'application/json', { é: [1, null] }])
    expect({ finish, inputUnits, outputUnits }).toEqual({ finish: [{ index: 0, reason: 'stop' }], inputUnits: 1, outputUnits: 1 })
  })

  test('behavior: it is well as its health path says; one that ended by itself is started again when it is asked', async () => {
    const model = await using(
      serving(
        `if (input === 'ill') well = false; else response.on('finish', () => setTimeout(() => process.exit(3), 100)); response.end('done')`,
      ),
    )
    const health = (): Promise<void> => model.health!(AbortSignal.timeout(60_000))
    await health()
    await whole(model, job('ill'))
    await expect(health()).rejects.toThrow('/health answers with status 503')
    await whole(model, job('end'))
    await vi.waitFor(() => health(), { timeout: 30_000 })
  })

  test('behavior: nobody is asked whether he is well after a job that he did or refused as he should', async () => {
    const model = await using(
      `${serving(`response.statusCode = input === 'bad' ? 400 : 200; response.end(String(asked))`)}
       let asked = 0
       server.on('request', ({ url }) => { if (url === '/health') asked += 1 })`,
    )
    const first = Number(await whole(model, job('count')))
    for (const input of [1, 'bad', 2]) await whole(model, job(input)).catch(() => undefined)
    expect(Number(await whole(model, job('count')))).toBe(first)
  })

  test('behavior: a chunked answer streams, and no character is cut', async () => {
    const model = await using(
      serving(`for (const byte of Buffer.from('é€𝄞')) { response.write(Buffer.from([byte])); await pause(5) } response.end()`),
    )
    const { deltas } = await collect(model, job(0))
    expect(deltas.map(({ text }) => text)).toEqual(['é', '€', '𝄞'])
  })

  test('behavior: events come as lines of their data, up to [DONE]', async () => {
    const model = await using(
      serving(`response.setHeader('content-type', 'text/event-stream; charset=utf-8')
        response.write(': hello\\n\\ndata: {"a":1}\\n\\nevent: x\\ndata: two\\r\\n\\r\\ndata: [DONE]\\n\\n'); response.write('data: three\\n\\n'); await pause(60000)`),
    )
    expect(await whole(model, job(0))).toBe('{"a":1}\ntwo\n')
  })

  test('behavior: output is cut at its bound, and the program sees its connection closed', async () => {
    const model = await using(
      serving(
        `response.on('close', () => console.log('closed by the node')); while (!response.destroyed) { response.write('€uro'); await pause(1) }`,
      ),
      { maxOutputBytes: 100 },
    )
    const output = await collect(model, job(0))
    expect(output.finish).toEqual([{ index: 0, reason: 'length' }])
    expect(output.texts).toEqual([`${'€uro'.repeat(16)}€u`.slice(0, 66)])
    await vi.waitFor(() => expect(logged).toContain('closed by the node'), { timeout: 30_000 })
  })

  test('behavior: a slow client holds the program back, and not the memory', async () => {
    const model = await using(
      serving(
        `let written = 0; const more = () => { while (written < 64 * 2 ** 20) { written += 65536; if (!response.write('x'.repeat(65536))) { console.log('wrote ' + written); response.once('drain', more); return } } response.end() }; more()`,
      ),
      { maxOutputBytes: 64 * 2 ** 20 },
    )
    logged.length = 0
    const stop = new AbortController()
    let taken = 0
    const running = model.run(job(0), {
      signal: stop.signal,
      emit: () => {
        taken += 1
        return new Promise(() => {})
      },
    })
    running.catch(() => {})
    const written = (): number => Number(logged.findLast(line => line.startsWith('wrote'))?.slice(6) ?? 0)
    await vi.waitFor(() => expect(taken).toBe(1), { timeout: 30_000 })
    // It has written all that fits between the two, and asks no more once that is full.
    let before = -1
    await vi.waitFor(
      () => {
        const now = written()
        const isStill = now === before
        before = now
        expect(isStill && now > 0).toBe(true)
      },
      { timeout: 30_000, interval: 200 },
    )
    expect(written()).toBeLessThan(4 * 2 ** 20)
    stop.abort()
    await expect(running).rejects.toMatchObject({ code: 'ENGINE_CANCELLED' })
  })

  test('behavior: stdout and stderr are the log, without secrets', async () => {
    const model = await using(
      serving(`console.log('out', process.env.TOKEN); console.error('err', process.env.TOKEN); response.end('x')`),
      { secrets: ['TOKEN'] },
    )
    await whole(model, job(0))
    await vi.waitFor(() => expect(logged).toEqual(expect.arrayContaining(['out [secret TOKEN]', 'err [secret TOKEN]'])), {
      timeout: 30_000,
    })
  })

  const REFUSALS: [label: string, statement: string, code: string, message: RegExp, param?: string][] = [
    [
      'of the input',
      `response.writeHead(422); response.end('{"error":{"message":"no text","param":"input.text"}}')`,
      'ENGINE_BAD_REQUEST',
      /status 422: no text/,
      'input.text',
    ],
    ['in plain words', `response.writeHead(400); response.end('too long')`, 'ENGINE_BAD_REQUEST', /status 400: too long/, 'input'],
    ['because it is busy', `response.writeHead(503); response.end('{"detail":"busy"}')`, 'ENGINE_FAILED', /status 503: busy/],
    ['by a redirect', `response.writeHead(302, { location: 'http://169.254.169.254/' }); response.end()`, 'ENGINE_FAILED', /status 302/],
    [
      'that never ends',
      `response.writeHead(500); for (;;) { if (response.destroyed) break; response.write('x'.repeat(65536)); await pause(1) }`,
      'ENGINE_FAILED',
      /status 500: x+$/,
    ],
    ['that tells a secret', `response.writeHead(500); response.end(process.env.TOKEN)`, 'ENGINE_FAILED', /status 500: \[secret TOKEN\]$/],
  ]
  for (const [label, statement, code, message, param] of REFUSALS) {
    test(`error: a refusal ${label}`, async () => {
      const model = await using(serving(statement), { secrets: ['TOKEN'] })
      const payload = param === undefined ? {} : { payload: { param } }
      await expect(collect(model, job(0))).rejects.toMatchObject({ code, message: expect.stringMatching(message), ...payload })
    })
  }

  const HOSTILE: [label: string, statement: string, message: RegExp][] = [
    ['closes midway', `socket.end('HTTP/1.1 200 OK\\r\\ncontent-length: 100\\r\\n\\r\\nhalf')`, /can not be read: other side closed/],
    [
      'claims less than it sends',
      `socket.write('HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\nokHTTP/1.1 200 OK\\r\\ncontent-length: 5\\r\\n\\r\\nother')`,
      /^$/,
    ],
    [
      'claims two lengths',
      `socket.write('HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\ncontent-length: 3\\r\\n\\r\\nabc')`,
      /can not be read/,
    ],
    [
      'claims a length and chunks',
      `socket.write('HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\ntransfer-encoding: chunked\\r\\n\\r\\n2\\r\\nab\\r\\n0\\r\\n\\r\\n')`,
      /can not be read/,
    ],
    [
      'sends a chunk of no length',
      `socket.write('HTTP/1.1 200 OK\\r\\ntransfer-encoding: chunked\\r\\n\\r\\nzz\\r\\nab\\r\\n')`,
      /can not be read/,
    ],
    ['speaks no HTTP', `socket.write('hello\\r\\n\\r\\n')`, /can not be read/],
    ['hangs up', `socket.destroy()`, /can not be read/],
    [
      'sends headers forever',
      `socket.write('HTTP/1.1 200 OK\\r\\n'); const drip = () => { if (!socket.destroyed) socket.write('x-a: ' + 'y'.repeat(1000) + '\\r\\n', () => setImmediate(drip)) }; drip()`,
      /can not be read: Headers Overflow/,
    ],
    [
      'sends 103 forever',
      `const hint = () => { if (!socket.destroyed) socket.write('HTTP/1.1 103 Early Hints\\r\\nlink: x\\r\\n\\r\\n', () => setImmediate(hint)) }; hint()`,
      /more than 16 answers of status 1xx/,
    ],
    ['says nothing', `socket.setTimeout(0)`, /can not be read: Headers Timeout/],
    [
      'stops in the middle',
      `socket.write('HTTP/1.1 200 OK\\r\\ntransfer-encoding: chunked\\r\\n\\r\\n2\\r\\nab\\r\\n')`,
      /can not be read: Body Timeout/,
    ],
    [
      'sends an event without end',
      `socket.write('HTTP/1.1 200 OK\\r\\ncontent-type: text/event-stream\\r\\n\\r\\ndata: '); const drip = () => { if (!socket.destroyed) socket.write('x'.repeat(65536), () => setImmediate(drip)) }; drip()`,
      /a line is longer than/,
    ],
    [
      'switches protocols',
      `socket.write('HTTP/1.1 101 Switching Protocols\\r\\nupgrade: websocket\\r\\nconnection: upgrade\\r\\n\\r\\n')`,
      /can not be read/,
    ],
  ]
  for (const [label, statement, message] of HOSTILE) {
    test(`error: hostile: it ${label}`, async () => {
      // Short waits, so that silence is told apart from work soon.
      const model = await using(raw(statement), { timeouts: { firstTokenMs: 1_500, betweenTokensMs: 1_500 } })
      expect(await messageOf(model, job(0))).toMatch(message)
      expect(await whole(model, job('ok'))).toBe('ok')
    })
  }

  test('error: a body without end is cut at the bound of its output', async () => {
    const model = await using(
      serving(`const drip = () => { if (!response.destroyed) response.write('x'.repeat(65536), () => setImmediate(drip)) }; drip()`),
      { maxOutputBytes: 2 ** 20 },
    )
    const { finish, texts } = await collect(model, job(0))
    expect({ finish, bytes: texts[0]!.length }).toEqual({ finish: [{ index: 0, reason: 'length' }], bytes: 2 ** 20 })
  })

  test('error: its socket becomes a link to one of the host, or a file: neither is opened', async () => {
    const reached: string[] = []
    const folder = mkdtempSync(join(tmpdir(), 'heurist-victim-'))
    const victim = createServer(socket => {
      reached.push('reached')
      socket.on('error', () => {}).destroy()
    })
    await new Promise<void>(resolve => victim.listen(join(folder, 's'), resolve))
    const model = await using(
      serving(
        `response.end('moved'); response.on('close', () => { if (input === 'stay') return; fs.rmSync(path); if (input === 'file') fs.writeFileSync(path, 'x'); else fs.symlinkSync(input, path); console.log('moved to', input) })`,
      ),
      { http: { path: '/' } },
    )
    for (const target of [join(folder, 's'), `/proc/1/root${join(folder, 's')}`, 'file']) {
      expect(await whole(model, job(target)), target).toBe('moved')
      await vi.waitFor(() => expect(logged).toContain(`moved to ${target}`), { timeout: 30_000 })
      expect(await messageOf(model, job(0)), target).toContain('what lies there is no socket')
      // Whatever it did, it is stopped, and the next job has a new program.
      await vi.waitFor(async () => expect(await messageOf(model, job('stay'))).toBe(''), { timeout: 30_000, interval: 200 })
    }
    expect(reached).toEqual([])
    victim.close()
  })

  test('error: a crash fails its jobs, and the next job finds a new program', async () => {
    const model = await using(serving(`if (input === 'die') process.exit(3); response.end('alive')`))
    expect(await messageOf(model, job('die'))).toMatch(/ended \(code 3\)|can not be read/)
    await vi.waitFor(async () => expect(await messageOf(model, job('go'))).toBe(''), { timeout: 30_000, interval: 200 })
  })

  test('error: one that hangs after a cancel is stopped, and its slot comes back', async () => {
    const model = await using(
      serving(`if (input === 'quick') { response.end('quick'); return } response.write('.', () => { for (;;) {} })`),
      { concurrency: 1 },
    )
    const stop = new AbortController()
    await expect(model.run(job('endless'), { signal: stop.signal, emit: () => stop.abort() })).rejects.toMatchObject({
      code: 'ENGINE_CANCELLED',
    })
    await vi.waitFor(async () => expect(await whole(model, job('quick'))).toBe('quick'), { timeout: 30_000, interval: 200 })
  })

  const UNLOADABLE: [label: string, text: string, settings: Settings, message: RegExp][] = [
    ['it never listens', 'setInterval(() => {}, 1000)', { loadMs: 500 }, /not ready within 500 ms: .*ENOENT/],
    [
      'it listens and does not answer',
      `import net from 'node:net'; net.createServer(() => {}).listen(process.env.HEURIST_SOCKET)`,
      { loadMs: 500 },
      /not ready within 500 ms/,
    ],
    ['it is never well', serving('').replace('let well = true', 'let well = false'), { loadMs: 500 }, /health answers with status 503/],
    ['it ends at once', 'process.exit(7)', {}, /code 7/],
    ['its probe fails', serving(`response.writeHead(500); response.end('not well')`), { probe: 1 }, /not well/],
  ]
  for (const [label, text, settings, message] of UNLOADABLE) {
    test(`error: can not be loaded: ${label}`, async () => {
      await expect(loadText(text, { ...http, ...settings })).rejects.toMatchObject({
        code: 'ENGINE_LOAD_FAILED',
        message: expect.stringMatching(message),
      })
    })
  }
})
