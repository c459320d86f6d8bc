import { afterEach, describe, expect, test } from 'vitest'
import { type JobPreferences, jobPreferencesSchema } from '#protocol'
import { answerGreeting, type FakeAnswer, type FakeLease, factsHosting } from './testing/fake-node.ts'
import { dispatchRecorded, STREAMED, startTestRouter, type TestRouter, testOrder, testPod } from './testing/harness.ts'

const pod = testPod()
let net: TestRouter
afterEach(() => net.stop())

const prefer = (preferences: Partial<JobPreferences>) => jobPreferencesSchema.parse(preferences)
const HEDGED = { preferences: prefer({ hedge_after_ms: 30 }), body: STREAMED }
const silent: FakeAnswer = () => undefined

/** A fast node, which is chosen first, and a slow one. */
async function startPair(first: FakeAnswer, second: FakeAnswer = answerGreeting) {
  net = await startTestRouter({ cancelGraceMs: 2_000 })
  const one = await net.node({ pods: [pod], unitsPerSecond: 1000, answer: first })
  const two = await net.node({ pods: [pod], unitsPerSecond: 10, answer: second })
  return { one, two }
}

const hedges = async () => {
  const metric = await net.metrics.registry.getSingleMetric('heurist_router_hedges_total')?.get()
  return metric?.values.map(({ labels, value }) => [labels.event, value])
}

describe('hedging', () => {
  test('default: off, however long a node is silent', async () => {
    const { one, two } = await startPair(lease => void setTimeout(() => answerGreeting(lease), 200))
    const { completion } = await dispatchRecorded(net.router, testOrder(pod)).ended
    expect(completion?.signedReceipt.receipt.node).toBe(one.nodeId)
    expect(two.leases).toHaveLength(0)
  })

  test('behavior: a silent node gets company; the second one gives the output, is paid alone, and both decisions replay', async () => {
    const { one, two } = await startPair(silent)
    const job = dispatchRecorded(net.router, testOrder(pod, HEDGED))
    const { completion } = await job.ended
    expect(completion?.signedReceipt.receipt).toMatchObject({ node: two.nodeId, attempt: 2, decisionHash: job.decisions[1]?.recordHash })
    expect(job.calls).toEqual(['decided', 'leased', 'decided', 'leased', 'delta', 'completed'])
    expect(await one.next('cancel')).toMatchObject({ leaseId: one.leases[0]?.grant.leaseId, reason: 'abort:HEDGED' })
    expect((await net.replay(job)).flatMap(({ differences }) => differences)).toEqual([])
    expect(await hedges()).toEqual([
      ['begun', 1],
      ['won', 1],
    ])
  })

  test('behavior: the first one is not too late until the second has sent output, and the receipt names its decision', async () => {
    let first: FakeLease | null = null
    const { one, two } = await startPair(
      lease => {
        first = lease
      },
      () => answerGreeting(first!),
    )
    const job = dispatchRecorded(net.router, testOrder(pod, HEDGED))
    const { completion } = await job.ended
    expect(completion?.signedReceipt.receipt).toMatchObject({ node: one.nodeId, attempt: 1, decisionHash: job.decisions[0]?.recordHash })
    expect(job.leases.map(({ nodeId }) => nodeId)).toEqual([one.nodeId, two.nodeId, one.nodeId])
    await two.next('cancel')
  })

  test('behavior: what the slower one sends afterwards is not heard and earns nothing (laws L7, L8)', async () => {
    const begun = Promise.withResolvers<FakeLease>()
    const { one } = await startPair(lease => begun.resolve(lease))
    const job = dispatchRecorded(net.router, testOrder(pod, HEDGED))
    const { completion } = await job.ended
    const text = job.text()
    const late = await begun.promise
    late.text('too late')
    late.done()
    await one.next('cancel')
    await expect.poll(() => net.router.podCapacity(pod.podId).freeSlots, { timeout: 10_000 }).toBe(8)
    expect(job.text()).toBe(text)
    expect(completion?.signedReceipt.receipt.node).not.toBe(one.nodeId)
    expect(job.calls.filter(call => call === 'completed')).toHaveLength(1)
  })

  const ends: [string, (lease: FakeLease) => void][] = [
    ['fails', lease => lease.fail('OUT_OF_MEMORY', 'no memory left')],
    ['declines', lease => lease.decline('busy')],
  ]
  test.each(ends)('behavior: when one %s the other goes on, without a retry', async (_how, end) => {
    const left = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<FakeLease>()
    const { one, two } = await startPair(
      lease => begun.resolve(lease),
      async lease => {
        end(await begun.promise)
        await left.promise
        answerGreeting(lease)
      },
    )
    const job = dispatchRecorded(net.router, testOrder(pod, HEDGED))
    await expect.poll(() => job.leases.length, { timeout: 10_000 }).toBe(3)
    left.resolve()
    const { completion } = await job.ended
    expect(completion?.signedReceipt.receipt.node).toBe(two.nodeId)
    expect(job.retries).toEqual([])
    expect(one.leases).toHaveLength(1)
  })

  test('behavior: when both have failed, a third node gets what is left of the attempts', async () => {
    const begun = Promise.withResolvers<FakeLease>()
    const fail = (lease: FakeLease): void => lease.fail('OUT_OF_MEMORY', 'no memory left')
    await startPair(
      lease => begun.resolve(lease),
      async lease => {
        fail(await begun.promise)
        fail(lease)
      },
    )
    const third = await net.node({ pods: [pod], unitsPerSecond: 1 })
    const job = dispatchRecorded(net.router, testOrder(pod, HEDGED))
    const { completion } = await job.ended
    expect(completion?.signedReceipt.receipt).toMatchObject({ node: third.nodeId, attempt: 3 })
    expect(job.retries).toEqual(['ROUTER_NODE_FAILED'])
    expect((await net.replay(job)).flatMap(({ differences }) => differences)).toEqual([])
  })

  test('behavior: a client that leaves ends both attempts', async () => {
    const { one, two } = await startPair(silent, silent)
    const job = dispatchRecorded(net.router, testOrder(pod, HEDGED))
    await two.next('lease')
    job.control.cancel('client gone')
    expect((await job.ended).failure).toMatchObject({ code: 'ROUTER_CANCELLED', attempts: 2 })
    await Promise.all([one.next('cancel'), two.next('cancel')])
  })

  test('behavior: a lost node leaves the job to the other', async () => {
    const left = Promise.withResolvers<void>()
    const { one, two } = await startPair(silent, async lease => {
      one.socket.terminate()
      await left.promise
      answerGreeting(lease)
    })
    const job = dispatchRecorded(net.router, testOrder(pod, HEDGED))
    await expect.poll(() => job.leases.length, { timeout: 10_000 }).toBe(3)
    left.resolve()
    const { completion } = await job.ended
    expect(completion?.signedReceipt.receipt.node).toBe(two.nodeId)
  })

  test('behavior: never more attempts than the user allows, and nothing is loaded for one', async () => {
    net = await startTestRouter()
    const slow: FakeAnswer = lease => void setTimeout(() => answerGreeting(lease), 150)
    const one = await net.node({ pods: [pod], unitsPerSecond: 1000, answer: slow })
    const { replicas, ...facts } = factsHosting([pod])
    const cold = await net.node({ facts: { ...facts, replicas: replicas.map(replica => ({ ...replica, state: 'cold' })) } })
    for (const preferences of [prefer({ hedge_after_ms: 10, max_attempts: 1 }), prefer({ hedge_after_ms: 10 })]) {
      const { completion } = await dispatchRecorded(net.router, testOrder(pod, { preferences })).ended
      expect(completion?.signedReceipt.receipt).toMatchObject({ node: one.nodeId, attempt: 1 })
    }
    expect(cold.leases).toHaveLength(0)
  })
})
