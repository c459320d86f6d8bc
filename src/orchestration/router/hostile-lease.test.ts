import { afterEach, describe, expect, test } from 'vitest'
import { createSigner, newPrivateKey, recoverMember } from '#platform'
import { bytesToHex, domainSeparator, encodeFrame, type Hex, jobDomain, type NodeMessage, receiptDigest, ZERO_BYTES32 } from '#protocol'
import { type FakeAnswer, type FakeNode, signedMessage } from './testing/fake-node.ts'
import {
  dispatchRecorded,
  type RecordedJob,
  startTestRouter,
  TEST_CHAIN_ID,
  TEST_SETTLEMENT,
  type TestRouter,
  testOrder,
  testPod,
  until,
} from './testing/harness.ts'

const pod = testPod()
let net: TestRouter
afterEach(() => net.stop())

/** The router still serves an honest node, and no job is left open. */
async function expectHealthy(): Promise<void> {
  const honest = await net.node({ pods: [pod] })
  expect((await dispatchRecorded(net.router, testOrder(pod)).ended).completion!.signedReceipt.receipt.node).toBe(honest.nodeId)
  expect(net.router.openJobs()).toBe(0)
}

describe('a node with a lease', () => {
  const floods: [string, FakeAnswer, RegExp][] = [
    [
      'more tokens than the user asked for',
      lease => {
        for (let i = 0; i < 90; i++) lease.text('x')
      },
      /tokens where at most 5 were asked for/,
    ],
    [
      'more tokens than its credit, from 16-bit token counts',
      lease => {
        for (let i = 0; i < 3; i++) lease.send({ choice: 0, tokens: 65_535, text: '' })
      },
      /65535 tokens/,
    ],
    ['text without tokens', lease => lease.text('x'.repeat(100_000), 0), /bytes of text for 0 tokens/],
    ['a choice that was not asked for', lease => lease.text('x', 1, 3), /choice 3 of 1/],
    [
      'frames out of order',
      lease => {
        lease.text('a')
        lease.text('b')
      },
      /frame 1 where 0 was due/,
    ],
    ['a wrong output hash', lease => [lease.text('x'), lease.done({ outputHash: ZERO_BYTES32 })], /output with hash/],
    ['no finish reason', lease => [lease.text('x'), lease.done({ finish: [] })], /finish reasons/],
    [
      'vectors for a chat',
      lease => [lease.send({ choice: 0, tokens: 0, text: '', embedding: new Float32Array(4) }), lease.done({ outputHash: ZERO_BYTES32 })],
      /hash/,
    ],
  ]
  test.each(floods)('behavior: %s cuts the lease, not the router', async (name, answer, why) => {
    net = await startTestRouter()
    const node = await net.node({
      pods: [pod],
      answer: lease => {
        if (name !== 'frames out of order') return answer(lease)
        node.sendRaw(encodeFrame(lease.grant.channel, 1, { choice: 0, tokens: 1, text: 'b' }))
      },
    })
    const { failure } = await dispatchRecorded(net.router, testOrder(pod, { body: { messages: [], max_tokens: 5 } })).ended
    expect(failure!.code).toBe('ROUTER_NODE_MISBEHAVED')
    expect(failure!.message).toMatch(why)
    expect(failure!.signedDiscard.discard.reason).toBe('ROUTER_NODE_MISBEHAVED')
    expect(await net.counted('heurist_router_misbehaviour_total')).toBe(1)
    node.socket.terminate()
    await until(() => net.router.nodes().length === 0)
    await expectHealthy()
  })

  test('behavior: beyond its credit a node is cut even below the limit of the request', async () => {
    net = await startTestRouter({ creditTokens: 16, floodSlackTokens: 4 })
    await net.node({
      pods: [pod],
      answer: lease => {
        for (let i = 0; i < 21; i++) lease.text('x')
      },
    })
    const job = dispatchRecorded(net.router, testOrder(pod), false)
    expect((await job.ended).failure!.message).toMatch(/more than 20 tokens with credit for 16/)
    expect(job.deltas).toHaveLength(20)
  })

  test('behavior: a claim of more tokens than were sent is evidence and earns nothing', async () => {
    net = await startTestRouter()
    await net.node({
      pods: [pod],
      answer: lease => {
        lease.text('two')
        lease.text(' tokens')
        lease.done({ outputUnits: 100_000 })
      },
    })
    const { completion } = await dispatchRecorded(net.router, testOrder(pod)).ended
    expect(completion!.units.outputUnits).toBe(2)
    expect(completion!.signedReceipt.receipt.price).toBe(9n)
    expect(await net.counted('heurist_router_overclaims_total')).toBe(1)
  })

  test("behavior: answering another node's job closes the liar's link and leaves the job alone", async () => {
    net = await startTestRouter()
    const victim = await net.node({ pods: [pod], unitsPerSecond: 1000, answer: () => {} })
    const liar = await net.node({ pods: [pod], unitsPerSecond: 1 })
    const job = dispatchRecorded(net.router, testOrder(pod))
    const { leaseId, fencingToken, channel } = await victim.next('lease')
    // A channel number is of one link: the liar's frames reach nobody.
    liar.sendRaw(encodeFrame(channel, 0, { choice: 0, tokens: 1, text: 'injected' }))
    liar.send({ type: 'done', leaseId, fencingToken, outputHash: ZERO_BYTES32, inputUnits: 0, outputUnits: 1, finish: [] })
    expect(await liar.closed).toEqual({ code: 4403, reason: 'LINK_FOREIGN_LEASE' })
    victim.leases[0]!.text('honest')
    victim.leases[0]!.done()
    expect((await job.ended).completion!.signedReceipt.receipt.node).toBe(victim.nodeId)
    expect(job.text()).toBe('honest')
  })

  test('behavior: a wrong fencing token, an unknown lease and a repeated result are late results', async () => {
    net = await startTestRouter()
    const node = await net.node({ pods: [pod], answer: () => {} })
    const job = dispatchRecorded(net.router, testOrder(pod))
    const { leaseId, fencingToken } = await node.next('lease')
    const done = {
      type: 'done' as const,
      leaseId,
      fencingToken,
      outputHash: ZERO_BYTES32,
      inputUnits: 0,
      outputUnits: 0,
      finish: [],
    } satisfies NodeMessage
    node.send({ ...done, fencingToken: fencingToken - 1 })
    node.send({ ...done, leaseId: `0x${'5'.repeat(64)}` })
    node.leases[0]!.text('real')
    node.leases[0]!.done()
    expect((await job.ended).completion!.units.outputUnits).toBe(1)
    node.leases[0]!.done()
    node.leases[0]!.text('after the end')
    let late = 0
    while (late < 4) {
      late = await net.counted('heurist_router_late_results_total')
      await new Promise(resolve => setImmediate(resolve))
    }
    expect(job.calls.filter(call => call === 'completed')).toHaveLength(1)
    expect(net.router.podCapacity(pod.podId).freeSlots).toBe(4)
  })

  type Signing = { readonly node: FakeNode; readonly members: SignedMember[] }
  type SignedMember = { leaseId: Hex; fencingToken: number; digest: Uint8Array }
  const separator = domainSeparator(jobDomain(TEST_CHAIN_ID, TEST_SETTLEMENT))
  const stranger = createSigner(newPrivateKey())

  /** A node that was asked to sign `count` receipts and has not answered. */
  async function askedToSign(count: number): Promise<Signing & { jobs: RecordedJob[] }> {
    net = await startTestRouter()
    const node = await net.node({ pods: [pod], autoSign: false })
    const jobs = Array.from({ length: count }, () => dispatchRecorded(net.router, testOrder(pod)))
    const asked = await Promise.all(jobs.map(({ order }) => node.next('sign', ({ receipt }) => receipt.jobId === order.jobId)))
    const members = asked.map(({ leaseId, fencingToken, receipt }) => ({
      leaseId,
      fencingToken,
      digest: receiptDigest(separator, receipt),
    }))
    return { node, members, jobs }
  }

  const forgedSignatures: [string, (signing: Signing) => NodeMessage][] = [
    ['of another key', ({ members }) => signedMessage(stranger, separator, members)],
    [
      'that is not on the curve',
      ({ node, members }) => ({ ...signedMessage(node.signer, separator, members), signature: `0x${'f'.repeat(130)}` }) as NodeMessage, // cast: one member changed
    ],
    ['over another digest', ({ node, members }) => signedMessage(node.signer, separator, [{ ...members[0]!, digest: new Uint8Array(32) }])],
    ['of another domain', ({ node, members }) => signedMessage(node.signer, new Uint8Array(32), members)],
  ]
  test.each(forgedSignatures)('behavior: a receipt signature %s earns nothing', async (_name, forge) => {
    const signing = await askedToSign(1)
    signing.node.send(forge(signing))
    expect((await signing.jobs[0]!.ended).failure).toMatchObject({ code: 'ROUTER_NODE_MISBEHAVED', startedOutput: true })
  })

  test('behavior: one signature ends many jobs, each with its own proof; a lease that is over or named twice changes nothing', async () => {
    const { node, members, jobs } = await askedToSign(3)
    jobs[1]!.control.cancel('gone')
    await jobs[1]!.ended
    node.send(signedMessage(node.signer, separator, [...members, members[0]!]))
    const [first, , third] = await Promise.all(jobs.map(({ ended }) => ended))
    for (const { completion } of [first!, third!]) {
      const { receipt, nodeSignature, routerSignature, router } = completion!.signedReceipt
      const digest = receiptDigest(separator, receipt)
      expect(bytesToHex(digest)).toBe(completion!.receiptDigest)
      expect(recoverMember(separator, digest, nodeSignature)).toBe(node.nodeId)
      expect(recoverMember(separator, digest, routerSignature)).toBe(router)
    }
    expect(first!.completion!.signedReceipt.nodeSignature.slice(0, 132)).toBe(third!.completion!.signedReceipt.nodeSignature.slice(0, 132))
    expect(jobs.map(({ calls }) => calls.filter(call => call === 'completed').length)).toEqual([1, 0, 1])
    expect(await net.counted('heurist_router_late_results_total')).toBe(1)
  })

  test('behavior: a wrong digest in a group costs only its own lease, a bad group all', async () => {
    const { node, members, jobs } = await askedToSign(2)
    node.send(signedMessage(node.signer, separator, [members[0]!, { ...members[1]!, digest: new Uint8Array(32) }]))
    const [good, bad] = await Promise.all(jobs.map(({ ended }) => ended))
    expect(good!.completion).not.toBeNull()
    expect(bad!.failure).toMatchObject({ code: 'ROUTER_NODE_MISBEHAVED' })
  })

  test('error: LINK_FOREIGN_LEASE for a signature in the name of another node', async () => {
    const { node, members, jobs } = await askedToSign(1)
    const thief = await net.node({ pods: [] })
    thief.send(signedMessage(thief.signer, separator, members))
    expect((await thief.closed).reason).toBe('LINK_FOREIGN_LEASE')
    node.send(signedMessage(node.signer, separator, members))
    expect((await jobs[0]!.ended).completion).not.toBeNull()
  })

  test('behavior: a signature before the receipt, and a second end, are violations', async () => {
    net = await startTestRouter()
    const signEarly: FakeAnswer = ({ grant: { leaseId, fencingToken } }) =>
      early.send(signedMessage(early.signer, separator, [{ leaseId, fencingToken, digest: new Uint8Array(32) }]))
    const early = await net.node({ pods: [pod], answer: signEarly })
    expect((await dispatchRecorded(net.router, testOrder(pod)).ended).failure!.message).toMatch(/before its receipt/)
    early.socket.terminate()
    await until(() => net.router.nodes().length === 0)
    await net.node({ pods: [pod], autoSign: false, answer: lease => [lease.text('x'), lease.done(), lease.done()] })
    expect((await dispatchRecorded(net.router, testOrder(pod)).ended).failure!.message).toMatch(/a second end/)
  })

  test('behavior: a throwing sink hurts nobody but its own job', async () => {
    net = await startTestRouter()
    await net.node({ pods: [pod] })
    const completed = Promise.withResolvers<void>()
    const explode = (): never => {
      throw new Error('defect of a gateway')
    }
    const sink = {
      decided: explode,
      leased: explode,
      loading: explode,
      retrying: explode,
      undecided: explode,
      delta: explode,
      failed: explode,
    }
    net.router.dispatch(testOrder(pod), { ...sink, completed: () => completed.resolve() })
    await completed.promise
    await dispatchRecorded(net.router, testOrder(pod)).ended
  })
})
