import { afterEach, describe, expect, test } from 'vitest'
import { recoverMember } from '#platform'
import { discardReceiptDigest, domainSeparator, jobDomain, jobPreferencesSchema, ZERO_BYTES32 } from '#protocol'
import type { RouterErrorCode } from './errors.ts'
import { leaseDeadlines, shouldRetry } from './retry.ts'
import type { FakeAnswer } from './testing/fake-node.ts'
import {
  dispatchRecorded,
  startTestRouter,
  TEST_CHAIN_ID,
  TEST_SETTLEMENT,
  type TestRouter,
  testOrder,
  testPod,
} from './testing/harness.ts'

const pod = testPod()
const separator = domainSeparator(jobDomain(TEST_CHAIN_ID, TEST_SETTLEMENT))
const prefer = (preferences: Record<string, unknown>) => jobPreferencesSchema.parse(preferences)

describe('shouldRetry', () => {
  const fault = (code: RouterErrorCode) => ({ code, message: '' })
  const base = { fault: fault('ROUTER_NODE_FAILED'), startedOutput: false, attempts: 1, preferences: prefer({}) }

  test('default: a fault of the node before the first byte is retried, two times at most', () => {
    expect([1, 2, 3].map(attempts => shouldRetry({ ...base, attempts }))).toEqual([true, true, false])
  })

  test('behavior: never after the first byte, never against the preference', () => {
    expect(shouldRetry({ ...base, startedOutput: true })).toBe(false)
    expect(shouldRetry({ ...base, preferences: prefer({ on_failure: 'discard' }) })).toBe(false)
    expect(shouldRetry({ ...base, preferences: prefer({ max_attempts: 1 }) })).toBe(false)
  })

  test('behavior: only faults that another node may not have', () => {
    const codes: [RouterErrorCode, boolean][] = [
      ['ROUTER_NODE_LOST', true],
      ['ROUTER_NODE_FAILED', true],
      ['ROUTER_NODE_MISBEHAVED', true],
      ['ROUTER_LOAD_TIMEOUT', true],
      ['ROUTER_FIRST_TOKEN_TIMEOUT', true],
      ['ROUTER_TOKEN_TIMEOUT', false],
      ['ROUTER_TOTAL_TIMEOUT', false],
      ['ROUTER_REQUEST_REJECTED', false],
      ['ROUTER_CANCELLED', false],
      ['ROUTER_NO_CANDIDATE', false],
      ['ROUTER_STOPPING', false],
    ]
    for (const [code, expected] of codes) expect(shouldRetry({ ...base, fault: fault(code) }), code).toBe(expected)
  })

  test('behavior: no deadline of a lease outlives the job', () => {
    expect(leaseDeadlines(pod, 45_000)).toEqual({ queueMs: 30_000, loadMs: 45_000, firstTokenMs: 45_000, totalMs: 45_000 })
    expect(leaseDeadlines(pod, -5)).toEqual({ queueMs: 1, loadMs: 1, firstTokenMs: 1, totalMs: 1 })
  })
})

describe('a router with failing nodes', () => {
  let net: TestRouter
  afterEach(() => net.stop())

  /** A fast node that fails in some way, and a slow honest one. */
  async function startPair(answer: FakeAnswer) {
    net = await startTestRouter({ cancelGraceMs: 50, resumeMs: 200, moveAfterCutMs: 20 })
    const bad = await net.node({ pods: [pod], unitsPerSecond: 1000, answer })
    const good = await net.node({ pods: [pod], unitsPerSecond: 10 })
    return { bad, good }
  }

  const faults: [string, FakeAnswer, RouterErrorCode][] = [
    ['fails', lease => lease.fail('OUT_OF_MEMORY', 'no memory left'), 'ROUTER_NODE_FAILED'],
    ['declines', lease => lease.decline('busy'), 'ROUTER_NODE_FAILED'],
    [
      'ends with a wrong hash',
      lease => lease.done({ outputHash: ZERO_BYTES32, finish: [{ index: 0, reason: 'stop' }] }),
      'ROUTER_NODE_MISBEHAVED',
    ],
  ]
  test.each(faults)('behavior: a node that %s before the first byte is replaced by another', async (_name, answer, code) => {
    const { good } = await startPair(answer)
    const job = dispatchRecorded(net.router, testOrder(pod))
    const { completion } = await job.ended
    expect(job.calls).toEqual(['decided', 'leased', 'retrying', 'decided', 'leased', 'delta', 'completed'])
    expect(job.retries).toEqual([code])
    expect(completion!.signedReceipt.receipt).toMatchObject({ node: good.nodeId, attempt: 2, decisionHash: job.decisions[1]!.recordHash })
    const replays = await net.replay(job)
    expect(replays.map(({ differences }) => differences)).toEqual(replays.map(() => []))
    expect(replays[1]!.candidates.some(({ refused }) => refused.includes('failed an earlier attempt of this job'))).toBe(true)
  })

  test('behavior: a node whose link is cut before the first byte is replaced by another', async () => {
    const { bad, good } = await startPair(() => {})
    const job = dispatchRecorded(net.router, testOrder(pod))
    await bad.next('lease')
    bad.socket.terminate()
    expect((await job.ended).completion!.signedReceipt.receipt.node).toBe(good.nodeId)
    expect(job.retries).toEqual(['ROUTER_NODE_LOST'])
  })

  test('behavior: with discard preferred the first failure ends the job with a signed discard receipt (law L3)', async () => {
    await startPair(lease => lease.fail('OUT_OF_MEMORY', 'no memory left'))
    const job = dispatchRecorded(net.router, testOrder(pod, { preferences: prefer({ on_failure: 'discard' }) }))
    const { failure } = await job.ended
    expect(failure).toMatchObject({ code: 'ROUTER_NODE_FAILED', attempts: 1, startedOutput: false })
    const { discard, routerSignature, router } = failure!.signedDiscard
    expect(discard).toMatchObject({ jobId: job.order.jobId, reason: 'ROUTER_NODE_FAILED', decisionHash: job.decisions[0]!.recordHash })
    expect(recoverMember(separator, discardReceiptDigest(separator, discard), routerSignature)).toBe(router)
    expect(router).toBe(net.dependencies.signer.address)
  })

  test('behavior: after the first byte nothing is retried, silently or otherwise (law L7)', async () => {
    const { bad } = await startPair(lease => lease.text('begun'))
    const job = dispatchRecorded(net.router, testOrder(pod))
    await job.firstDelta
    bad.socket.terminate()
    expect((await job.ended).failure).toMatchObject({ code: 'ROUTER_NODE_LOST', startedOutput: true, attempts: 1 })
    expect(job.calls).toEqual(['decided', 'leased', 'delta', 'failed'])
  })

  test('behavior: a request at fault is not sent to a second node', async () => {
    const { good } = await startPair(lease => lease.fail('ENGINE_BAD_SCHEMA', 'the schema is not valid', false))
    const { failure } = await dispatchRecorded(net.router, testOrder(pod)).ended
    expect(failure).toMatchObject({ code: 'ROUTER_REQUEST_REJECTED', attempts: 1 })
    expect(failure!.message).toContain('the schema is not valid')
    expect(good.leases).toHaveLength(0)
  })

  test('behavior: when no other node is left the first fault is what the user reads', async () => {
    net = await startTestRouter()
    await net.node({ pods: [pod], answer: lease => lease.fail('OUT_OF_MEMORY', 'no memory left') })
    const { failure } = await dispatchRecorded(net.router, testOrder(pod)).ended
    expect(failure).toMatchObject({ code: 'ROUTER_NODE_FAILED', attempts: 1 })
    expect(failure!.message).toMatch(/no memory left.*failed an earlier attempt of this job \(1 node\)/)
  })

  test('behavior: attempts are bounded by the preference, whatever the number of nodes', async () => {
    net = await startTestRouter()
    for (let i = 0; i < 5; i++) await net.node({ pods: [pod], answer: lease => lease.decline('no') })
    const job = dispatchRecorded(net.router, testOrder(pod, { preferences: prefer({ max_attempts: 4 }) }))
    expect((await job.ended).failure!.attempts).toBe(4)
    expect(new Set(job.leases.map(lease => lease.nodeId)).size).toBe(4)
  })
})
