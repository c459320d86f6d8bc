import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createRouterPool, type RouterPool } from '#application'
import { createBeacon, createGatewayDoor, type GatewayDoor, type Router } from '#orchestration'
import { createSigner, newPrivateKey, signAlone, silentLogger, systemClock } from '#platform'
import { type Bus, createLocalBus } from '#platform/bus'
import { type Address, DISPATCH_PATH, discardReceiptDigest, domainSeparator, jobDomain, type PodRecord, ZERO_BYTES32 } from '#protocol'
import type { FakeLease } from '../src/orchestration/router/testing/fake-node.ts'
import {
  dispatchRecorded,
  STREAMED,
  startTestRouter,
  TEST_CHAIN_ID,
  TEST_SETTLEMENT,
  type TestRouter,
  testOrder,
  testPod,
} from '../src/orchestration/router/testing/harness.ts'
import { answerGreeting, factsHosting } from '../src/orchestration/testing.ts'

/** A gateway's pool and routers in other processes, here in one: what one writes the other must take. */
const SECRET = 'the secret of this network'
const pod = testPod()
const separator = domainSeparator(jobDomain(TEST_CHAIN_ID, TEST_SETTLEMENT))
const router = createSigner(newPrivateKey())
let bus: Bus
let pool: RouterPool
const members: Member[] = []

type Member = { readonly router: TestRouter; readonly door: GatewayDoor; readonly url: string; stopBeacon(): void; stop(): Promise<void> }

const signDiscard = (
  order: { jobId: string; requestHash: `0x${string}`; payer: `0x${string}` },
  facts: { attempts: number; reason: string },
) => {
  const { jobId, requestHash, payer } = order
  const discard = { jobId, podId: pod.podId, requestHash, payer, decisionHash: ZERO_BYTES32, discardedAtMs: 1, ...facts } as never // cast: a job id
  return { discard, router: router.address, routerSignature: signAlone(router, separator, discardReceiptDigest(separator, discard)) }
}

async function startMember(instance: string, podOf: (manifestHash: string) => PodRecord | null = () => pod): Promise<Member> {
  const made = await startTestRouter()
  made.router.publishPods([pod])
  const door = createGatewayDoor(
    { secret: SECRET },
    {
      router: made.router,
      podOf: (_podId, hash) => podOf(hash),
      refreshPods: async () => undefined,
      signDiscard,
      clock: systemClock,
      logger: silentLogger,
    },
  )
  const http: Server = createServer()
  http.on('upgrade', door.handleUpgrade)
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve))
  const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}${DISPATCH_PATH}` // cast: a TCP server that listens has a port
  const beacon = createBeacon(
    { instance, url, nodeUrl: made.url },
    {
      router: made.router,
      scaleOf: () => null,
      devices: () => made.router.nodes().length,
      publish: bus.publish,
      clock: systemClock,
      logger: silentLogger,
    },
  )
  beacon.start()
  const member: Member = {
    router: made,
    door,
    url,
    stopBeacon: beacon.stop,
    async stop() {
      beacon.stop()
      door.close()
      http.closeAllConnections()
      http.close()
      await made.stop()
    },
  }
  members.push(member)
  return member
}

/** A node at that router which serves the pod. */
async function startNode(member: Member, answer: Parameters<TestRouter['node']>[0] = {}): Promise<void> {
  const before = pool.podCapacity(pod.podId).warm
  const node = await member.router.node(answer)
  await node.next('welcome')
  node.updateFacts(factsHosting([pod], { slots: 4 }))
  await vi.waitFor(() => expect(pool.podCapacity(pod.podId).warm).toBeGreaterThan(before), 10_000)
}

const linked = (count: number): Promise<void> => vi.waitFor(() => expect(pool.routers()).toHaveLength(count), 10_000)
const ask = (order = testOrder(pod)) => dispatchRecorded(pool as unknown as Router, order) // cast: only `dispatch` is used

beforeEach(() => {
  bus = createLocalBus({ logger: silentLogger })
  pool = createRouterPool({ secret: SECRET }, { bus, signDiscard, clock: systemClock, logger: silentLogger, random: Math.random })
  pool.start()
})
afterEach(async () => {
  pool.stop()
  await Promise.all(members.splice(0).map(member => member.stop()))
  await bus.stop()
})

describe('a gateway and a router in another process', () => {
  test('default: a job runs as beside it: decision, lease, output, receipt; its decisions are stored before its end is told', async () => {
    const member = await startMember('a')
    await linked(1)
    await startNode(member)
    const job = ask(testOrder(pod, { body: STREAMED }))
    const { completion } = await job.ended
    expect(job.calls).toEqual(['decided', 'leased', 'delta', 'completed'])
    expect(completion?.choices.map(({ text }) => text)).toEqual([job.text()])
    expect(completion?.signedReceipt.receipt.jobId).toBe(job.order.jobId)
    expect(await member.router.replay(job)).toMatchObject([{ matches: true }])
    await vi.waitFor(() => expect(pool.nodes()).toMatchObject([{ online: true }]), 10_000)
    expect(await pool.why(pool.nodes()[0]!.nodeId)).toMatchObject({ linked: true })
  })

  test('behavior: the weight of a key goes with its jobs', async () => {
    const member = await startMember('a')
    await linked(1)
    const open: FakeLease[] = []
    await startNode(member, { answer: lease => void open.push(lease) })
    const payer = (n: number): Address => `0x${n.toString(16).padStart(40, '0')}`
    const fillers = [1, 2, 3, 4].map(() => ask({ ...testOrder(pod), payer: payer(9) }))
    await vi.waitFor(() => expect(open).toHaveLength(4), 10_000)
    const plain = [1, 2].map(() => ask({ ...testOrder(pod), payer: payer(1) }))
    const gold = [1, 2].map(() => ask({ ...testOrder(pod), payer: payer(2), weight: 100 }))
    await vi.waitFor(() => expect(member.router.router.openJobs()).toBe(8), 10_000)
    const expected = [plain[0]!, ...gold, plain[1]!]
    for (const [done, job] of expected.entries()) {
      open[done]!.text('x')
      open[done]!.done()
      await vi.waitFor(() => expect(open[4 + done]?.grant.jobId).toBe(job.order.jobId), 10_000)
    }
    for (const lease of open.slice(4)) {
      lease.text('x')
      lease.done()
    }
    await Promise.all([...fillers, ...expected].map(job => job.ended))
  })

  test("behavior: the caller's trace goes on to the node", async () => {
    const member = await startMember('a')
    await linked(1)
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const told: (string | undefined)[] = []
    await startNode(member, {
      answer: lease => {
        told.push(lease.grant.traceparent)
        return answerGreeting(lease)
      },
    })
    await ask({ ...testOrder(pod), traceparent }).ended
    await ask().ended
    expect(told).toEqual([traceparent, undefined])
  })

  test('behavior: a router that hosts the pod gets the job, not the one beside it', async () => {
    const members = [await startMember('a'), await startMember('b')]
    await linked(2)
    await startNode(members[1]!)
    for (let count = 0; count < 6; count++) expect((await ask().ended).completion).not.toBeNull()
    expect(await members[0]!.router.counted('heurist_router_jobs_total')).toBe(0)
  })

  test('behavior: a router dies before output: the job begins again at the other one', async () => {
    const [first, second] = [await startMember('a'), await startMember('b')]
    await linked(2)
    await startNode(first, { answer: () => new Promise(() => undefined) })
    const job = ask()
    await job.leased
    await startNode(second)
    await first.stop()
    const { completion } = await job.ended
    expect(completion).not.toBeNull()
    expect(job.retries).toEqual(['ROUTER_LOST'])
    // What the dead router decided can not be replayed if it died before it was stored: the record has only what can (law R2).
    expect(job.decisions.map(({ router: signer }) => signer)).toEqual([completion?.signedReceipt.router])
    expect(await second.router.replay(job)).toMatchObject([{ matches: true }])
    expect(job.leases.map(({ attempt }) => attempt)).toEqual([1, 1])
  })

  test('behavior: a router dies after output: nothing is sent twice, the job fails and has its discard receipt', async () => {
    const member = await startMember('a')
    await linked(1)
    await startNode(member, {
      async answer(lease) {
        lease.send({ choice: 0, tokens: 1, text: 'half' })
        await new Promise(() => undefined)
      },
    })
    const job = ask(testOrder(pod, { body: STREAMED }))
    await job.firstDelta
    await member.stop()
    const { failure } = await job.ended
    expect(failure).toMatchObject({ code: 'ROUTER_LOST', startedOutput: true, attempts: 1 })
    expect(failure?.signedDiscard.discard.jobId).toBe(job.order.jobId)
    expect(job.decisions).toEqual([])
  })

  test('error: who does not know the secret, or speaks another version, is not let in', async () => {
    const member = await startMember('a')
    const statusOf = async (version: string, secret: string): Promise<string> => {
      const { WebSocket } = await import('ws')
      const socket = new WebSocket(`${member.url}?version=${version}`, { headers: { authorization: `Bearer ${secret}` } })
      return new Promise(resolve => {
        socket.once('error', error => resolve(error.message))
        socket.once('open', () => resolve('open'))
      })
    }
    expect(await statusOf('1', 'guessed')).toContain('401')
    expect(await statusOf('1', '')).toContain('401')
    expect(await statusOf('999', SECRET)).toContain('426')
  })

  test('error: no router: the job fails at once, with its discard receipt', async () => {
    const { failure } = await ask().ended
    expect(failure).toMatchObject({ code: 'GATEWAY_NO_ROUTER', attempts: 0 })
    expect(failure?.signedDiscard.discard.reason).toBe('GATEWAY_NO_ROUTER')
  })

  test('error: a version of the pod that the router does not know yet', async () => {
    await startMember('a', () => null)
    await linked(1)
    const order = testOrder(pod)
    const { failure } = await ask({ ...order, preferences: { ...order.preferences, on_failure: 'discard' } }).ended
    expect(failure).toMatchObject({ code: 'ROUTER_POD_UNKNOWN', attempts: 0 })
  })
})
