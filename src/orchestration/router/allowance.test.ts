import { afterEach, describe, expect, test } from 'vitest'
import { createManualClock } from '#platform'
import { jobPreferencesSchema } from '#protocol'
import { dispatchRecorded, startTestRouter, type TestRouter, testOrder, testPod } from './testing/harness.ts'

const pod = testPod('chat/elastic', { timeouts: { queueMs: 1000, loadMs: 2000, firstTokenMs: 500, totalMs: 10_000 } })
const replica = (state: 'cold' | 'warm') => ({
  podId: pod.podId,
  manifestHash: pod.manifestHash,
  deviceId: 'cpu',
  state,
  slots: 1,
  unitsPerSecond: 1,
})
const silent = (): void => {}
let net: TestRouter

afterEach(() => net?.stop())

async function startRouter() {
  const clock = createManualClock()
  net = await startTestRouter({}, { clock })
  return clock
}
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

describe('what jobs may load by themselves', () => {
  test('default: the first job of a pod at zero loads a replica; the others wait until more are allowed', async () => {
    await startRouter()
    for (let count = 0; count < 2; count++) await net.node({ facts: { replicas: [replica('cold')] }, answer: silent })
    net.router.allowLoads(pod.podId, { limit: 2, plain: 1, narrowed: 0 })
    const first = dispatchRecorded(net.router, testOrder(pod))
    await first.leased
    const second = dispatchRecorded(net.router, testOrder(pod))
    await turn()
    expect(second.calls).toEqual([])
    net.router.allowLoads(pod.podId, { limit: 2, plain: 1, narrowed: 0 })
    await second.leased
    expect(second.leases[0]?.nodeId).not.toBe(first.leases[0]?.nodeId)
  })

  test('behavior: a job that the warm node has failed may load where one that any node can do may not', async () => {
    await startRouter()
    await net.node({ facts: { replicas: [replica('warm')] }, answer: lease => lease.fail('BROKEN', 'no') })
    await net.node({ facts: { replicas: [replica('cold')] }, answer: silent })
    net.router.allowLoads(pod.podId, { limit: 2, plain: 0, narrowed: 1 })
    const job = dispatchRecorded(net.router, testOrder(pod))
    await new Promise<void>(function again(resolve) {
      if (job.leases.length === 2) resolve()
      else setImmediate(again, resolve)
    })
    expect(job.calls.at(-1)).toBe('loading')
    expect((await net.replay(job)).map(({ matches }) => matches)).toEqual([true, true])
  })

  test('error: a job that would not wait for a load is refused with a time to come back, and counts as demand', async () => {
    const clock = await startRouter()
    net.router.publishPods([pod])
    await net.node({ facts: { replicas: [replica('cold')] }, answer: silent })
    const preferences = jobPreferencesSchema.parse({ on_cold: 'refuse' })
    const { failure } = await dispatchRecorded(net.router, testOrder(pod, { preferences })).ended
    expect(failure).toMatchObject({ code: 'ROUTER_POD_COLD', attempts: 0, retryAfterMs: 15_000 })
    expect(net.router.loads()).toMatchObject([{ pending: 1, inFlight: 0 }])
    clock.advance(10_000)
    expect(net.router.loads()).toMatchObject([{ pending: 0 }])
    await net.node({ facts: { replicas: [replica('warm')] }, answer: silent })
    await dispatchRecorded(net.router, testOrder(pod, { preferences })).leased
  })

  test('error: where the router may have no replica at all, the job is told so at once', async () => {
    await startRouter()
    await net.node({ facts: { replicas: [replica('cold')] }, answer: silent })
    net.router.allowLoads(pod.podId, { limit: 0, plain: 0, narrowed: 0 })
    const { failure } = await dispatchRecorded(net.router, testOrder(pod)).ended
    expect(failure).toMatchObject({ code: 'ROUTER_POD_ELSEWHERE', attempts: 0 })
  })

  test('error: a job that was held back until its queue deadline says so, and has no decision that a replay would deny', async () => {
    const clock = await startRouter()
    await net.node({ facts: { replicas: [replica('cold')] }, answer: silent })
    net.router.allowLoads(pod.podId, { limit: 1, plain: 0, narrowed: 0 })
    const job = dispatchRecorded(net.router, testOrder(pod))
    await turn()
    clock.advance(1000)
    expect((await job.ended).failure?.code).toBe('ROUTER_QUEUE_TIMEOUT')
    expect(job.decisions).toEqual([])
  })
})
