import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createManualClock, createSigner, newPrivateKey, recoverSigner } from '#platform'
import {
  bytesToHex,
  domainSeparator,
  encodeFrame,
  jobDomain,
  LINK_MAX_FRAME_BYTES,
  LINK_VERSION,
  type NodeMessage,
  ROUTER_WELCOME_TYPE,
  typedDataDigest,
  ZERO_BYTES32,
} from '#protocol'
import { type FakeNode, type FakeNodeOptions, factsHosting, openFakeLink, startFakeNode } from '../testing/fake-node.ts'
import {
  dispatchRecorded,
  startTestRouter,
  TEST_CHAIN_ID,
  TEST_SETTLEMENT,
  type TestRouter,
  testOrder,
  testPod,
  until,
} from '../testing/harness.ts'
import { signChallenge } from './challenge.ts'

const pod = testPod()
const separator = domainSeparator(jobDomain(TEST_CHAIN_ID, TEST_SETTLEMENT))
let net: TestRouter
let opened: FakeNode[] = []

beforeEach(() => {
  opened = []
})
afterEach(async () => {
  for (const node of opened) node.socket.terminate()
  await net.stop()
})

function open(options: Partial<FakeNodeOptions> = {}): FakeNode {
  const node = openFakeLink({ url: net.url, chainId: TEST_CHAIN_ID, settlement: TEST_SETTLEMENT, pods: [pod], ...options })
  opened.push(node)
  return node
}

function hello(node: FakeNode, changes: Partial<Extract<NodeMessage, { type: 'hello' }>> = {}): void {
  node.send({ type: 'hello', linkVersion: LINK_VERSION, nodeId: node.nodeId, chainId: TEST_CHAIN_ID, ...changes })
}

/** As below, with links that were closed before. */
async function expectHealthyBesides(closedLinks: number): Promise<void> {
  await expectHealthy()
  expect(await net.counted('heurist_router_links_closed_total')).toBe(closedLinks)
}

/** The router still serves an honest node, and no link but its own is left. */
async function expectHealthy(): Promise<void> {
  const honest = await net.node({ pods: [pod] })
  expect((await dispatchRecorded(net.router, testOrder(pod)).ended).completion!.signedReceipt.receipt.node).toBe(honest.nodeId)
  expect(net.router.nodes().map(({ nodeId }) => nodeId)).toEqual([honest.nodeId])
  expect(net.router.openJobs()).toBe(0)
}

describe('handshake', () => {
  test('default: both sides prove their keys', async () => {
    net = await startTestRouter()
    const node = await net.node({ pods: [pod] })
    const challenge = await node.next('challenge')
    const welcome = await node.next('welcome')
    const { nonce, expiresAtMs, router } = challenge
    const digest = typedDataDigest(separator, ROUTER_WELCOME_TYPE, { node: node.nodeId, router, nonce, expiresAtMs })
    expect(recoverSigner(digest, welcome.signature)).toBe(router)
    expect(router).toBe(net.dependencies.signer.address)
    expect(expiresAtMs - Date.now()).toBeLessThanOrEqual(60_000)
    net.router.publishPods([pod])
    expect((await node.next('pods')).pods[0]!.podId).toBe(pod.podId)
  })

  test('error: LINK_VERSION names both versions', async () => {
    net = await startTestRouter()
    const node = open()
    await node.next('challenge')
    hello(node, { linkVersion: 99 })
    const refused = await node.next('refused')
    expect(refused).toMatchObject({ code: 'LINK_VERSION' })
    expect(refused.message).toContain('99')
    expect(refused.message).toContain(`speaks ${LINK_VERSION}`)
    expect(await node.closed).toEqual({ code: 4400, reason: 'LINK_VERSION' })
    await expectHealthy()
  })

  test('error: LINK_WRONG_CHAIN names both chains', async () => {
    net = await startTestRouter()
    const node = open()
    await node.next('challenge')
    hello(node, { chainId: 1 })
    expect((await node.next('refused')).message).toMatch(/chain 1,.*chain 31337/)
    await expectHealthy()
  })

  const forgeries: [string, (node: FakeNode) => Promise<void>][] = [
    [
      'a signature of another key',
      async node => {
        const challenge = await node.next('challenge')
        hello(node)
        const thief = createSigner(newPrivateKey())
        node.send({
          type: 'authenticate',
          nonce: challenge.nonce,
          signature: signChallenge(separator, challenge, thief),
          facts: factsHosting([]),
        })
      },
    ],
    [
      "the challenge of another link, signed by the node's own key (replay)",
      async node => {
        const other = open()
        const stolen = await other.next('challenge')
        await node.next('challenge')
        hello(node)
        node.send({
          type: 'authenticate',
          nonce: stolen.nonce,
          signature: signChallenge(separator, stolen, node.signer),
          facts: factsHosting([]),
        })
        other.socket.terminate()
      },
    ],
    [
      'the nonce of this link with a signature over another',
      async node => {
        const challenge = await node.next('challenge')
        hello(node)
        const replayed = signChallenge(separator, { ...challenge, nonce: bytesToHex(randomBytes(32)) }, node.signer)
        node.send({ type: 'authenticate', nonce: challenge.nonce, signature: replayed, facts: factsHosting([]) })
      },
    ],
    [
      'a signature for another settlement contract',
      async node => {
        const challenge = await node.next('challenge')
        hello(node)
        const elsewhere = domainSeparator(jobDomain(TEST_CHAIN_ID, `0x${'9'.repeat(40)}`))
        node.send({
          type: 'authenticate',
          nonce: challenge.nonce,
          signature: signChallenge(elsewhere, challenge, node.signer),
          facts: factsHosting([]),
        })
      },
    ],
  ]
  test.each(forgeries)('error: LINK_UNAUTHORIZED for %s', async (_name, forge) => {
    net = await startTestRouter()
    const node = open()
    await forge(node)
    expect(await node.closed).toEqual({ code: 4401, reason: 'LINK_UNAUTHORIZED' })
    await expectHealthy()
  })

  const intrusions: [string, (node: FakeNode) => void][] = [
    [
      'authenticate before hello',
      node => node.send({ type: 'authenticate', nonce: ZERO_BYTES32, signature: `0x${'0'.repeat(130)}`, facts: factsHosting([]) }),
    ],
    ['facts before authentication', node => node.send({ type: 'facts', facts: factsHosting([pod]) })],
    ['output before authentication', node => node.sendRaw(encodeFrame(1, 0, { choice: 0, tokens: 1, text: 'x' }))],
    ['a second hello', node => [hello(node), hello(node)]],
    ['an empty batch before authentication', node => node.sendRaw('[0,0]')],
    [
      'a result before authentication',
      node =>
        node.send({
          type: 'signed',
          leases: [{ leaseId: ZERO_BYTES32, fencingToken: 1, digest: ZERO_BYTES32 }],
          signature: `0x${'0'.repeat(130)}`,
        }),
    ],
  ]
  test.each(intrusions)('error: LINK_UNEXPECTED for %s', async (_name, intrude) => {
    net = await startTestRouter()
    const node = open()
    await node.next('challenge')
    intrude(node)
    expect((await node.closed).reason).toBe('LINK_UNEXPECTED')
    await expectHealthy()
  })

  test('error: LINK_TOO_LARGE for a greeting of megabytes', async () => {
    net = await startTestRouter()
    const node = open()
    await node.next('challenge')
    node.sendRaw(JSON.stringify({ type: 'hello', padding: 'x'.repeat(300_000) }))
    expect((await node.closed).reason).toBe('LINK_TOO_LARGE')
    await expectHealthy()
  })

  test('error: LINK_CHALLENGE_EXPIRED for a peer that connects and says nothing, or answers too late', async () => {
    const clock = createManualClock()
    net = await startTestRouter({ challengeMs: 600_000 }, { clock })
    const mute = open()
    const { expiresAtMs } = await mute.next('challenge')
    expect(expiresAtMs - clock.now()).toBe(60_000)
    clock.advance(60_000)
    expect((await mute.closed).reason).toBe('LINK_CHALLENGE_EXPIRED')
    await expectHealthy()
  })

  test('error: LINK_FULL over the bound', async () => {
    net = await startTestRouter({ maxLinks: 1 })
    await net.node({ pods: [pod] })
    expect((await open().closed).reason).toBe('LINK_FULL')
  })
})

describe('a linked node', () => {
  const garbage: [string, (node: FakeNode) => void, string][] = [
    ['text that is not JSON', node => node.sendRaw('{"type":'), 'LINK_MALFORMED'],
    ['an unknown type', node => node.sendRaw('{"type":"root"}'), 'LINK_MALFORMED'],
    ['prototype tricks', node => node.sendRaw('{"__proto__":{"type":"heartbeat"},"type":"constructor"}'), 'LINK_MALFORMED'],
    [
      'fields out of bounds',
      node =>
        node.sendRaw(
          `{"type":"failed","leaseId":"${ZERO_BYTES32}","fencingToken":1,"code":"${'x'.repeat(61)}","message":"","retryable":true}`,
        ),
      'LINK_MALFORMED',
    ],
    ['a truncated frame header', node => node.sendRaw(Buffer.alloc(17)), 'LINK_MALFORMED'],
    [
      'a frame longer than its message',
      node => node.sendRaw(encodeFrame(1, 0, { choice: 0, tokens: 1, text: 'long' }).subarray(0, 20)),
      'LINK_MALFORMED',
    ],
    ['an unknown frame kind', node => node.sendRaw(Buffer.concat([Buffer.alloc(8), Buffer.from([9]), Buffer.alloc(9)])), 'LINK_MALFORMED'],
    ['random bytes', node => node.sendRaw(randomBytes(4096)), 'LINK_MALFORMED'],
    ['a message over the size limit', node => node.sendRaw(Buffer.alloc(LINK_MAX_FRAME_BYTES + 1)), 'LINK_TOO_LARGE'],
    ['a second hello', node => hello(node), 'LINK_UNEXPECTED'],
  ]
  test.each(garbage)('error: is cut off for %s', async (_name, send, code) => {
    net = await startTestRouter()
    const node = await net.node({ pods: [pod] })
    send(node)
    const { code: closeCode, reason } = await node.closed
    // An oversized message is refused by the WebSocket layer itself, with its own close code.
    expect(closeCode === 1009 ? 'LINK_TOO_LARGE' : reason).toBe(code)
    await expectHealthyBesides(1)
  })

  test('error: LINK_MALFORMED for bytes that are not WebSocket at all', async () => {
    net = await startTestRouter()
    const { hostname, port } = new URL(net.url)
    const raw = connect(Number(port), hostname)
    raw.on('error', () => {})
    raw.write(
      `GET /node HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
    )
    await new Promise(resolve => raw.once('data', resolve))
    raw.write(randomBytes(1024))
    raw.resume()
    await new Promise(resolve => raw.once('close', resolve))
    await expectHealthy()
  })

  test('error: LINK_RATE_LIMITED for a flood of messages that belong to no lease', async () => {
    net = await startTestRouter({ strayMessagesPerSecond: 10, strayMessageBurst: 50 })
    const node = await net.node({ pods: [pod] })
    for (let i = 0; i < 200; i++) node.send({ type: 'heartbeat', sentAtMs: i })
    expect(await node.closed).toEqual({ code: 4429, reason: 'LINK_RATE_LIMITED' })
    await expectHealthy()
  })

  test('error: LINK_RATE_LIMITED for a flood of output that belongs to no lease', async () => {
    net = await startTestRouter({ strayMessagesPerSecond: 10, strayMessageBurst: 50 })
    const node = await net.node({ pods: [pod] })
    for (let i = 0; i < 200; i++) node.sendRaw(encodeFrame(77, i, { choice: 0, tokens: 1, text: 'x' }))
    expect((await node.closed).reason).toBe('LINK_RATE_LIMITED')
    await expectHealthy()
  })

  test('error: LINK_RATE_LIMITED for huge texts, paid by their size before they are parsed', async () => {
    net = await startTestRouter({ strayMessagesPerSecond: 10, strayMessageBurst: 500 })
    const node = await net.node({ pods: [pod] })
    const large = factsHosting([pod])
    node.send({
      type: 'facts',
      facts: { ...large, devices: Array.from({ length: 64 }, () => ({ ...large.devices[0]!, name: 'x'.repeat(200) })) },
    })
    await until(() => net.router.nodes()[0]!.facts!.devices.length === 64)
    node.sendRaw(JSON.stringify({ type: 'heartbeat', sentAtMs: 1, padding: 'x'.repeat(4_000_000) }))
    expect((await node.closed).reason).toBe('LINK_RATE_LIMITED')
    await expectHealthy()
  })

  test('error: LINK_RATE_LIMITED for a lease whose phases are announced without end', async () => {
    net = await startTestRouter({ strayMessagesPerSecond: 10, strayMessageBurst: 50 })
    const node = await net.node({
      pods: [pod],
      answer: lease => {
        for (let i = 0; i < 200; i++) lease.phase('running')
      },
    })
    expect((await dispatchRecorded(net.router, testOrder(pod)).ended).failure!.code).toBe('ROUTER_NODE_LOST')
    expect((await node.closed).reason).toBe('LINK_RATE_LIMITED')
    await expectHealthy()
  })

  test('error: LINK_SLOW for a node that does not read', async () => {
    net = await startTestRouter({ maxSendBufferBytes: 1_000_000 })
    const node = await net.node({ pods: [pod] })
    node.socket.pause()
    const large = Array.from({ length: 300 }, () => pod)
    await until(() => {
      net.router.publishPods(large)
      return net.router.nodes().length === 0
    })
    expect(await net.counted('heurist_router_links_closed_total')).toBe(1)
    net.router.publishPods([])
    node.socket.terminate()
    await expectHealthyBesides(1)
  })

  test('error: LINK_SILENT without a heartbeat; any message counts as one', async () => {
    const clock = createManualClock()
    net = await startTestRouter({ heartbeatTimeoutMs: 1000 }, { clock })
    const node = await net.node({ pods: [pod] })
    clock.advance(900)
    node.send({ type: 'heartbeat', sentAtMs: 1 })
    const seen = clock.now()
    while (net.router.nodes()[0]!.lastSeenAtMs !== seen) await new Promise(resolve => setImmediate(resolve))
    clock.advance(999)
    expect(net.router.nodes()).toHaveLength(1)
    clock.advance(1000)
    expect(net.router.nodes()).toHaveLength(0)
    expect((await node.closed).reason).toBe('LINK_SILENT')
  })

  test('error: LINK_FENCED: one link per key, the newer wins, the older loses its jobs', async () => {
    net = await startTestRouter()
    const privateKey = newPrivateKey()
    const older = await net.node({ pods: [pod], privateKey, answer: () => {} })
    const job = dispatchRecorded(net.router, testOrder(pod))
    await older.next('lease')
    const newer = await net.node({ pods: [pod], privateKey })
    expect((await older.closed).reason).toBe('LINK_FENCED')
    expect((await job.ended).failure!.code).toBe('ROUTER_NODE_LOST')
    expect(net.router.nodes()).toHaveLength(1)
    expect((await dispatchRecorded(net.router, testOrder(pod)).ended).completion).not.toBeNull()
    expect(newer.leases).toHaveLength(1)
  })

  test('behavior: a reconnect storm of one key leaves one link and nothing behind', async () => {
    net = await startTestRouter()
    const privateKey = newPrivateKey()
    const options = { url: net.url, chainId: TEST_CHAIN_ID, settlement: TEST_SETTLEMENT, pods: [pod], privateKey }
    for (let round = 0; round < 5; round++) {
      const storm = Array.from({ length: 10 }, () => openFakeLink(options))
      opened.push(...storm)
      await Promise.allSettled(
        storm.map(async node => {
          const challenge = await node.next('challenge')
          hello(node)
          node.send({
            type: 'authenticate',
            nonce: challenge.nonce,
            signature: signChallenge(separator, challenge, node.signer),
            facts: factsHosting([pod]),
          })
          await node.next('welcome')
        }),
      )
    }
    await until(() => opened.filter(node => node.socket.readyState === node.socket.OPEN).length === 1)
    expect(net.router.nodes()).toHaveLength(1)
    expect(net.router.podCapacity(pod.podId)).toMatchObject({ replicas: 1, freeSlots: 4 })
    expect((await dispatchRecorded(net.router, testOrder(pod)).ended).completion).not.toBeNull()
  })
})

test('canary: the fake node links when nothing is wrong', async () => {
  net = await startTestRouter()
  const node = await startFakeNode({ url: net.url, chainId: TEST_CHAIN_ID, settlement: TEST_SETTLEMENT, pods: [pod] })
  opened.push(node)
  expect(net.router.nodes().map(({ nodeId }) => nodeId)).toEqual([node.nodeId])
})
