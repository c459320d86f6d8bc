import { afterEach, describe, expect, test } from 'vitest'
import { newPrivateKey } from '#platform'
import { domainSeparator, jobDomain, LINK_VERSION } from '#protocol'
import { factsHosting, openFakeLink } from '../testing/fake-node.ts'
import {
  dispatchRecorded,
  startTestRouter,
  TEST_CHAIN_ID,
  TEST_SETTLEMENT,
  type TestRouter,
  testOrder,
  testPod,
  until,
} from '../testing/harness.ts'
import { signChallenge } from './challenge.ts'

const pod = testPod()
const separator = domainSeparator(jobDomain(TEST_CHAIN_ID, TEST_SETTLEMENT))
let net: TestRouter
afterEach(() => net.stop())

describe('a node that comes and goes', () => {
  /** Links and lets go at once, `times` times, a hundred at a time. */
  async function comeAndGo(times: number): Promise<void> {
    const privateKey = newPrivateKey()
    for (let round = 0; round < times / 100; round++) {
      const links = Array.from({ length: 100 }, () =>
        openFakeLink({ url: net.url, chainId: TEST_CHAIN_ID, settlement: TEST_SETTLEMENT, privateKey, answer: () => {} }),
      )
      await Promise.allSettled(
        links.map(async node => {
          const challenge = await node.next('challenge')
          node.send({ type: 'hello', linkVersion: LINK_VERSION, nodeId: node.nodeId, chainId: TEST_CHAIN_ID })
          const signature = signChallenge(separator, challenge, node.signer)
          node.send({ type: 'authenticate', nonce: challenge.nonce, signature, facts: factsHosting([pod], { unitsPerSecond: 1000 }) })
          await node.next('welcome')
          node.socket.terminate()
        }),
      )
    }
  }

  test('behavior: a thousand times as fast as it can, it harms only itself: every job ends well elsewhere', async () => {
    net = await startTestRouter()
    const honest = await net.node({ pods: [pod], slots: 4, unitsPerSecond: 1 })
    let isOver = false
    const storm = comeAndGo(1_000).then(() => {
      isOver = true
    })
    const nodes = new Set<string>()
    let done = 0
    do {
      const { completion, failure } = await dispatchRecorded(net.router, testOrder(pod)).ended
      expect(failure).toBeNull()
      nodes.add(completion!.signedReceipt.receipt.node)
      done += 1
    } while (!isOver)
    await storm
    expect([...nodes]).toEqual([honest.nodeId])
    expect(done).toBeGreaterThan(10)
    await until(() => net.router.nodes().length === 1)
    expect(net.router.podCapacity(pod.podId)).toMatchObject({ replicas: 1, freeSlots: 4 })
    expect(net.router.openJobs()).toBe(0)
  })
})
