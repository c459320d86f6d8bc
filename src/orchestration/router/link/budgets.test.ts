import { afterEach, describe, expect, test } from 'vitest'
import { createManualClock, createSigner, type Logger, newPrivateKey, silentLogger } from '#platform'
import { type Address, encodeFrame } from '#protocol'
import { type FakeNode, openFakeLink } from '../testing/fake-node.ts'
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
import { createBudgets } from './budgets.ts'

const pod = testPod()
const NODE = `0x${'1'.repeat(40)}` as const
let net: TestRouter | null = null
let opened: FakeNode[] = []
afterEach(async () => {
  for (const { socket } of opened) socket.terminate()
  opened = []
  await net?.stop()
  net = null
})

/** A link whose peer says nothing. */
async function openMute({ url }: TestRouter): Promise<FakeNode> {
  const node = openFakeLink({ url, chainId: TEST_CHAIN_ID, settlement: TEST_SETTLEMENT })
  opened.push(node)
  await node.next('challenge')
  return node
}

const isOpen = ({ socket }: FakeNode): boolean => socket.readyState === socket.OPEN

describe('budgets', () => {
  test('default: so much at once, and so much again with time', () => {
    const clock = createManualClock()
    const budgets = createBudgets<Address>({ perSecond: 10, burst: 5 }, clock)
    expect([budgets.take(NODE, 4), budgets.isSpent(NODE)]).toEqual([true, false])
    expect([budgets.take(NODE, 4), budgets.isSpent(NODE)]).toEqual([false, true])
    clock.advance(100)
    expect([budgets.isSpent(NODE), budgets.take(NODE, 1), budgets.take(NODE, 1)]).toEqual([false, true, false])
  })

  test('behavior: however many keys come, none that still owes is forgotten', () => {
    const clock = createManualClock()
    const budgets = createBudgets<Address>({ perSecond: 1, burst: 5 }, clock)
    expect(budgets.take(NODE, 9)).toBe(false)
    for (let i = 0; i < 5_000; i++) budgets.take(`0x${i.toString(16).padStart(40, '0')}`, 1)
    expect(budgets.isSpent(NODE)).toBe(true)
  })
})

describe('a node that was cut off for a flood', () => {
  test('error: LINK_RATE_LIMITED when it comes back at once; with time it may, and others may all the while', async () => {
    const clock = createManualClock()
    net = await startTestRouter({ strayMessagesPerSecond: 10, strayMessageBurst: 50 }, { clock })
    const privateKey = newPrivateKey()
    const flooder = await net.node({ pods: [pod], privateKey })
    for (let i = 0; i < 100; i++) flooder.send({ type: 'heartbeat', sentAtMs: i })
    expect((await flooder.closed).reason).toBe('LINK_RATE_LIMITED')
    await expect(net.node({ pods: [pod], privateKey })).rejects.toThrow('LINK_RATE_LIMITED')
    const other = await net.node({ pods: [pod] })
    expect((await dispatchRecorded(net.router, testOrder(pod)).ended).completion!.signedReceipt.receipt.node).toBe(other.nodeId)
    clock.advance(5_000)
    await net.node({ pods: [pod], privateKey })
    expect(net.router.nodes()).toHaveLength(2)
  })

  test('error: LINK_RATE_LIMITED by size for output of no lease, also in the company of output that has one', async () => {
    net = await startTestRouter({ strayMessagesPerSecond: 1, strayMessageBurst: 200 })
    const node = await net.node({
      pods: [pod],
      answer: lease => {
        const frame = (channel: number): Buffer => encodeFrame(channel, 0, { choice: 0, tokens: 1, text: 'x' })
        node.sendRaw(Buffer.concat([frame(lease.grant.channel), ...Array<Buffer>(50_000).fill(frame(lease.grant.channel + 1))]))
      },
    })
    expect((await dispatchRecorded(net.router, testOrder(pod)).ended).failure!.code).toBe('ROUTER_NODE_LOST')
    expect((await node.closed).reason).toBe('LINK_RATE_LIMITED')
  })
})

describe('the log of closed links', () => {
  test('behavior: a hundred refusals are counted and not written down one by one; another kind is', async () => {
    const clock = createManualClock()
    const lines: object[] = []
    const logger = { ...silentLogger, warn: (facts: object) => void lines.push(facts) } as Logger // cast: the router only warns here
    net = await startTestRouter({}, { clock, logger })
    const { url, counted } = net
    const intrude = async (): Promise<void> => {
      const node = openFakeLink({ url, chainId: TEST_CHAIN_ID, settlement: TEST_SETTLEMENT })
      await node.next('challenge')
      node.sendRaw('[0,0]')
      await node.closed
    }
    for (let i = 0; i < 100; i++) await intrude()
    expect(lines).toHaveLength(20)
    const other = await openMute(net)
    other.sendRaw('{')
    await other.closed
    clock.advance(1_000)
    await intrude()
    expect(lines.slice(20)).toEqual([
      { code: 'LINK_MALFORMED', nodeId: null },
      { code: 'LINK_UNEXPECTED', nodeId: null, unsaid: 80 },
    ])
    expect(await counted('heurist_router_links_closed_total')).toBe(102)
  })
})

describe('a full router', () => {
  test('behavior: the strangers in it give way to a node, the oldest first, and no node gives way', async () => {
    net = await startTestRouter({ maxLinks: 3 })
    const first = await net.node({ pods: [pod] })
    const [older, newer] = [await openMute(net), await openMute(net)]
    const second = await net.node({ pods: [pod] })
    expect((await older.closed).reason).toBe('LINK_FULL')
    expect(isOpen(newer)).toBe(true)
    const third = await net.node({ pods: [pod] })
    expect((await newer.closed).reason).toBe('LINK_FULL')
    const late = openFakeLink({ url: net.url, chainId: TEST_CHAIN_ID, settlement: TEST_SETTLEMENT })
    opened.push(late)
    expect((await late.closed).reason).toBe('LINK_FULL')
    expect([first, second, third].every(isOpen)).toBe(true)
    await until(() => net!.router.nodes().length === 3)
  })

  test('behavior: a key that the chain does not know is a stranger until it is registered', async () => {
    net = await startTestRouter({ maxLinks: 1 })
    const privateKey = newPrivateKey()
    const { address } = createSigner(privateKey)
    net.standings.set(address, null)
    const stranger = await net.node({ pods: [pod], privateKey })
    const member = await net.node({ pods: [pod] })
    expect((await stranger.closed).reason).toBe('LINK_FULL')
    await member.close()
    await until(() => net!.router.nodes().length === 0)
    const again = await net.node({ pods: [pod], privateKey })
    net.standings.delete(address)
    await expect(net.node({ pods: [pod] })).rejects.toThrow('LINK_FULL')
    expect(isOpen(again)).toBe(true)
  })
})
