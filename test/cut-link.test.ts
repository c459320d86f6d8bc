import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ComputeNode } from '#compute'
import type { Delta } from '#protocol'
import { until } from '../src/compute/node/testing/fake-router.ts'
import { makeTemporaryDirectory, makeTestNode } from '../src/compute/node/testing/fixtures.ts'
import { createTestEngine, type TestEngineOptions } from '../src/compute/node/testing/test-engine.ts'
import {
  dispatchRecorded,
  loadCold,
  startTestRouter,
  type TestRouter,
  testOrder,
  testPod,
} from '../src/orchestration/router/testing/harness.ts'
import { seededRandom } from './simulation/random.ts'
import { startTcpProxy, type TcpProxy } from './support/tcp-proxy.ts'

/** Node and router over a way that breaks: what a job's client gets is what it would have got without. */
const pod = testPod('chat/test', { model: { id: 'chat/test', source: 'builtin:test', contextLength: 1_000_000 } })
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
const piecesOf = (count: number, text = ''): Delta[] =>
  Array.from({ length: count }, (_, index) => ({ choice: 0, tokens: 1, text: `${index}${text},` }))

let home: ReturnType<typeof makeTemporaryDirectory>
let router: TestRouter
let proxy: TcpProxy
let nodes: ComputeNode[] = []
const onHostsChanged = (): void => loadCold(router.router)

beforeEach(() => {
  home = makeTemporaryDirectory()
})
afterEach(async () => {
  proxy.heal()
  proxy.cutAfter(null)
  for (const node of nodes) await node.stop()
  nodes = []
  await router.stop()
  await proxy.stop()
  home.remove()
})

async function start(engineOptions: TestEngineOptions, options: Parameters<typeof startTestRouter>[0] = {}) {
  router = await startTestRouter(options, { onHostsChanged })
  router.router.publishPods([pod])
  proxy = await startTcpProxy(Number(new URL(router.url).port))
  const engine = createTestEngine(engineOptions)
  const node = makeTestNode(`ws://127.0.0.1:${proxy.port}/node`, home.path, { engine })
  nodes.push(node)
  await node.start()
  await until(() => router.router.podCapacity(pod.podId).warm > 0, 'the router to see a warm pod')
  return { engine, node }
}

describe('a link that is cut', () => {
  test('default: a stream goes on where it was, once it is back; nothing is lost, repeated or computed twice', async () => {
    const pieces = piecesOf(2_000)
    const { engine, node } = await start({ pieces, beforePiece: turn })
    const job = dispatchRecorded(router.router, testOrder(pod))
    for (const count of [100, 700, 1_300]) {
      await until(() => job.deltas.length > count, `${count} pieces`)
      proxy.cut()
      await until(() => router.router.nodes().every(({ online }) => !online), 'the router to notice')
      proxy.heal()
    }
    const { completion, failure } = await job.ended
    expect(failure).toBeNull()
    expect(job.text()).toBe(pieces.map(({ text }) => text).join(''))
    expect(completion?.signedReceipt.receipt).toMatchObject({ node: node.nodeId, attempt: 1, outputUnits: 2_000 })
    expect(job.calls).toEqual(['decided', 'leased', 'delta', 'completed'])
    expect(engine.state.requests).toHaveLength(1)
    expect(await router.counted('heurist_router_links_resumed_total')).toBe(3)
  })

  test.each([1, 2, 3])(
    'property: cut anywhere, in a message or between two, in either direction, all jobs end well (seed %i)',
    async seed => {
      const pieces = piecesOf(150)
      const { engine } = await start({ pieces, slots: 2, beforePiece: turn }, { creditTokens: 16 })
      const random = seededRandom(seed)
      // Enough for a handshake, or no session would ever be heard of again.
      proxy.cutAfter(() => 6_000 + Math.floor(random() * 6_000))
      proxy.cut()
      proxy.heal()
      await until(() => router.router.podCapacity(pod.podId).warm > 0, 'the node to be back')
      const jobs = Array.from({ length: 10 }, () => dispatchRecorded(router.router, testOrder(pod)))
      const outcomes = await Promise.all(jobs.map(({ ended }) => ended))
      expect(outcomes.map(({ failure }) => failure)).toEqual(jobs.map(() => null))
      expect(new Set(jobs.map(job => job.text()))).toEqual(new Set([pieces.map(({ text }) => text).join('')]))
      expect(engine.state.requests).toHaveLength(jobs.length)
      expect(proxy.connections()).toBeGreaterThan(3)
    },
  )

  test('behavior: a node that is cut off keeps no more than its bound: its engine waits, and goes on when the link is back', async () => {
    // 130 pieces of 64 KiB are 8 MiB; half of the bound is 4.
    const pieces = Array.from({ length: 130 }, (_, index) => ({ choice: 0, tokens: 1_024, text: String(index % 10).repeat(65_536) }))
    let begun = 0
    const isCut = Promise.withResolvers<void>()
    const beforePiece = (index: number): Promise<void> => {
      begun = index
      return index === 1 ? isCut.promise : turn()
    }
    await start({ pieces, beforePiece }, { creditTokens: 1_000_000 })
    const job = dispatchRecorded(router.router, testOrder(pod))
    await job.firstDelta
    proxy.cut()
    await until(() => router.router.nodes().every(({ online }) => !online), 'the router to notice')
    isCut.resolve()
    await until(() => begun > 60, 'the engine to run ahead')
    for (let i = 0; i < 200; i++) await turn()
    expect(begun).toBeLessThan(70)
    proxy.heal()
    expect((await job.ended).failure).toBeNull()
    expect(job.text()).toBe(pieces.map(({ text }) => text).join(''))
  })

  test('error: away for longer than the router waits, the job fails and the node is free for others', async () => {
    const waiting = Promise.withResolvers<void>()
    const { engine } = await start(
      { pieces: piecesOf(50), beforePiece: index => (index === 10 ? waiting.promise : undefined) },
      { resumeMs: 100 },
    )
    const job = dispatchRecorded(router.router, testOrder(pod))
    await until(() => job.deltas.length === 10, 'ten pieces')
    proxy.cut()
    expect((await job.ended).failure).toMatchObject({ code: 'ROUTER_NODE_LOST', startedOutput: true })
    proxy.heal()
    waiting.resolve()
    await until(() => engine.state.running === 0 && router.router.podCapacity(pod.podId).freeSlots === 2, 'the slot to be free')
    const next = dispatchRecorded(router.router, testOrder(pod))
    expect((await next.ended).failure).toBeNull()
  })

  test('behavior: a router that runs no more has forgotten its sessions: the node goes to the next at once', async () => {
    const engine = createTestEngine({ pieces: piecesOf(50), beforePiece: (_, { signal }) => aborted(signal) })
    router = await startTestRouter({}, { onHostsChanged })
    const other = await startTestRouter()
    proxy = await startTcpProxy(Number(new URL(router.url).port))
    for (const each of [router, other]) each.router.publishPods([pod])
    const urls = [`ws://127.0.0.1:${proxy.port}/node`]
    const node = makeTestNode('', home.path, { engine, options: { routerUrls: () => urls } })
    nodes.push(node)
    await node.start()
    await until(() => router.router.podCapacity(pod.podId).warm > 0, 'the router to see a warm pod')
    const job = dispatchRecorded(router.router, testOrder(pod))
    await until(() => engine.state.running === 1, 'the engine to run')
    urls.push(other.url)
    await proxy.stop()
    await until(() => other.router.nodes().length === 1, 'the other router to have the node')
    await until(() => engine.state.running === 0, 'the engine to stop')
    expect(job.calls).not.toContain('completed')
    await other.stop()
  })
})
