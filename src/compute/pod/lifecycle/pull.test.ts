import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger, systemClock } from '#platform'
import { startHttpProxy } from '#platform/testing'
import { isHeuristError, podManifestSchema } from '#protocol'
import type { Progress } from './download.ts'
import { createPuller, type Puller, type PullOptions } from './pull.ts'
import { type FakeHub, sha256Of, startFakeHub } from './testing/fake-hub.ts'

const REPOSITORY = 'someone/story-GGUF'
const content = randomBytes(3_000_000)
const other = randomBytes(1000)
let directory: string
let hub: FakeHub
let pullers: Puller[] = []
let progress: Progress[] = []
const signal = new AbortController().signal
const call = { signal, onProgress: (entry: Progress) => progress.push(entry) }

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'heurist-pull-'))
  hub = await startFakeHub(REPOSITORY, [
    { path: 'story-Q4_K_M.gguf', content },
    { path: 'story-Q8_0.gguf', content: other },
    { path: 'README.md', content: Buffer.from('hello'), isLfs: false },
  ])
  progress = []
})
afterEach(async () => {
  await Promise.all(pullers.map(puller => puller.close()))
  pullers = []
  await hub.stop()
  rmSync(directory, { recursive: true, force: true })
})

function makePuller(options: Partial<PullOptions> = {}): Puller {
  const puller = createPuller(
    { cacheDir: directory, cacheBytes: 10_000_000, hubUrl: hub.origin, ...options },
    // random 0: no waiting between tries.
    { clock: systemClock, random: () => 0, logger: silentLogger },
  )
  pullers.push(puller)
  return puller
}

function model(source: string, changes: Record<string, unknown> = {}) {
  const spec = { runtime: 'llm', engine: { name: 'llama' }, model: { id: 'story', source, ...changes }, price: { input: '0', output: '0' } }
  return podManifestSchema.parse({ apiVersion: 'heurist/v1', kind: 'Pod', metadata: { name: 'story' }, spec }).spec.model
}

async function failure(work: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await work
  } catch (error) {
    if (isHeuristError(error)) return error
    throw error
  }
  throw new Error('it did not fail')
}

const FILE = `hf:${REPOSITORY}/story-Q4_K_M.gguf`

describe('pull', () => {
  test('default: from a hub, checked, with progress', async () => {
    const { path, sha256 } = await makePuller().pull(model(FILE), call)
    expect(sha256).toBe(sha256Of(content))
    expect(readFileSync(path).equals(content)).toBe(true)
    expect(progress.at(-1)).toMatchObject({ receivedBytes: content.length, totalBytes: content.length })
  })

  test('behavior: a second pull needs no network, also in a new process', async () => {
    await makePuller().pull(model(FILE), call)
    const before = hub.requests.length
    await makePuller().pull(model(FILE), call)
    await makePuller().pull(model(FILE, { sha256: sha256Of(content) }), call)
    expect(hub.requests).toHaveLength(before)
  })

  test('behavior: through the proxy of its machine', async () => {
    const proxy = await startHttpProxy({ password: 'secret' })
    try {
      const proxies = { httpProxy: proxy.url, httpsProxy: '', noProxy: '' }
      const { sha256 } = await makePuller({ proxies }).pull(model(FILE), call)
      expect(sha256).toBe(sha256Of(content))
      expect(proxy.asked.join('\n')).toContain(`127.0.0.1:${hub.port}`)
      const closed = { ...proxies, httpProxy: proxy.url.replace('secret', 'wrong') }
      const refused = makePuller({ proxies: closed, cacheDir: join(directory, 'other') }).pull(model(FILE), call)
      expect(await failure(refused)).toMatchObject({ message: expect.stringContaining('407') })
    } finally {
      await proxy.stop()
    }
  })

  test('behavior: two pods that want the same model pull it once', async () => {
    const puller = makePuller()
    const [a, b] = await Promise.all([puller.pull(model(FILE), call), puller.pull(model(FILE), call)])
    expect(a.path).toBe(b.path)
    expect(hub.requests.filter(request => request.url.startsWith('/cdn/'))).toHaveLength(1)
  })

  test('behavior: without a file name the listing decides, by quantisation', async () => {
    const puller = makePuller()
    expect((await puller.pull(model(`hf:${REPOSITORY}`), call)).sha256).toBe(sha256Of(content))
    expect((await puller.pull(model(`hf:${REPOSITORY}`, { quantization: 'Q8_0' }), call)).sha256).toBe(sha256Of(other))
    const none = await failure(puller.pull(model(`hf:${REPOSITORY}`, { quantization: 'Q2_K' }), call))
    expect(none).toMatchObject({ code: 'MODEL_NOT_FOUND', message: expect.stringContaining('story-Q8_0.gguf') })
  })

  test('behavior: inspect tells file, size and checksum and pulls nothing', async () => {
    const expected = { bytes: content.length, sha256: sha256Of(content), file: 'story-Q4_K_M.gguf' }
    expect(await makePuller().inspect(model(FILE), signal)).toMatchObject(expected)
    expect(await makePuller().inspect(model(`hf:${REPOSITORY}`), signal)).toMatchObject(expected)
    expect(readdirSync(join(directory, 'blobs'))).toEqual([])
  })

  test('behavior: a connection cut in the middle goes on where it ended', async () => {
    // The redirect of the hub takes no fault; the bytes of the second, third and fourth request do.
    hub.faults.push({ kind: 'cut', afterBytes: 1_000_000 }, { kind: 'cut', afterBytes: 500_000 }, { kind: 'cut', afterBytes: 0 })
    const { sha256 } = await makePuller().pull(model(FILE), call)
    expect(sha256).toBe(sha256Of(content))
    const starts = hub.requests.map(request => Number(/\d+/.exec(request.range ?? '0')?.[0] ?? 0))
    // Bytes that were under way when the connection broke may be lost.
    expect(Math.max(...starts)).toBeGreaterThan(900_000)
    expect(starts).toEqual(starts.toSorted((a, b) => a - b))
  })

  test('behavior: a stopped download goes on after a restart', async () => {
    const stop = new AbortController()
    const puller = createPuller(
      { cacheDir: directory, cacheBytes: 10_000_000, hubUrl: hub.origin },
      { clock: systemClock, random: () => 0.01, logger: silentLogger },
    )
    pullers.push(puller)
    hub.faults.push({ kind: 'cut', afterBytes: 1_200_000 }, { kind: 'status', status: 503, headers: { 'retry-after': '60' } })
    const stopped = failure(puller.pull(model(FILE), { signal: stop.signal }))
    while (hub.requests.length < 2) await new Promise(resolve => setTimeout(resolve, 2))
    stop.abort(new Error('the node stops'))
    expect(await stopped).toMatchObject({ code: 'MODEL_CANCELLED' })
    const before = hub.requests.length
    expect((await makePuller().pull(model(FILE), call)).sha256).toBe(sha256Of(content))
    expect(hub.requests[before]?.range).toMatch(/^bytes=1[12]\d{5}-$/)
  })

  test('behavior: a server that ignores or mistakes the range costs time, not correctness', async () => {
    hub.faults.push({ kind: 'cut', afterBytes: 1_000_000 }, { kind: 'ignore-range' })
    expect((await makePuller().pull(model(FILE), call)).sha256).toBe(sha256Of(content))
    rmSync(join(directory, 'blobs', sha256Of(content)))
    hub.faults.push({ kind: 'cut', afterBytes: 1_000_000 }, { kind: 'wrong-range', offset: 77 })
    expect((await makePuller().pull(model(FILE), call)).sha256).toBe(sha256Of(content))
  })

  test('behavior: a file that changed between two connections is sent from the start', async () => {
    hub.faults.push({ kind: 'cut', afterBytes: 700_000 })
    const changed = randomBytes(content.length)
    const url = `${hub.origin}/${REPOSITORY}/resolve/main/plain.gguf`
    hub.files.push({ path: 'plain.gguf', content, isLfs: false })
    const work = makePuller().pull(model(url), call)
    while (hub.requests.length < 1) await new Promise(resolve => setTimeout(resolve, 1))
    hub.files[hub.files.length - 1] = { path: 'plain.gguf', content: changed, isLfs: false }
    expect((await work).sha256).toBe(sha256Of(changed))
  })

  test('behavior: 429 is waited out as the server asks, 503 by backoff', async () => {
    hub.faults.push({ kind: 'status', status: 429, headers: { 'retry-after': '0.05' } }, { kind: 'status', status: 503 })
    const startedAtMs = performance.now()
    await makePuller().pull(model(FILE), call)
    expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(45)
  })

  test('error: gives up after six tries without progress', async () => {
    for (let i = 0; i < 20; i++) hub.faults.push({ kind: 'status', status: 503 })
    expect(await failure(makePuller().pull(model(FILE), call))).toMatchObject({
      code: 'MODEL_UNREACHABLE',
      message: expect.stringContaining('503'),
    })
    expect(hub.requests).toHaveLength(7)
  })

  const plain: [number, string, RegExp][] = [
    [404, 'MODEL_NOT_FOUND', /HF_TOKEN/],
    [401, 'MODEL_NOT_ALLOWED', /HF_TOKEN/],
    [403, 'MODEL_NOT_ALLOWED', /licence/],
  ]
  for (const [status, code, advice] of plain) {
    test(`error: HTTP ${status} is said at once and not tried again`, async () => {
      hub.faults.push({ kind: 'status', status })
      expect(await failure(makePuller().pull(model(FILE), call))).toMatchObject({ code, message: expect.stringMatching(advice) })
      expect(hub.requests).toHaveLength(1)
    })
  }

  test('error: another file than the manifest names is refused before it is downloaded', async () => {
    const wanted = 'ab'.repeat(32)
    const error = await failure(makePuller().pull(model(FILE, { sha256: wanted }), call))
    expect(error.code).toBe('MODEL_CHECKSUM')
    expect(error.message).toContain(wanted)
    expect(error.message).toContain(sha256Of(content))
    expect(readdirSync(join(directory, 'blobs'))).toEqual([])
  })

  test('error: a wrong checksum deletes the file and says both hashes', async () => {
    hub.files.push({ path: 'plain.gguf', content, isLfs: false })
    const wanted = 'cd'.repeat(32)
    const error = await failure(makePuller().pull(model(`hf:${REPOSITORY}/plain.gguf`, { sha256: wanted }), call))
    expect(error).toMatchObject({ code: 'MODEL_CHECKSUM' })
    expect(error.message).toContain(wanted)
    expect(error.message).toContain(sha256Of(content))
    expect(readdirSync(join(directory, 'parts'))).toEqual([])
  })

  test('error: a part that was damaged on the disk is found out, and the next try is clean', async () => {
    const puller = makePuller()
    const key = `${FILE} main none `
    writeFileSync(puller.cache.partPath(key), randomBytes(1000))
    expect((await failure(puller.pull(model(FILE), call))).code).toBe('MODEL_CHECKSUM')
    expect((await puller.pull(model(FILE), call)).sha256).toBe(sha256Of(content))
  })

  test('error: a server that claims more or fewer bytes than it has', async () => {
    hub.files.push({ path: 'plain.gguf', content, isLfs: false })
    const source = `hf:${REPOSITORY}/plain.gguf`
    hub.faults.push({ kind: 'claim-length', bytes: content.length - 1000 })
    expect((await failure(makePuller().pull(model(source, { bytes: content.length }), call))).code).toBe('MODEL_SIZE')
    // Claims more than it sends, and hangs up: that looks like a cut, and the next connection tells the truth about the total.
    hub.faults.push({ kind: 'claim-length', bytes: content.length + 1000 })
    expect((await failure(makePuller().pull(model(source, { bytes: content.length }), call))).code).toBe('MODEL_SIZE')
  })

  test('error: a model over the cache budget, and one whose size only shows while it comes', async () => {
    expect((await failure(makePuller({ cacheBytes: 1_000_000 }).pull(model(`hf:${REPOSITORY}`), call))).code).toBe('MODEL_CACHE_FULL')
    expect(hub.requests.every(request => request.url.startsWith('/api/'))).toBe(true)
  })

  test('error: an unreachable hub', async () => {
    const error = await failure(makePuller({ hubUrl: 'http://127.0.0.1:1' }).pull(model(FILE), call))
    expect(error).toMatchObject({ code: 'MODEL_UNREACHABLE' })
  })
})

describe('addresses that a model source may not reach', () => {
  let victim: FakeHub
  beforeEach(async () => {
    victim = await startFakeHub('x/y', [{ path: 'secret.gguf', content: other }])
  })
  afterEach(async () => {
    expect(victim.requests).toEqual([])
    await victim.stop()
  })

  const sources: [string, () => string][] = [
    ['plain http', () => `http://127.0.0.1:${victim.port}/secret.gguf`],
    ['https on loopback', () => `https://127.0.0.1:${victim.port}/secret.gguf`],
    ['a name that resolves to loopback', () => `https://localhost:${victim.port}/secret.gguf`],
    ['IPv6 loopback', () => `https://[::1]:${victim.port}/secret.gguf`],
    ['an IPv4-mapped address', () => `https://[::ffff:127.0.0.1]:${victim.port}/secret.gguf`],
    ['a decimal address', () => `https://2130706433:${victim.port}/secret.gguf`],
    ['cloud metadata', () => 'https://169.254.169.254/latest/meta-data'],
  ]
  for (const [label, source] of sources) {
    test(`error: ${label}`, async () => {
      expect((await failure(makePuller().pull(model(source()), call))).code).toBe('MODEL_FORBIDDEN_ADDRESS')
    })
  }

  test('error: a redirect of the hub to another origin over http', async () => {
    hub.faults.push({ kind: 'redirect', location: `http://127.0.0.1:${victim.port}/secret.gguf` })
    expect((await failure(makePuller().pull(model(FILE), call))).code).toBe('MODEL_FORBIDDEN_ADDRESS')
  })

  test('error: a redirect without end', async () => {
    for (let i = 0; i < 100; i++) hub.faults.push({ kind: 'redirect', location: `/${REPOSITORY}/resolve/main/story-Q4_K_M.gguf` })
    expect(await failure(makePuller().pull(model(FILE), call))).toMatchObject({
      code: 'MODEL_UNREACHABLE',
      message: expect.stringContaining('redirects'),
    })
  })

  test('behavior: the token goes to the hub and not beyond', async () => {
    const elsewhere = await startFakeHub('x/y', [{ path: 'story-Q4_K_M.gguf', content }])
    hub.faults.push({ kind: 'redirect', location: `${elsewhere.origin}/cdn/story-Q4_K_M.gguf` })
    try {
      await makePuller({ hubToken: 'hf_secret', trustedOrigins: [elsewhere.origin] }).pull(model(FILE), call)
      expect(hub.requests[0]?.authorization).toBe('Bearer hf_secret')
      expect(elsewhere.requests.map(request => request.authorization)).toEqual([undefined])
    } finally {
      await elsewhere.stop()
    }
  })
})
