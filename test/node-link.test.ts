import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ComputeNode } from '#compute'
import { outputHash } from '#protocol'
import { until } from '../src/compute/node/testing/fake-router.ts'
import { makeTemporaryDirectory, makeTestNode } from '../src/compute/node/testing/fixtures.ts'
import { createTestEngine, type TestEngineOptions } from '../src/compute/node/testing/test-engine.ts'
import { engineError } from '../src/compute/pod/engines/engine.ts'
import {
  dispatchRecorded,
  loadCold,
  STREAMED,
  startTestRouter,
  type TestRouter,
  testOrder,
  testPod,
} from '../src/orchestration/router/testing/harness.ts'

/** The two ends of the node link, each tested alone against a fake of the other, here meet: what one writes the other must take. */
const pod = testPod()
let home: ReturnType<typeof makeTemporaryDirectory>
let router: TestRouter
let node: ComputeNode | null = null

beforeEach(async () => {
  home = makeTemporaryDirectory()
  router = await startTestRouter({ creditTokens: 16 }, { onHostsChanged: () => loadCold(router.router) })
  router.router.publishPods([pod])
})
afterEach(async () => {
  await node?.stop()
  node = null
  await router.stop()
  home.remove()
})

async function startNode(engine: TestEngineOptions = {}): Promise<ReturnType<typeof createTestEngine>> {
  const made = createTestEngine(engine)
  node = makeTestNode(router.url, home.path, { engine: made })
  await node.start()
  await until(() => router.router.podCapacity(pod.podId).warm > 0, 'the router to see a warm pod')
  return made
}

describe('node and router', () => {
  test('default: a job ends with a receipt that both signed, over the output that the user got', async () => {
    await startNode()
    const job = dispatchRecorded(router.router, testOrder(pod))
    const { completion, failure } = await job.ended
    expect(failure).toBeNull()
    expect(job.text()).toBe('Hello world')
    const signed = completion?.signedReceipt
    expect(signed?.receipt.node).toBe(node?.nodeId)
    expect(signed?.receipt.outputHash).toBe(outputHash([{ index: 0, text: 'Hello world', toolCalls: [], finishReason: 'stop' }]))
    expect(completion?.units).toEqual({ inputUnits: 5, outputUnits: 3 })
  })

  test('behavior: a long answer flows through a small window, whole and in order', async () => {
    const pieces = Array.from({ length: 500 }, (_value, index) => ({ choice: 0, tokens: 1, text: `${index},` }))
    await startNode({ pieces })
    const job = dispatchRecorded(router.router, testOrder(pod))
    expect((await job.ended).failure).toBeNull()
    expect(job.text()).toBe(pieces.map(piece => piece.text).join(''))
  })

  test('behavior: many jobs at once over few slots all end well', async () => {
    const engine = await startNode({ slots: 2, beforePiece: () => new Promise(resolve => setImmediate(resolve)) })
    const jobs = Array.from({ length: 50 }, () => dispatchRecorded(router.router, testOrder(pod)))
    const outcomes = await Promise.all(jobs.map(job => job.ended))
    expect(outcomes.filter(({ failure }) => failure !== null)).toEqual([])
    expect(engine.state.maxRunning).toBeLessThanOrEqual(2)
  })

  test('behavior: a client that leaves pays for what it was sent, and the slot is free again', async () => {
    const engine = await startNode({
      beforePiece: (index, { signal }) =>
        index < 2 ? undefined : new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true })),
    })
    const job = dispatchRecorded(router.router, testOrder(pod, { body: STREAMED }))
    await until(() => job.deltas.length === 2, 'two pieces')
    job.control.cancel('client gone')
    const { completion } = await job.ended
    expect(completion?.units.outputUnits).toBe(2)
    expect(completion?.choices[0]).toMatchObject({ text: 'Hello ', finishReason: 'stop' })
    await until(() => engine.state.running === 0 && router.router.podCapacity(pod.podId).freeSlots === 2, 'the slot to be free')
  })

  test('behavior: a client that leaves while much is under way pays for its part alone', async () => {
    const pieces = Array.from({ length: 100 }, () => ({ choice: 0, tokens: 1, text: 'x' }))
    await startNode({ pieces })
    const job = dispatchRecorded(router.router, testOrder(pod, { body: STREAMED }), false)
    await job.firstDelta
    job.control.cancel('client gone')
    const { completion, failure } = await job.ended
    expect(failure).toBeNull()
    expect(completion?.units.outputUnits).toBeLessThanOrEqual(16)
  })

  test('error: a node that stops in the middle of a job costs the user nothing', async () => {
    await startNode({
      beforePiece: (_index, { signal }) => new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true })),
    })
    const job = dispatchRecorded(router.router, testOrder(pod))
    await job.leased
    await node?.stop()
    const { failure } = await job.ended
    expect(failure?.startedOutput).toBe(false)
    expect(failure?.signedDiscard.discard.jobId).toBe(job.order.jobId)
  })

  test('error: a request that the engine refuses is not tried elsewhere', async () => {
    const engine = await startNode({
      beforePiece: () => {
        throw engineError('ENGINE_CONTEXT_EXCEEDED', 'The prompt has 900 tokens, the model holds 512.', { payload: { param: 'messages' } })
      },
    })
    const job = dispatchRecorded(router.router, testOrder(pod))
    const { failure } = await job.ended
    expect(failure).toMatchObject({
      code: 'ROUTER_REQUEST_REJECTED',
      message: expect.stringContaining('900 tokens'),
      param: 'messages',
      attempts: 1,
    })
    expect(engine.state.requests).toHaveLength(1)
  })
})
