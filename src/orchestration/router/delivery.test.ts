import { afterEach, describe, expect, test } from 'vitest'
import { createManualClock } from '#platform'
import { outputHash } from '#protocol'
import type { FakeLease } from './testing/fake-node.ts'
import { dispatchRecorded, STREAMED, startTestRouter, type TestRouter, testOrder, testPod } from './testing/harness.ts'

const pod = testPod()
let net: TestRouter
afterEach(() => net.stop())

describe('output', () => {
  test('behavior: choices, tool calls and finish reasons arrive as sent, and the receipt commits to them', async () => {
    net = await startTestRouter()
    await net.node({
      pods: [pod],
      answer: lease => {
        lease.text('one', 1, 0)
        lease.send({ choice: 1, tokens: 1, text: '', toolCalls: [{ index: 0, id: 'call_1', name: 'weather', arguments: '{"ci' }] })
        lease.send({ choice: 1, tokens: 1, text: '', toolCalls: [{ index: 0, arguments: 'ty":"Rome"}' }] })
        lease.done({
          finish: [
            { index: 0, reason: 'length' },
            { index: 1, reason: 'tool_calls' },
          ],
        })
      },
    })
    const { completion } = await dispatchRecorded(net.router, testOrder(pod, { body: { messages: [], n: 2 } })).ended
    expect(completion!.choices).toEqual([
      { index: 0, text: 'one', toolCalls: [], finishReason: 'length' },
      { index: 1, text: '', toolCalls: [{ id: 'call_1', name: 'weather', arguments: '{"city":"Rome"}' }], finishReason: 'tool_calls' },
    ])
    expect(completion!.signedReceipt.receipt.outputHash).toBe(outputHash(completion!.choices))
    expect(completion!.units.outputUnits).toBe(3)
  })

  test('behavior: embeddings come as vectors, cost input units only, and every input needs its own', async () => {
    net = await startTestRouter()
    await net.node({ pods: [pod] })
    const request = { kind: 'embedding' as const, body: { input: ['a', 'b'] } }
    const job = dispatchRecorded(net.router, testOrder(pod, { request }))
    const { completion } = await job.ended
    expect(job.deltas.map(({ embedding }) => [...embedding!])).toEqual([
      [1, 0, 0.5, -1],
      [1, 1, 0.5, -1],
    ])
    expect(completion!.units).toEqual({ inputUnits: 5, outputUnits: 0 })
    expect(completion!.choices.every(choice => choice.embeddingHash !== undefined)).toBe(true)
  })

  test('behavior: an immediate stop is a success without output', async () => {
    net = await startTestRouter()
    await net.node({ pods: [pod], answer: lease => lease.done({ finish: [{ index: 0, reason: 'stop' }] }) })
    const { completion } = await dispatchRecorded(net.router, testOrder(pod)).ended
    expect(completion!.units.outputUnits).toBe(0)
  })

  test('behavior: the node may not run ahead of the client by more than the window (back-pressure)', async () => {
    net = await startTestRouter({ creditTokens: 8 })
    let sent = 0
    const node = await net.node({
      pods: [pod],
      answer: async lease => {
        for (; sent < 30; sent++) {
          await lease.credit(1)
          lease.text('x')
        }
        lease.done()
      },
    })
    const slow = dispatchRecorded(net.router, testOrder(pod), false)
    await slow.firstDelta
    while (slow.deltas.length < 8) await new Promise(resolve => setImmediate(resolve))
    expect(sent).toBe(8)
    slow.control.grant(3) // less than half a window: not told yet
    slow.control.grant(1)
    expect((await node.next('credit')).tokens).toBe(4)
    while (slow.deltas.length < 12) await new Promise(resolve => setImmediate(resolve))
    slow.control.grant(100)
    expect((await slow.ended).completion!.units.outputUnits).toBe(30)
    expect(node.received.filter(message => message.type === 'credit')).toHaveLength(2)
  })
})

describe('cancel', () => {
  test('behavior: before output the job ends at once as cancelled and the node is told to abort', async () => {
    net = await startTestRouter()
    const node = await net.node({ pods: [pod], answer: () => {} })
    const job = dispatchRecorded(net.router, testOrder(pod))
    await node.next('lease')
    job.control.cancel('client gone')
    expect((await job.ended).failure).toMatchObject({ code: 'ROUTER_CANCELLED', startedOutput: false })
    expect((await node.next('cancel')).reason).toBe('abort:ROUTER_CANCELLED')
    job.control.cancel('again')
    expect(net.router.openJobs()).toBe(0)
  })

  test('behavior: a job that never reached a node can be cancelled, even in the same turn', async () => {
    net = await startTestRouter()
    await net.node({ pods: [pod] })
    const job = dispatchRecorded(net.router, testOrder(pod))
    job.control.cancel('changed my mind')
    expect((await job.ended).failure).toMatchObject({ code: 'ROUTER_CANCELLED', attempts: 0 })
    expect(job.calls).toEqual(['failed'])
  })

  test('behavior: after output the node finishes with what it has, and the client pays for what it was sent', async () => {
    net = await startTestRouter()
    const node = await net.node({
      pods: [pod],
      answer: async (lease: FakeLease) => {
        lease.text('one')
        lease.text(' two')
        await lease.onCancel
        lease.text(' three') // was on its way when the client left
        lease.done({ finish: [{ index: 0, reason: 'length' }] })
      },
    })
    const job = dispatchRecorded(net.router, testOrder(pod, { body: STREAMED }))
    while (job.deltas.length < 2) await new Promise(resolve => setImmediate(resolve))
    job.control.cancel('client gone')
    const { completion } = await job.ended
    expect((await node.next('cancel')).reason).toBe('finish:client gone')
    expect(completion!.units.outputUnits).toBe(2)
    expect(completion!.signedReceipt.receipt.price).toBe(9n)
    expect(job.text()).toBe('one two')
  })

  test('behavior: a client that waits for a whole answer was sent nothing, so it pays nothing', async () => {
    net = await startTestRouter()
    const node = await net.node({ pods: [pod], answer: lease => lease.text('one') })
    const job = dispatchRecorded(net.router, testOrder(pod))
    await job.firstDelta
    job.control.cancel('client gone')
    expect((await job.ended).failure).toMatchObject({ code: 'ROUTER_CANCELLED' })
    expect((await node.next('cancel')).reason).toBe('abort:ROUTER_CANCELLED')
  })

  test('behavior: a node that does not finish a cancelled job in time is not paid', async () => {
    const clock = createManualClock()
    net = await startTestRouter({ cancelGraceMs: 100 }, { clock })
    await net.node({ pods: [pod], answer: lease => lease.text('one') })
    const job = dispatchRecorded(net.router, testOrder(pod, { body: STREAMED }))
    await job.firstDelta
    job.control.cancel('client gone')
    clock.advance(100)
    expect((await job.ended).failure).toMatchObject({ code: 'ROUTER_CANCELLED', startedOutput: true })
    clock.advance(100)
    expect(net.router.nodes()[0]!.busySlots).toBe(0)
  })
})

describe('stop', () => {
  test('behavior: running jobs finish, waiting and new ones are refused, links are closed', async () => {
    net = await startTestRouter()
    const node = await net.node({ pods: [pod], slots: 1, answer: lease => lease.text('one') })
    const running = dispatchRecorded(net.router, testOrder(pod))
    await running.firstDelta
    const waiting = dispatchRecorded(net.router, testOrder(pod))
    await Promise.resolve()
    const stopped = net.router.stop(5000)
    const late = dispatchRecorded(net.router, testOrder(pod))
    expect((await waiting.ended).failure!.code).toBe('ROUTER_STOPPING')
    expect((await late.ended).failure!.code).toBe('ROUTER_STOPPING')
    node.leases[0]!.done()
    expect((await running.ended).completion).not.toBeNull()
    await stopped
    expect(await node.closed).toMatchObject({ reason: 'LINK_STOPPING' })
  })

  test('behavior: what does not finish within the drain time fails with a discard receipt', async () => {
    net = await startTestRouter()
    await net.node({ pods: [pod], answer: lease => lease.text('one') })
    const job = dispatchRecorded(net.router, testOrder(pod))
    await job.firstDelta
    await net.router.stop(1)
    expect((await job.ended).failure).toMatchObject({ code: 'ROUTER_STOPPING', startedOutput: true })
  })
})
