import { afterEach, describe, expect, test } from 'vitest'
import { recoverMember } from '#platform'
import { decisionDigest, decisionHash, domainSeparator, type JournalPiece, jobDomain, outputHash, receiptDigest } from '#protocol'
import { replayDecisions } from './replay.ts'
import {
  dispatchRecorded,
  startTestRouter,
  TEST_CHAIN_ID,
  TEST_SETTLEMENT,
  type TestRouter,
  testOrder,
  testPod,
} from './testing/harness.ts'

const separator = domainSeparator(jobDomain(TEST_CHAIN_ID, TEST_SETTLEMENT))
const pod = testPod()
let net: TestRouter

afterEach(() => net.stop())

describe('router', () => {
  test('default: a job is decided, leased, streamed, signed by both sides and completed', async () => {
    net = await startTestRouter()
    const node = await net.node({ pods: [pod] })
    const job = dispatchRecorded(net.router, testOrder(pod))
    const { completion } = await job.ended

    expect(job.calls).toEqual(['decided', 'leased', 'delta', 'completed'])
    expect(job.text()).toBe('Hello from here')
    const { receipt, nodeSignature, routerSignature, router } = completion!.signedReceipt
    const digest = receiptDigest(separator, receipt)
    expect(recoverMember(separator, digest, nodeSignature)).toBe(node.nodeId)
    expect(recoverMember(separator, digest, routerSignature)).toBe(router)
    expect(receipt).toMatchObject({ node: node.nodeId, inputUnits: 5, outputUnits: 3, price: 11n, jobId: job.order.jobId, attempt: 1 })
    expect(receipt.outputHash).toBe(outputHash(completion!.choices))
    const decision = job.decisions[0]!
    expect(receipt.decisionHash).toBe(decision.recordHash)
    expect(decisionHash(decision.record)).toBe(decision.recordHash)
    expect(recoverMember(separator, decisionDigest(separator, job.order.jobId, 1, decision.recordHash), decision.routerSignature)).toBe(
      router,
    )
    expect(net.router.openJobs()).toBe(0)
    expect(net.router.podCapacity(pod.podId)).toEqual({ warm: 1, loading: 0, replicas: 1, freeSlots: 4 })
  })

  test('behavior: the decisions of a job are on disk when its router says so, and replay from there', async () => {
    const disk = Promise.withResolvers<void>()
    const onDisk: JournalPiece[] = []
    const append = async (pieces: readonly JournalPiece[]): Promise<void> => {
      await disk.promise
      onDisk.push(...pieces)
    }
    net = await startTestRouter({}, { journal: { append } })
    await net.node({ pods: [pod] })
    const job = dispatchRecorded(net.router, testOrder(pod))
    await job.ended
    let isStored = false
    const stored = net.router.decisionsStored(job.order.jobId).then(() => {
      isStored = true
    })
    await new Promise(resolve => setImmediate(resolve))
    expect(isStored).toBe(false)
    disk.resolve()
    await stored
    expect(replayDecisions(job.decisions, onDisk, separator)).toMatchObject([{ matches: true }])
    await net.router.decisionsStored('job_of_another_router')
  })
})
