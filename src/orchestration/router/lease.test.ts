import { afterEach, describe, expect, test } from 'vitest'
import { createManualClock } from '#platform'
import { jobPreferencesSchema } from '#protocol'
import { createLeaseTable } from './lease.ts'
import { dispatchRecorded, STREAMED, startTestRouter, type TestRouter, testOrder, testPod, until } from './testing/harness.ts'

const pod = testPod('chat/test', { timeouts: { queueMs: 1000, loadMs: 2000, firstTokenMs: 500, totalMs: 10_000 } })
const retryOnce = jobPreferencesSchema.parse({ max_attempts: 2 })
const discardAtOnce = jobPreferencesSchema.parse({ on_failure: 'discard' })
const silent = (): void => {}
let net: TestRouter

afterEach(() => net?.stop())

async function startWithManualClock() {
  const clock = createManualClock()
  net = await startTestRouter({ cancelGraceMs: 200, signMs: 300 }, { clock })
  return clock
}

/** Resolves when the router has handled everything that the node sent before. */
async function settled(): Promise<void> {
  const before = await net.counted('heurist_router_late_results_total')
  await until(async () => (await net.counted('heurist_router_late_results_total')) > before)
}

describe('lease', () => {
  test('error: ROUTER_TOKEN_TIMEOUT when a node falls silent in the middle of its output; a slow client is not its fault', async () => {
    const clock = await startWithManualClock()
    const quick = testPod('chat/quick', { timeouts: { betweenTokensMs: 500 } })
    const node = await net.node({ pods: [quick], answer: lease => lease.text('one') })
    const slow = dispatchRecorded(net.router, testOrder(quick, { body: STREAMED }), false)
    await slow.firstDelta
    clock.advance(1500)
    expect(slow.calls.at(-1)).toBe('delta')
    slow.control.grant(1)
    clock.advance(499)
    node.leases[0]!.text('two')
    await until(() => slow.deltas.length === 2)
    slow.control.grant(1)
    clock.advance(499)
    expect(slow.calls.at(-1)).toBe('delta')
    clock.advance(501)
    expect((await slow.ended).failure).toMatchObject({ code: 'ROUTER_TOKEN_TIMEOUT', startedOutput: true, attempts: 1 })
    expect((await node.next('cancel')).reason).toBe('abort:ROUTER_TOKEN_TIMEOUT')
  })

  test('behavior: fencing tokens grow strictly, over restarts too', () => {
    const clock = createManualClock()
    const dependencies = { clock, random: () => new Uint8Array(32), setBusy: silent, onSlotFreed: silent }
    const grantTwice = () => {
      const table = createLeaseTable({ ...dependencies, random: () => Uint8Array.from({ length: 32 }, (_, i) => (i + ++counter) % 256) })
      const hosting = { node: { session: {}, standing: null }, busy: 0 } as never // cast: only these members are read
      const job = { attempts: 1 } as never // cast: only this member is read
      const terms = { creditTokens: 1, meter: {} as never } // cast: not read here
      return [table.grant(job, hosting, terms).fencingToken, table.grant(job, hosting, terms).fencingToken]
    }
    let counter = 0
    const first = grantTwice()
    clock.advance(1)
    const second = grantTwice()
    const all = [...first, ...second]
    expect(all).toEqual([...all].sort((a, b) => a - b))
    expect(new Set(all).size).toBe(4)
    expect(Number.isSafeInteger(all[3])).toBe(true)
  })

  test('behavior: no output in time: the lease ends, its late result earns nothing, the next node is paid (law L8)', async () => {
    const clock = await startWithManualClock()
    const first = await net.node({ pods: [pod], unitsPerSecond: 1000, answer: silent })
    const second = await net.node({ pods: [pod], unitsPerSecond: 10 })
    const job = dispatchRecorded(net.router, testOrder(pod, { preferences: retryOnce }))
    expect((await job.leased).nodeId).toBe(first.nodeId)
    await first.next('lease')
    clock.advance(499)
    expect(job.retries).toEqual([])
    clock.advance(1)
    expect(job.retries).toEqual(['ROUTER_FIRST_TOKEN_TIMEOUT'])
    const { completion } = await job.ended
    expect(completion!.signedReceipt.receipt).toMatchObject({ node: second.nodeId, attempt: 2 })
    expect(job.leases[1]!.fencingToken).toBeGreaterThan(job.leases[0]!.fencingToken)

    const cancel = await first.next('cancel')
    expect(cancel.reason).toBe('abort:ROUTER_FIRST_TOKEN_TIMEOUT')
    const text = job.text()
    first.leases[0]!.text('too late')
    first.leases[0]!.done()
    await settled()
    expect(job.text()).toBe(text)
    expect(job.calls.filter(call => call === 'completed')).toHaveLength(1)
    expect(first.received.some(message => message.type === 'sign')).toBe(false)
  })

  test('behavior: the slot of an expired lease is given again only when the node has stopped, or after the grace period', async () => {
    const clock = await startWithManualClock()
    const node = await net.node({ pods: [pod], slots: 1, answer: silent })
    const job = dispatchRecorded(net.router, testOrder(pod, { preferences: discardAtOnce }))
    await job.leased
    clock.advance(500)
    expect((await job.ended).failure).toMatchObject({ code: 'ROUTER_FIRST_TOKEN_TIMEOUT', startedOutput: false, attempts: 1 })
    const busy = (): number => net.router.nodes()[0]!.busySlots
    expect(busy()).toBe(1)
    clock.advance(200)
    expect(busy()).toBe(0)

    const again = dispatchRecorded(net.router, testOrder(pod, { preferences: discardAtOnce }))
    await again.leased
    await node.next('lease', message => message.jobId === again.order.jobId)
    clock.advance(500)
    expect(busy()).toBe(1)
    node.leases[1]!.fail('STOPPED', 'as asked')
    await settled()
    expect(busy()).toBe(0)
  })

  test('behavior: a cold pod gets the load deadline, then the first-token deadline', async () => {
    const clock = await startWithManualClock()
    const cold = await net.node({
      facts: {
        replicas: [{ podId: pod.podId, manifestHash: pod.manifestHash, deviceId: 'cpu', state: 'cold', slots: 1, unitsPerSecond: 1 }],
      },
      answer: silent,
    })
    const job = dispatchRecorded(net.router, testOrder(pod, { preferences: discardAtOnce }))
    await job.leased
    expect(job.calls).toEqual(['decided', 'leased', 'loading'])
    expect((await net.replay(job))[0]!.candidates[0]!.keys.warm).toBe(0)
    await cold.next('lease')
    clock.advance(1999)
    cold.leases[0]!.phase('running')
    cold.leases[0]!.phase('loading') // a second load is not believed
    cold.leases[0]!.text('now')
    await job.firstDelta
    clock.advance(5000)
    cold.leases[0]!.done()
    expect((await job.ended).completion).not.toBeNull()

    const stuck = dispatchRecorded(net.router, testOrder(pod, { preferences: discardAtOnce }))
    await stuck.leased
    clock.advance(2000)
    expect((await stuck.ended).failure!.code).toBe('ROUTER_LOAD_TIMEOUT')
  })

  test('behavior: a node can not put its first token off by announcing a second load', async () => {
    const clock = await startWithManualClock()
    const node = await net.node({ pods: [pod], answer: silent })
    const job = dispatchRecorded(net.router, testOrder(pod, { preferences: discardAtOnce }))
    await node.next('lease')
    const [lease] = node.leases
    lease!.phase('loading') // it may have evicted the pod meanwhile: believed once
    lease!.phase('running')
    lease!.phase('loading')
    const { leaseId } = lease!.grant
    node.send({ type: 'declined', leaseId, fencingToken: 1, reason: 'marks that all above was handled' })
    await settled()
    expect(job.calls).toEqual(['decided', 'leased', 'loading'])
    clock.advance(500)
    expect((await job.ended).failure!.code).toBe('ROUTER_FIRST_TOKEN_TIMEOUT')
  })

  test('behavior: the whole job has one deadline, retries and streaming included', async () => {
    const clock = await startWithManualClock()
    const node = await net.node({ pods: [pod], answer: lease => lease.text('first') })
    const job = dispatchRecorded(net.router, testOrder(pod, { totalMs: 3000 }))
    await job.firstDelta
    clock.advance(3000)
    const { failure } = await job.ended
    expect(failure).toMatchObject({ code: 'ROUTER_TOTAL_TIMEOUT', startedOutput: true })
    expect((await node.next('lease')).deadlines).toEqual({ queueMs: 1000, loadMs: 2000, firstTokenMs: 500, totalMs: 3000 })
  })

  test('behavior: a node that does not sign its receipt is not paid, and the job costs nothing', async () => {
    const clock = await startWithManualClock()
    const node = await net.node({ pods: [pod], autoSign: false })
    const job = dispatchRecorded(net.router, testOrder(pod))
    await node.next('sign')
    clock.advance(300)
    expect((await job.ended).failure).toMatchObject({ code: 'ROUTER_NODE_MISBEHAVED', startedOutput: true })
  })
})
