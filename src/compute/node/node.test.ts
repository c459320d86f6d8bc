import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createMetrics, createSigner, newPrivateKey, recoverSigner } from '#platform'
import { startHttpProxy } from '#platform/testing'
import { bytesToHex, groupOf, LINK_VERSION, type NodeMessage, outputHash, type RouterMessage, receiptDigest } from '#protocol'
import type { ComputeNode } from './node.ts'
import { type FakeRouter, type FakeRouterOptions, startFakeRouter, until } from './testing/fake-router.ts'
import { makeLease, makePod, makeReceipt, makeTemporaryDirectory, makeTestNode, TEST_DEVICE } from './testing/fixtures.ts'
import { createTestEngine } from './testing/test-engine.ts'

const pod = makePod('tiny', { tokenizerSha256: 'ab'.repeat(32) })
let home: ReturnType<typeof makeTemporaryDirectory>
let router: FakeRouter | null = null
let node: ComputeNode | null = null

beforeEach(() => {
  home = makeTemporaryDirectory()
})
afterEach(async () => {
  await node?.stop()
  await router?.stop()
  node = null
  router = null
  home.remove()
})

type Changes = Parameters<typeof makeTestNode>[2]

async function startLinked(changes: Changes = {}, routerOptions: FakeRouterOptions = {}) {
  router = await startFakeRouter({ pods: [pod], ...routerOptions })
  node = makeTestNode(router.url, home.path, changes)
  await node.start()
  await until(() => router?.link?.messages.some(message => message.type === 'authenticate'), 'the node to authenticate')
  await until(() => node?.facts().replicas[0]?.state === 'warm', 'the pod to be warm')
  return { router, node, link: router.link }
}

function messagesOf<T extends NodeMessage['type']>(link: FakeRouter['link'], type: T): Extract<NodeMessage, { type: T }>[] {
  return link.messages.filter(message => message.type === type) as Extract<NodeMessage, { type: T }>[] // cast: filtered by type
}

async function first<T extends NodeMessage['type']>(link: FakeRouter['link'], type: T) {
  return until(() => messagesOf(link, type)[0], `a ${type} message`)
}

describe('link', () => {
  test('default: proves its key, checks the router, reports a warm pod', async () => {
    const { link } = await startLinked()
    expect(link.messages.map(message => message.type).slice(0, 2)).toEqual(['hello', 'authenticate'])
    await until(() => messagesOf(link, 'facts').some(message => message.facts.replicas[0]?.state === 'warm'), 'warm facts')
    expect(node?.facts().replicas[0]).toMatchObject({ podId: pod.podId, state: 'warm', slots: 2, unitsPerSecond: 100 })
  })

  test('behavior: sends heartbeats at the interval of the welcome', async () => {
    const { link } = await startLinked({}, { heartbeatIntervalMs: 50 })
    await until(() => messagesOf(link, 'heartbeat').length >= 2, 'two heartbeats')
  })

  test('behavior: its pings keep a quiet way open, and a router that answers none is left', async () => {
    const { link, router: own } = await startLinked({}, { heartbeatIntervalMs: 50 })
    let pings = 0
    link.socket.on('ping', () => {
      pings += 1
    })
    await until(() => pings >= 8, 'eight pings, more than a silent router is given')
    expect(own.links).toHaveLength(1)
    link.socket.pause()
    await until(() => own.links.length === 2 && messagesOf(own.link, 'authenticate').length > 0, 'a new link')
  })

  test('behavior: through the proxy of its machine, and what is wrong with the proxy is said', async () => {
    const proxy = await startHttpProxy({ password: 'secret' })
    try {
      const proxies = { httpProxy: proxy.url, httpsProxy: '', noProxy: '' }
      const { router: behind } = await startLinked({ options: { proxies } })
      expect(proxy.asked).toEqual([`CONNECT 127.0.0.1:${behind.port}`])
      await node?.stop()
      node = makeTestNode(behind.url, home.path, {
        options: { proxies: { ...proxies, httpProxy: proxy.url.replace('secret', 'wrong') } },
      })
      await node.start()
      const link = async () => (await node?.status())?.checks.find(({ name }) => name === 'link')
      await expect
        .poll(link, { timeout: 30_000 })
        .toMatchObject({ detail: expect.stringContaining('407'), fix: expect.stringContaining('HTTP_PROXY') })
    } finally {
      await proxy.stop()
    }
  })

  test('behavior: comes back by itself when the router restarts on the same port', async () => {
    const { router: before } = await startLinked()
    await before.stop()
    router = await startFakeRouter({ pods: [pod], port: before.port })
    await until(() => router?.link?.messages.some(message => message.type === 'authenticate'), 'a new link')
  })

  test('behavior: a router that is not named any more is found again when those that are named are gone', async () => {
    const [former, named] = [await startFakeRouter({ pods: [pod] }), await startFakeRouter({ pods: [pod] })]
    router = former
    let urls = [former.url]
    node = makeTestNode('', home.path, { options: { routerUrls: () => urls } })
    await node.start()
    const greets = (each: FakeRouter) => () => each.links.some(({ messages }) => messages.some(({ type }) => type === 'authenticate'))
    await until(greets(former), 'a link to the only router')
    urls = [named.url]
    await former.stop()
    await until(greets(named), 'a link to the router that is named now')
    router = await startFakeRouter({ pods: [pod], port: former.port })
    await named.stop()
    await until(greets(router), 'a link to the first router again')
  })

  const refusedChallenges: [string, FakeRouterOptions['challenge'], RegExp][] = [
    ['another chain', { chainId: 1 }, /chain 1, this node for chain 31337/],
    [
      'another link version',
      { linkVersion: LINK_VERSION + 1 },
      new RegExp(`version ${LINK_VERSION + 1}.*version ${LINK_VERSION}.*Update this node`),
    ],
    ['a nonce of zeros', { nonce: `0x${'00'.repeat(32)}` }, /without randomness/],
    ['a signature that stays valid for a day', { expiresAtMs: Date.now() + 86_400_000 }, /more than 10 minutes/],
  ]
  for (const [label, challenge, reason] of refusedChallenges) {
    test(`error: does not sign a challenge with ${label}`, async () => {
      router = await startFakeRouter({ challenge: challenge ?? {} })
      node = makeTestNode(router.url, home.path)
      await node.start()
      await until(() => router?.links[0]?.closeCode, 'the node to hang up')
      expect(router.links[0]?.messages.map(message => message.type)).toEqual(['hello'])
      const link = (await node.status()).checks.find(check => check.name === 'link')
      expect(link?.detail).toMatch(reason)
    })
  }

  test('error: refuses a router other than the pinned one', async () => {
    router = await startFakeRouter()
    const pins = { chainId: 31_337, settlement: null, router: '0x00000000000000000000000000000000000000ff' as const }
    node = makeTestNode(router.url, home.path, { options: { pins } })
    await node.start()
    await until(() => router?.links[0]?.closeCode, 'the node to hang up')
    expect(router.links[0]?.messages).toHaveLength(1)
  })

  test('error: refuses a welcome that the router of the challenge did not sign', async () => {
    router = await startFakeRouter({ pods: [pod], welcomeSigner: createSigner(newPrivateKey()) })
    node = makeTestNode(router.url, home.path)
    await node.start()
    await until(() => router?.links[0]?.closeCode, 'the node to hang up')
    expect(node.facts().replicas).toEqual([])
  })

  const hostile: [string, (link: FakeRouter['link']) => void][] = [
    ['an unknown message type', link => link.socket.send('{"type":"reboot"}')],
    ['text that is not JSON', link => link.socket.send('{"type":')],
    ['binary data', link => link.socket.send(Buffer.alloc(64))],
    ['a message over 8 MiB', link => link.socket.send('x'.repeat(9 * 1024 * 1024))],
    ['a second challenge', link => link.send({ ...secondChallenge, router: router!.signer.address })],
    ['a second welcome', link => link.send({ ...secondWelcome, pods: [], signature: `0x${'11'.repeat(65)}` })],
  ]
  for (const [label, send] of hostile) {
    test(`error: hangs up on ${label} and links again`, async () => {
      const { link, router: own } = await startLinked()
      send(link)
      await until(() => link.closeCode !== null, 'the node to hang up')
      await until(() => own.links.length > 1 && messagesOf(own.link, 'authenticate').length > 0, 'a new link')
    })
  }

  test('error: a lease before the welcome is refused', async () => {
    router = await startFakeRouter({ onAuthenticated: link => link.send(makeLease(pod)) })
    const engine = createTestEngine()
    node = makeTestNode(router.url, home.path, { engine })
    await node.start()
    await until(() => router?.links[0]?.closeCode, 'the node to hang up')
    expect(engine.state.requests).toEqual([])
  })
})

describe('start', () => {
  const settings: [string, Parameters<typeof makeTestNode>[2], RegExp][] = [
    ['a name that is too long', { options: { name: 'x'.repeat(61) } }, /name/],
    ['a region that is too long', { options: { region: 'x'.repeat(41) } }, /region/],
  ]
  for (const [label, changes, message] of settings) {
    test(`error: ${label} is said here and not left to the router`, async () => {
      node = makeTestNode('ws://127.0.0.1:1', home.path, changes)
      await expect(node.start()).rejects.toMatchObject({ code: 'NODE_BAD_SETTINGS', message: expect.stringMatching(message) })
    })
  }

  test('error: a share, a number of slots or an address that makes no sense', () => {
    for (const shareBps of [0, 10_001, Number.NaN, 0.5])
      expect(() => makeTestNode('ws://r', home.path, { options: { shareBps } })).toThrow(/share/)
    expect(() => makeTestNode('ws://r', home.path, { options: { slots: 0 } })).toThrow(/slots/)
    expect(() => makeTestNode('http://127.0.0.1:1', home.path)).toThrow(/not a router address/)
  })

  test('behavior: stopping while the registry does not answer ends the start', async () => {
    node = makeTestNode('ws://127.0.0.1:1', home.path, {
      dependencies: { registration: { read: () => Promise.reject(new Error('down')), register: async () => {} }, random: () => 0.9 },
    })
    const started = node.start()
    await Promise.all([expect(started).rejects.toThrow('stopping'), node.stop(), node.stop()])
  })
})

const secondWelcome = { type: 'welcome', sessionId: 's', received: 0, resumeMs: 0, heartbeatIntervalMs: 1 } as const

const secondChallenge = {
  type: 'challenge' as const,
  linkVersion: LINK_VERSION,
  chainId: 31_337,
  settlement: '0x00000000000000000000000000000000000000aa' as const,
  nonce: `0x${'22'.repeat(32)}` as const,
  expiresAtMs: 1,
}

describe('lease', () => {
  test('default: runs, streams, hashes, signs the receipt', async () => {
    const { link, router: own, node: running } = await startLinked()
    const lease = makeLease(pod)
    link.send(lease)
    const done = await first(link, 'done')
    expect(link.frames.map(({ sequence, channel, delta }) => [channel, sequence, delta.text])).toEqual([
      [lease.channel, 0, 'Hello'],
      [lease.channel, 1, ' '],
      [lease.channel, 2, 'world'],
    ])
    expect(done).toMatchObject({ inputUnits: 5, outputUnits: 3, finish: [{ index: 0, reason: 'stop' }] })
    expect(done.outputHash).toBe(outputHash([{ index: 0, text: 'Hello world', toolCalls: [], finishReason: 'stop' }]))
    const receipt = makeReceipt(lease, { node: running.nodeId, outputHash: done.outputHash })
    link.send({ type: 'sign', leaseId: lease.leaseId, fencingToken: lease.fencingToken, receipt })
    const signed = await first(link, 'signed')
    const digest = receiptDigest(own.separator, receipt)
    expect(signed.leases).toEqual([{ leaseId: lease.leaseId, fencingToken: lease.fencingToken, digest: bytesToHex(digest) }])
    expect(recoverSigner(groupOf(own.separator, [digest]).digest, signed.signature)).toBe(running.nodeId)
  })

  test('behavior: what became of leases, replicas and the link is counted', async () => {
    const metrics = createMetrics()
    let jobs = 0
    const beforePiece = (index: number): void => {
      if (index === 0 && jobs++ === 1) throw new Error('the second job breaks')
    }
    const { link, router: own, node: running } = await startLinked({ engine: createTestEngine({ beforePiece }), dependencies: { metrics } })
    const said = async (): Promise<string[]> => (await metrics.registry.metrics()).split('\n')
    const [good, bad] = [makeLease(pod), makeLease(pod)]
    link.send(good)
    const { outputHash: hash } = await first(link, 'done')
    const receipt = makeReceipt(good, { node: running.nodeId, outputHash: hash })
    link.send({ type: 'sign', leaseId: good.leaseId, fencingToken: good.fencingToken, receipt })
    await first(link, 'signed')
    link.send(bad)
    await first(link, 'failed')
    expect(await said()).toEqual(
      expect.arrayContaining([
        'heurist_node_link_up 1',
        'heurist_node_jobs_total{outcome="done"} 1',
        'heurist_node_jobs_total{outcome="failed"} 1',
        'heurist_node_replicas{state="warm"} 1',
        'heurist_node_replicas{state="failed"} 0',
        'heurist_node_replica_events_total{event="loaded"} 1',
        'heurist_node_load_seconds_count 1',
        `heurist_node_device_memory_bytes{device="cpu"} ${TEST_DEVICE.memoryBytes}`,
        'heurist_node_model_cache_bytes 12345',
      ]),
    )
    link.send({ type: 'scale', podId: pod.podId, action: 'evict' })
    await expect.poll(said, { timeout: 30_000 }).toContain('heurist_node_replica_events_total{event="evicted"} 1')
    await own.stop()
    await expect.poll(said, { timeout: 30_000 }).toContain('heurist_node_link_up 0')
  })

  test('behavior: receipts of one turn are signed together', async () => {
    const { link, router: own, node: running } = await startLinked()
    const leases = [makeLease(pod), makeLease(pod), makeLease(pod)]
    for (const lease of leases) link.send(lease)
    const dones = await Promise.all(
      leases.map(({ leaseId }) => until(() => messagesOf(link, 'done').find(message => message.leaseId === leaseId))),
    )
    const receipts = leases.map((lease, i) => makeReceipt(lease, { node: running.nodeId, outputHash: dones[i]!.outputHash }))
    const asked = leases.map(({ leaseId, fencingToken }, i) => ({ type: 'sign' as const, leaseId, fencingToken, receipt: receipts[i]! }))
    for (const message of asked) link.send(message)
    const signed = await first(link, 'signed')
    const digests = receipts.map(receipt => receiptDigest(own.separator, receipt))
    expect(signed.leases.map(({ digest }) => digest)).toEqual(digests.map(bytesToHex))
    expect(recoverSigner(groupOf(own.separator, digests).digest, signed.signature)).toBe(running.nodeId)
    expect(messagesOf(link, 'signed')).toHaveLength(1)
  })

  test('behavior: pieces of one tick travel in one message', async () => {
    const pieces = Array.from({ length: 50 }, (_value, index) => ({ choice: 0, tokens: 1, text: `${index} ` }))
    const { link } = await startLinked({ engine: createTestEngine({ pieces }) })
    link.send(makeLease(pod))
    await first(link, 'done')
    expect(link.frames).toHaveLength(50)
    expect(link.binaryMessages).toBeLessThan(10)
  })

  test('behavior: stops at the credit window and goes on with credit, in order', async () => {
    const pieces = Array.from({ length: 9 }, (_value, index) => ({ choice: 0, tokens: 2, text: `${index}` }))
    const { link } = await startLinked({ engine: createTestEngine({ pieces }) })
    const lease = makeLease(pod, { creditTokens: 6 })
    link.send(lease)
    await until(() => link.frames.length === 3, 'the window to be used up')
    await first(link, 'phase')
    expect(messagesOf(link, 'done')).toEqual([])
    link.send({ type: 'credit', channel: lease.channel, tokens: 4 })
    await until(() => link.frames.length === 5, 'two more pieces')
    link.send({ type: 'credit', channel: lease.channel, tokens: 6 })
    await until(() => link.frames.length === 8, 'three more pieces')
    link.send({ type: 'credit', channel: lease.channel, tokens: 6 })
    await first(link, 'done')
    expect(link.frames.map(frame => frame.delta.text).join('')).toBe('012345678')
  })

  test('behavior: an engine that ignores back-pressure loses nothing within bounds and fails beyond them', async () => {
    const pieces = Array.from({ length: 3000 }, () => ({ choice: 0, tokens: 1, text: 'x' }))
    const { link } = await startLinked({ engine: createTestEngine({ pieces, ignoresBackPressure: true }) })
    link.send(makeLease(pod, { creditTokens: 10 }))
    expect((await first(link, 'failed')).code).toBe('NODE_OUTPUT_OVERFLOW')
    expect(link.frames.length).toBeLessThanOrEqual(10)
  })

  const slow = () => createTestEngine({ beforePiece: (index, { signal }) => (index === 1 ? untilAborted(signal) : undefined) })

  test('behavior: cancel `finish:` keeps what was produced, as done with reason stop', async () => {
    const engine = slow()
    const { link } = await startLinked({ engine })
    const lease = makeLease(pod)
    link.send(lease)
    await until(() => link.frames.length === 1, 'the first piece')
    link.send({ type: 'cancel', leaseId: lease.leaseId, fencingToken: lease.fencingToken, reason: 'finish:client gone' })
    const done = await first(link, 'done')
    expect(done).toMatchObject({ outputUnits: 1, finish: [{ index: 0, reason: 'stop' }] })
    expect(done.outputHash).toBe(outputHash([{ index: 0, text: 'Hello', toolCalls: [], finishReason: 'stop' }]))
    await until(() => engine.state.running === 0, 'the engine to stop')
    expect(messagesOf(link, 'failed')).toEqual([])
  })

  test('behavior: cancel `abort:` throws the output away and frees the slot within 200 ms', async () => {
    const engine = slow()
    const { link } = await startLinked({ engine })
    const lease = makeLease(pod)
    link.send(lease)
    await until(() => link.frames.length === 1, 'the first piece')
    const cancelledAtMs = performance.now()
    link.send({ type: 'cancel', leaseId: lease.leaseId, fencingToken: lease.fencingToken, reason: 'abort:retry elsewhere' })
    expect(await first(link, 'failed')).toMatchObject({ code: 'CANCELLED', retryable: true })
    await until(() => engine.state.running === 0, 'the engine to stop')
    expect(performance.now() - cancelledAtMs).toBeLessThan(200)
    expect(messagesOf(link, 'done')).toEqual([])
  })

  test('behavior: a cancel with another fencing token does nothing', async () => {
    const { link } = await startLinked({ engine: slow() })
    const lease = makeLease(pod)
    link.send(lease)
    await until(() => link.frames.length === 1, 'the first piece')
    link.send({ type: 'cancel', leaseId: lease.leaseId, fencingToken: lease.fencingToken + 1000, reason: 'abort:' })
    const other = makeLease(pod, { podId: `0x${'77'.repeat(32)}` })
    link.send(other)
    expect((await first(link, 'failed')).leaseId).toBe(other.leaseId)
  })

  const badLeases: [string, () => ReturnType<typeof makeLease>, string, boolean][] = [
    ['a pod that was never announced', () => makeLease(pod, { podId: `0x${'77'.repeat(32)}` }), 'NODE_POD_UNKNOWN', true],
    ['another version of the pod', () => makeLease(pod, { manifestHash: `0x${'77'.repeat(32)}` }), 'NODE_MANIFEST_MISMATCH', true],
    [
      'a request that is not the one committed to',
      () => makeLease(pod, { requestHash: `0x${'77'.repeat(32)}` }),
      'NODE_REQUEST_MISMATCH',
      false,
    ],
  ]
  for (const [label, make, code, retryable] of badLeases) {
    test(`error: ${label}`, async () => {
      const engine = createTestEngine()
      const { link } = await startLinked({ engine })
      link.send(make())
      expect(await first(link, 'failed')).toMatchObject({ code, retryable })
      expect(engine.state.requests).toEqual([])
    })
  }

  test('error: a pod that the owner does not allow is neither hosted nor run', async () => {
    const other = makePod('other')
    const engine = createTestEngine()
    const { link } = await startLinked({ engine, options: { allowedPods: ['tiny'] } }, { pods: [pod, other] })
    expect(node?.facts().replicas.map(replica => replica.podId)).toEqual([pod.podId])
    link.send(makeLease(other))
    expect(await first(link, 'failed')).toMatchObject({ code: 'NODE_POD_FORBIDDEN' })
  })

  test('error: the same lease again, and after a restart, is not run twice', async () => {
    const engine = createTestEngine()
    const { link, router: own } = await startLinked({ engine })
    const lease = makeLease(pod)
    link.send(lease)
    await first(link, 'done')
    await node?.stop()
    node = makeTestNode(own.url, home.path, { engine })
    await node.start()
    const again = await until(() => own.links.length === 2 && own.links[1], 'the second link')
    await until(() => messagesOf(again, 'authenticate').length > 0, 'the second start')
    await until(() => node?.facts().replicas[0]?.state === 'warm', 'the pod to be warm')
    again.send(lease)
    expect(await first(again, 'failed')).toMatchObject({ code: 'NODE_LEASE_STALE' })
    expect(engine.state.requests).toHaveLength(1)
  })

  test('behavior: on half a device the same work takes twice as long', async () => {
    const engine = createTestEngine({
      pieces: Array.from({ length: 12 }, () => ({ choice: 0, tokens: 1, text: 'x' })),
      beforePiece: () => new Promise(resolve => setTimeout(resolve, 10)),
    })
    const { link } = await startLinked({ engine, dependencies: { detectDevices: async () => [{ ...TEST_DEVICE, shareBps: 5000 }] } })
    const startedAtMs = performance.now()
    link.send(makeLease(pod))
    await first(link, 'done')
    expect(performance.now() - startedAtMs).toBeGreaterThan(215)
    expect(node?.facts().replicas[0]?.unitsPerSecond).toBe(50)
  })

  test('error: no first token in time', async () => {
    const engine = createTestEngine({ beforePiece: (_index, { signal }) => untilAborted(signal) })
    const { link } = await startLinked({ engine })
    const deadlines = { queueMs: 5000, loadMs: 5000, firstTokenMs: 30, totalMs: 20_000 }
    link.send(makeLease(pod, { deadlines }))
    expect(await first(link, 'failed')).toMatchObject({
      code: 'NODE_DEADLINE',
      retryable: true,
      message: expect.stringContaining('firstToken'),
    })
    await until(() => engine.state.running === 0, 'the engine to stop')
  })

  test('error: no slot in time, while a running lease goes on', async () => {
    const { link } = await startLinked({
      engine: createTestEngine({ slots: 1, beforePiece: (_index, { signal }) => untilAborted(signal) }),
    })
    link.send(makeLease(pod))
    await first(link, 'phase')
    const second = makeLease(pod, { deadlines: { queueMs: 30, loadMs: 5000, firstTokenMs: 5000, totalMs: 20_000 } })
    link.send(second)
    expect(await first(link, 'failed')).toMatchObject({ leaseId: second.leaseId, code: 'NODE_DEADLINE' })
  })

  test('behavior: leases beyond the slots wait for their turn', async () => {
    const engine = createTestEngine({ slots: 1, beforePiece: () => new Promise(resolve => setImmediate(resolve)) })
    const { link } = await startLinked({ engine })
    for (let i = 0; i < 4; i++) link.send(makeLease(pod))
    await until(() => messagesOf(link, 'done').length === 4, 'all four')
    expect(engine.state.maxRunning).toBe(1)
  })

  test('error: an engine that breaks is a retryable failure, and the next job runs', async () => {
    let calls = 0
    const engine = createTestEngine({
      beforePiece: () => {
        calls += 1
        if (calls === 1) throw new Error('out of memory')
      },
    })
    const { link } = await startLinked({ engine })
    link.send(makeLease(pod))
    expect(await first(link, 'failed')).toMatchObject({
      code: 'NODE_ENGINE_FAILED',
      retryable: true,
      message: expect.stringContaining('out of memory'),
    })
    link.send(makeLease(pod))
    await first(link, 'done')
  })

  test('behavior: when the link is lost the engine stops and a new link starts clean', async () => {
    const engine = slow()
    const { link, router: own } = await startLinked({ engine })
    link.send(makeLease(pod))
    await until(() => link.frames.length === 1, 'the first piece')
    link.socket.terminate()
    await until(() => engine.state.running === 0, 'the engine to stop')
    await until(() => own.links.length === 2 && messagesOf(own.link, 'authenticate').length > 0, 'a new link')
    expect(messagesOf(own.link, 'done')).toEqual([])
  })
})

describe('receipt', () => {
  const wrong: [string, Record<string, unknown>, RegExp][] = [
    ['another job', { jobId: `job_${'0'.repeat(32)}` }, /jobId/],
    ['another output', { outputHash: `0x${'33'.repeat(32)}` }, /outputHash/],
    ['another request', { requestHash: `0x${'33'.repeat(32)}` }, /requestHash/],
    ['another node', { node: '0x00000000000000000000000000000000000000cc' }, /node/],
    ['another attempt', { attempt: 2 }, /attempt/],
    ['fewer units than the node is owed', { outputUnits: 70 }, /outputUnits is 70, the node counted 100/],
    ['more units than the node did', { outputUnits: 160 }, /outputUnits is 160/],
    ['fewer input units', { inputUnits: 1000 }, /inputUnits/],
    ['an end before its start', { startedAtMs: 5, finishedAtMs: 4 }, /finished before/],
  ]
  for (const [label, changes, reason] of wrong) {
    test(`error: declines to sign ${label}`, async () => {
      const engine = createTestEngine({ pieces: [{ choice: 0, tokens: 100, text: 'x' }] })
      const { link, node: running } = await startLinked({ engine })
      const lease = makeLease(pod)
      link.send(lease)
      const done = await first(link, 'done')
      const receipt = makeReceipt(lease, { node: running.nodeId, outputHash: done.outputHash }, { outputUnits: 100, ...changes })
      link.send({ type: 'sign', leaseId: lease.leaseId, fencingToken: lease.fencingToken, receipt })
      expect((await first(link, 'declined')).reason).toMatch(reason)
      expect(messagesOf(link, 'signed')).toEqual([])
    })
  }

  test('behavior: signs what a client that left was sent, though more was under way', async () => {
    const engine = createTestEngine({ pieces: [{ choice: 0, tokens: 90, text: 'x' }] })
    const { link, node: running } = await startLinked({ engine })
    const lease = makeLease(pod)
    link.send(lease)
    const done = await first(link, 'done')
    const { leaseId, fencingToken } = lease
    link.send({ type: 'cancel', leaseId, fencingToken, reason: 'finish:client gone' })
    const receipt = makeReceipt(lease, { node: running.nodeId, outputHash: done.outputHash }, { outputUnits: 2 })
    link.send({ type: 'sign', leaseId, fencingToken, receipt })
    await first(link, 'signed')
  })

  test('behavior: without a tokenizer nobody can count input alike, so it is not checked', async () => {
    const plain = makePod('plain')
    const { link, node: running } = await startLinked({}, { pods: [plain] })
    const lease = makeLease(plain)
    link.send(lease)
    const done = await first(link, 'done')
    const receipt = makeReceipt(lease, { node: running.nodeId, outputHash: done.outputHash }, { inputUnits: 900 })
    link.send({ type: 'sign', leaseId: lease.leaseId, fencingToken: lease.fencingToken, receipt })
    await first(link, 'signed')
  })

  test('error: declines before the work is done, and for a lease it does not hold', async () => {
    const { link, node: running } = await startLinked({
      engine: createTestEngine({ beforePiece: (_i, { signal }) => untilAborted(signal) }),
    })
    const lease = makeLease(pod)
    link.send(lease)
    await first(link, 'phase')
    const sign: RouterMessage = {
      type: 'sign',
      leaseId: lease.leaseId,
      fencingToken: lease.fencingToken,
      receipt: makeReceipt(lease, { node: running.nodeId, outputHash: `0x${'33'.repeat(32)}` }),
    }
    link.send(sign)
    link.send({ ...sign, leaseId: `0x${'44'.repeat(32)}` })
    await until(() => messagesOf(link, 'declined').length === 2, 'two declines')
    expect(messagesOf(link, 'declined').map(message => message.reason)).toEqual([
      'The node has not finished this lease.',
      'This node does not hold that lease.',
    ])
  })
})

describe('stop', () => {
  test('default: finishes the running lease, waits for its receipt, then unloads', async () => {
    let open = () => {}
    const gate = new Promise<void>(resolve => {
      open = resolve
    })
    const engine = createTestEngine({ beforePiece: index => (index === 1 ? gate : undefined) })
    const { link, node: running } = await startLinked({ engine, options: { drainTimeoutMs: 8000 } })
    const lease = makeLease(pod)
    link.send(lease)
    await until(() => link.frames.length === 1, 'the first piece')
    const stopped = running.stop()
    const late = makeLease(pod)
    link.send(late)
    expect(await first(link, 'failed')).toMatchObject({ leaseId: late.leaseId, code: 'NODE_DRAINING' })
    open()
    const done = await first(link, 'done')
    const receipt = makeReceipt(lease, { node: running.nodeId, outputHash: done.outputHash })
    link.send({ type: 'sign', leaseId: lease.leaseId, fencingToken: lease.fencingToken, receipt })
    await first(link, 'signed')
    await stopped
    expect(engine.state.unloads).toBe(1)
  })

  test('behavior: a lease that does not end is given back after the drain time', async () => {
    const engine = createTestEngine({ beforePiece: (_index, { signal }) => untilAborted(signal) })
    const { link, node: running } = await startLinked({ engine, options: { drainTimeoutMs: 50 } })
    link.send(makeLease(pod))
    await first(link, 'phase')
    await running.stop()
    expect(await first(link, 'failed')).toMatchObject({ code: 'NODE_DRAINING', retryable: true })
    expect(engine.state).toMatchObject({ running: 0, unloads: 1 })
  })
})

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
