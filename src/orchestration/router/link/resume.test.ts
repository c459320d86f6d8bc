import { afterEach, describe, expect, test } from 'vitest'
import { createManualClock, newPrivateKey } from '#platform'
import { encodeBatch, encodeFrame } from '#protocol'
import type { FakeLease } from '../testing/fake-node.ts'
import { dispatchRecorded, startTestRouter, type TestRouter, testOrder, testPod, until } from '../testing/harness.ts'

const pod = testPod()
let net: TestRouter
afterEach(() => net.stop())

/** A node in the middle of a job. */
async function startWorking(options: Parameters<typeof startTestRouter>[0] = {}, clock?: ReturnType<typeof createManualClock>) {
  net = await startTestRouter(options, clock && { clock })
  const privateKey = newPrivateKey()
  const leased = Promise.withResolvers<FakeLease>()
  const node = await net.node({ pods: [pod], privateKey, answer: lease => leased.resolve(lease) })
  const job = dispatchRecorded(net.router, testOrder(pod))
  const lease = await leased.promise
  lease.text('first')
  await job.firstDelta
  const { sessionId } = await node.next('welcome')
  return { node, privateKey, job, lease, sessionId }
}

async function cut(node: Awaited<ReturnType<typeof startWorking>>['node']): Promise<void> {
  node.socket.terminate()
  await until(() => net.router.nodes().every(({ online }) => !online))
}

describe('a cut session', () => {
  test('default: the node comes back to it, is told what it missed, and its job goes on', async () => {
    const { node, privateKey, job, lease, sessionId } = await startWorking()
    await cut(node)
    expect(net.router.podCapacity(pod.podId).freeSlots).toBe(0)
    expect(net.router.why(node.nodeId).pods[0]?.refusals).toContain('its link is cut')
    net.router.publishPods([pod])
    lease.text(' second')
    const { stream } = node
    const again = await net.node({ pods: [pod], privateKey, stream, resume: { sessionId, generation: 1, received: stream.received } })
    expect(await again.next('welcome')).toMatchObject({ sessionId, received: 1 })
    await again.next('pods')
    expect(net.router.nodes()).toMatchObject([{ nodeId: node.nodeId, online: true, busySlots: 1 }])
    lease.text(' third')
    lease.done()
    const { completion } = await job.ended
    expect(completion?.signedReceipt.receipt).toMatchObject({ node: node.nodeId, outputUnits: 3 })
    expect(job.text()).toBe('first second third')
    expect(await net.counted('heurist_router_links_cut_total')).toBe(1)
    expect(await net.counted('heurist_router_links_resumed_total')).toBe(1)
  })

  test('behavior: it gets no new job while it is away, even as the only one', async () => {
    const { node } = await startWorking()
    await cut(node)
    const { failure } = await dispatchRecorded(net.router, testOrder(pod)).ended
    expect(failure).toMatchObject({ code: 'ROUTER_NO_CANDIDATE', message: expect.stringContaining('its link is cut (1 node)') })
  })

  test('behavior: it is kept for so long, then its jobs fail', async () => {
    const clock = createManualClock()
    const { node, job } = await startWorking({ resumeMs: 10_000, moveAfterCutMs: 60_000 }, clock)
    await cut(node)
    clock.advance(9_999)
    expect(net.router.openJobs()).toBe(1)
    clock.advance(1)
    expect((await job.ended).failure).toMatchObject({ code: 'ROUTER_NODE_LOST', startedOutput: true })
    expect(net.router.nodes()).toEqual([])
  })

  test('behavior: silence counts on while it is away, and no longer than with a link', async () => {
    const clock = createManualClock()
    const patient = testPod('chat/silent', { timeouts: { betweenTokensMs: 5_000 } })
    net = await startTestRouter({}, { clock })
    const node = await net.node({ pods: [patient], answer: lease => lease.text('first') })
    const job = dispatchRecorded(net.router, testOrder(patient))
    await job.firstDelta
    await cut(node)
    clock.advance(5_000)
    expect((await job.ended).failure?.code).toBe('ROUTER_TOKEN_TIMEOUT')
  })

  test('behavior: an idle node is not waited for', async () => {
    net = await startTestRouter()
    const node = await net.node({ pods: [pod] })
    node.socket.terminate()
    await until(() => net.router.nodes().length === 0)
    expect(await net.counted('heurist_router_links_cut_total')).toBe(0)
  })

  test('behavior: a job without output moves to another node soon, and waits where there is none', async () => {
    net = await startTestRouter({ moveAfterCutMs: 20 })
    const away = await net.node({ pods: [pod], answer: () => undefined })
    const job = dispatchRecorded(net.router, testOrder(pod))
    await away.next('lease')
    await cut(away)
    await new Promise(resolve => setTimeout(resolve, 100))
    expect(net.router.openJobs()).toBe(1)
    const other = await net.node({ pods: [pod] })
    expect((await job.ended).completion!.signedReceipt.receipt.node).toBe(other.nodeId)
    expect(job.retries).toEqual(['ROUTER_NODE_LOST'])
  })

  test('behavior: half-open, the newer connection of the session puts the older aside and loses nothing', async () => {
    const { node, privateKey, sessionId } = await startWorking()
    await net.node({ pods: [pod], privateKey, resume: { sessionId, generation: 1, received: 1 } })
    expect((await node.closed).reason).toBe('LINK_FENCED')
    expect(net.router.openJobs()).toBe(1)
    expect(net.router.nodes()).toMatchObject([{ online: true, busySlots: 1 }])
  })

  test('behavior: a node that says goodbye is not waited for', async () => {
    const { node, job } = await startWorking()
    node.socket.close(1000)
    expect((await job.ended).failure?.code).toBe('ROUTER_NODE_LOST')
  })

  test('error: LINK_GAP for a missing batch ends the connection and not the session', async () => {
    const { node, privateKey, sessionId } = await startWorking()
    node.socket.send(encodeBatch('{"type":"heartbeat","sentAtMs":1}', { number: 3, ack: 0 }))
    expect((await node.closed).reason).toBe('LINK_GAP')
    const again = await net.node({ pods: [pod], privateKey, resume: { sessionId, generation: 1, received: 1 } })
    expect(await again.next('welcome')).toMatchObject({ sessionId, received: 1 })
    expect(net.router.openJobs()).toBe(1)
  })

  test('error: LINK_UNEXPECTED for an acknowledgement of what was never sent', async () => {
    const { node, job } = await startWorking()
    node.socket.send(encodeBatch('{"type":"heartbeat","sentAtMs":1}', { number: 2, ack: 99 }))
    expect((await node.closed).reason).toBe('LINK_UNEXPECTED')
    expect((await job.ended).failure?.code).toBe('ROUTER_NODE_LOST')
  })
})

describe('who may resume', () => {
  test("error: another key gets a session of its own and nothing of the first node's", async () => {
    const { node, job, sessionId } = await startWorking()
    await cut(node)
    const thief = await net.node({ pods: [], resume: { sessionId, generation: 1, received: 0 } })
    const welcome = await thief.next('welcome')
    expect(welcome.sessionId).not.toBe(sessionId)
    expect(welcome.received).toBe(0)
    thief.sendRaw(encodeFrame(1, 1, { choice: 0, tokens: 1, text: 'forged' }))
    await until(() => net.router.nodes().length === 2)
    expect(thief.received.map(({ type }) => type)).toEqual(['challenge', 'welcome'])
    expect(job.text()).toBe('first')
    expect(net.router.openJobs()).toBe(1)
  })

  test('error: a session that the router does not know is a new one, and the older of the same key ends', async () => {
    const { node, privateKey, job, sessionId } = await startWorking()
    await cut(node)
    const again = await net.node({ pods: [pod], privateKey, resume: { sessionId: 'f'.repeat(32), generation: 9, received: 0 } })
    expect((await again.next('welcome')).sessionId).not.toBe(sessionId)
    expect((await job.ended).failure?.code).toBe('ROUTER_NODE_LOST')
  })

  const refused: [string, { generation: number; received: number }, string][] = [
    ['an old generation', { generation: 2, received: 1 }, 'LINK_FENCED'],
    ['more than was ever sent', { generation: 3, received: 500 }, 'LINK_UNEXPECTED'],
  ]
  test.each(refused)('error: %s is refused and the session stays with the connection that has it', async (_name, resume, code) => {
    const { privateKey, sessionId } = await startWorking()
    const holder = await net.node({ pods: [pod], privateKey, resume: { sessionId, generation: 2, received: 1 } })
    const late = net.node({ pods: [pod], privateKey, resume: { sessionId, ...resume } })
    await expect(late).rejects.toThrow(code)
    expect(holder.socket.readyState).toBe(holder.socket.OPEN)
    expect(net.router.nodes()).toMatchObject([{ online: true, busySlots: 1 }])
  })

  test('error: LINK_RATE_LIMITED for a node that comes back all the time', async () => {
    const { privateKey, job, sessionId } = await startWorking({ strayMessagesPerSecond: 1, strayMessageBurst: 50 })
    let generation = 0
    const comeBack = () => net.node({ pods: [pod], privateKey, resume: { sessionId, generation: ++generation, received: 1 } })
    const storm = async (): Promise<void> => {
      for (let i = 0; i < 200; i++) await comeBack()
    }
    await expect(storm()).rejects.toThrow('LINK_RATE_LIMITED')
    expect(generation).toBeLessThan(100)
    expect((await job.ended).failure?.code).toBe('ROUTER_NODE_LOST')
  })
})
