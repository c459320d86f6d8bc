import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { createManualClock, createSigner } from '#platform'
import { type Address, jobPreferencesSchema, type PodId } from '#protocol'
import { createPace } from './pace.ts'
import { createWaitingQueue } from './queue.ts'
import type { FakeLease } from './testing/fake-node.ts'
import { dispatchRecorded, startTestRouter, type TestRouter, testOrder, testPod } from './testing/harness.ts'

type Item = { podId: PodId; payer: string; name: string; tokens: number; weight: number }
const podId: PodId = `0x${'a'.repeat(64)}`
const item = (payer: string, name: string, tokens = 1, weight = 1): Item => ({ podId, payer, name, tokens, weight })

function takeAll(queue: ReturnType<typeof createWaitingQueue<Item>>, slots = Number.POSITIVE_INFINITY): string[] {
  const taken: string[] = []
  queue.offer(podId, job => {
    if (taken.length >= slots) return 'no slot left'
    taken.push(job.name)
    return 'taken'
  })
  return taken
}

describe('waiting queue', () => {
  test('default: payers take turns, the oldest of each first', () => {
    const queue = createWaitingQueue<Item>(100)
    for (let i = 1; i <= 4; i++) queue.add(item('flood', `flood ${i}`))
    queue.add(item('small', 'small 1'))
    queue.add(item('other', 'other 1'))
    queue.add(item('other', 'other 2'))
    expect(takeAll(queue)).toEqual(['flood 1', 'small 1', 'other 1', 'flood 2', 'other 2', 'flood 3', 'flood 4'])
    expect(queue.size(podId)).toBe(0)
    expect(queue.pods()).toEqual([])
  })

  test('behavior: the turn goes on where it stopped when slots come one by one', () => {
    const queue = createWaitingQueue<Item>(100)
    for (let i = 1; i <= 3; i++) queue.add(item('flood', `flood ${i}`))
    queue.add(item('small', 'small 1'))
    expect([1, 2, 3, 4].flatMap(() => takeAll(queue, 1))).toEqual(['flood 1', 'small 1', 'flood 2', 'flood 3'])
  })

  test('behavior: a job that no free slot suits does not hold up the others and keeps its place', () => {
    const queue = createWaitingQueue<Item>(100)
    queue.add(item('a', 'picky'))
    queue.add(item('a', 'easy'))
    queue.add(item('b', 'easy b'))
    const taken: string[] = []
    queue.offer(podId, ({ name }) => {
      if (name === 'picky') return 'unsuitable'
      taken.push(name)
      return 'taken'
    })
    expect(taken).toEqual(['easy', 'easy b'])
    expect(takeAll(queue)).toEqual(['picky'])
  })

  test('behavior: it is bounded per pod', () => {
    const queue = createWaitingQueue<Item>(2)
    const third = item('c', '3')
    expect([queue.add(item('a', '1')), queue.add(item('b', '2')), queue.add(third)]).toEqual([null, null, third])
    const first = takeAll(queue, 1)
    expect(first).toEqual(['1'])
    expect(queue.add(third)).toBeNull()
  })

  test('behavior: a full queue makes room for whoever waits for less, at the cost of the newest job of whoever waits for most', () => {
    const queue = createWaitingQueue<Item>(4)
    const names = (job: Item | null) => job?.name ?? null
    for (let i = 1; i <= 4; i++) queue.add(item('flood', `flood ${i}`))
    expect(names(queue.add(item('flood', 'flood 5')))).toBe('flood 5')
    expect(names(queue.add(item('small', 'small 1')))).toBe('flood 4')
    // Two of its jobs wait, as many as there would be of the other: who was there first stays.
    expect(names(queue.add(item('small', 'small 2')))).toBe('flood 3')
    expect(names(queue.add(item('small', 'small 3')))).toBe('small 3')
    expect(names(queue.add(item('heavy', 'heavy 1', 1, 10)))).toBe('flood 2')
    expect(queue.size(podId)).toBe(4)
  })

  test('behavior: payers share by weight', () => {
    const queue = createWaitingQueue<Item>(100)
    for (let i = 1; i <= 6; i++) queue.add(item('gold', `gold ${i}`, 10, 3))
    for (let i = 1; i <= 3; i++) queue.add(item('plain', `plain ${i}`, 10))
    expect(takeAll(queue)).toEqual(['gold 1', 'plain 1', 'gold 2', 'gold 3', 'gold 4', 'plain 2', 'gold 5', 'gold 6', 'plain 3'])
  })

  test('property: nothing is lost or served twice, and no payer waits for more than one job of each other payer', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 60 }), payers => {
        const queue = createWaitingQueue<Item>(1000)
        const items = payers.map((payer, index) => item(`p${payer}`, `p${payer} ${index}`))
        for (const entry of items) queue.add(entry)
        const served = takeAll(queue)
        expect([...served].sort()).toEqual(items.map(({ name }) => name).sort())
        const payerOf = (name: string): string => name.split(' ')[0]!
        served.forEach((name, at) => {
          const next = served.findIndex((other, index) => index > at && payerOf(other) === payerOf(name))
          if (next < 0) return
          const between = served.slice(at + 1, next).map(payerOf)
          expect(new Set(between).size, `between ${name} and ${served[next]}`).toBe(between.length)
        })
      }),
    )
  })

  test('behavior: payers share the tokens of a pod, not its jobs', () => {
    const queue = createWaitingQueue<Item>(100)
    for (let i = 1; i <= 2; i++) queue.add(item('long', `long ${i}`, 30))
    for (let i = 1; i <= 4; i++) queue.add(item('short', `short ${i}`, 10))
    expect(takeAll(queue)).toEqual(['long 1', 'short 1', 'short 2', 'short 3', 'long 2', 'short 4'])
  })

  test('behavior: whoever leaves and comes back at once goes on where it stood', () => {
    const queue = createWaitingQueue<Item>(100)
    for (let i = 1; i <= 9; i++) queue.add(item('short', `short ${i}`, 10))
    const served: string[] = []
    for (let i = 1; i <= 2; i++) {
      queue.add(item('long', `long ${i}`, 30))
      for (let slots = 0; slots < 4; slots++) served.push(...takeAll(queue, 1))
    }
    expect(served).toEqual(['short 1', 'long 1', 'short 2', 'short 3', 'short 4', 'long 2', 'short 5', 'short 6'])
  })

  const WEIGHTS = [1, 2, 7, 30, 100]
  const jobs = fc.array(fc.record({ payer: fc.integer({ min: 0, max: 4 }), tokens: fc.integer({ min: 0, max: 50 }) }), {
    minLength: 1,
    maxLength: 80,
  })
  const queueOf = (entries: readonly { payer: number; tokens: number }[]) => {
    const queue = createWaitingQueue<Item>(1000)
    const items = entries.map(({ payer, tokens }, i) => item(`p${payer}`, `${i}`, tokens, WEIGHTS[payer]!))
    for (const each of items) queue.add(each)
    return { queue, items }
  }

  test('property: shares are proportional to weights, and no payer with a waiting job falls behind another by more than a job (no starvation)', () => {
    fc.assert(
      fc.property(jobs, entries => {
        const { queue, items } = queueOf(entries)
        const served = new Map<string, number>()
        const waiting = new Map<string, number>()
        for (const { payer } of items) waiting.set(payer, (waiting.get(payer) ?? 0) + 1)
        queue.offer(podId, ({ payer, tokens, weight }) => {
          // Tokens per weight: whoever goes has had least of all that wait, so the others are ahead by at most their last job.
          for (const [other, count] of waiting)
            if (count > 0) expect(served.get(payer) ?? 0, `${payer} before ${other}`).toBeLessThanOrEqual((served.get(other) ?? 0) + 1e-9)
          served.set(payer, (served.get(payer) ?? 0) + Math.max(1, tokens) / weight)
          waiting.set(payer, waiting.get(payer)! - 1)
          return 'taken'
        })
        expect([...waiting.values()].every(count => count === 0)).toBe(true)
      }),
    )
  })

  test('property: a payer of little weight goes after at most what the others may have by theirs', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...WEIGHTS), { minLength: 1, maxLength: 5 }), weights => {
        const queue = createWaitingQueue<Item>(10_000)
        for (const [payer, weight] of weights.entries()) for (let i = 0; i < 400; i++) queue.add(item(`p${payer}`, 'other', 10, weight))
        for (let i = 0; i < 4; i++) queue.add(item('least', 'least', 10, 1))
        const turns = takeAll(queue).flatMap((name, at) => (name === 'least' ? [at] : []))
        const most = weights.reduce((sum, weight) => sum + weight + 1, 1)
        for (const [i, turn] of turns.entries()) expect(turn - (turns[i - 1] ?? -1), `turn ${i}`).toBeLessThanOrEqual(most)
        expect(turns).toHaveLength(4)
      }),
    )
  })

  test('property: a job is told its exact place, whatever the weights', () => {
    fc.assert(
      fc.property(jobs, fc.nat(), (entries, which) => {
        const { queue, items } = queueOf(entries)
        const job = items[which % items.length]!
        const told = queue.ahead(job)
        expect(takeAll(queue).indexOf(job.name)).toBe(told)
      }),
    )
  })

  test('property: a job that waits nowhere is told where it would stand', () => {
    fc.assert(
      fc.property(jobs, fc.integer({ min: 0, max: 4 }), (entries, payer) => {
        const { queue } = queueOf(entries)
        const late = item(`p${payer}`, 'late', 5, WEIGHTS[payer]!)
        const told = queue.ahead(late)
        queue.add(late)
        expect(takeAll(queue).indexOf('late')).toBe(told)
      }),
    )
  })

  test('property: in a full queue nobody loses a place to a payer who waits for more', () => {
    fc.assert(
      fc.property(jobs, fc.integer({ min: 1, max: 10 }), (entries, bound) => {
        const queue = createWaitingQueue<Item>(bound)
        const waiting = new Map<string, number>()
        for (const [i, { payer, tokens }] of entries.entries()) {
          const job = item(`p${payer}`, `${i}`, tokens, WEIGHTS[payer]!)
          const cost = (one: Item) => Math.max(1, one.tokens) / one.weight
          const lost = queue.add(job)
          waiting.set(job.payer, (waiting.get(job.payer) ?? 0) + cost(job))
          if (lost && lost !== job) {
            expect(waiting.get(lost.payer)).toBeGreaterThan(waiting.get(job.payer)! - 1e-9)
            expect(queue.ahead(lost)).toBeLessThanOrEqual(bound)
          }
          if (lost) waiting.set(lost.payer, waiting.get(lost.payer)! - cost(lost))
          expect(queue.size(podId)).toBe(Math.min(i + 1, bound))
        }
      }),
    )
  })

  test('behavior: a job knows about its place', () => {
    const queue = createWaitingQueue<Item>(100)
    const [first, second, third] = [item('a', '1'), item('a', '2'), item('a', '3')]
    for (const each of [first, second, third, item('b', '4'), item('b', '5')]) queue.add(each)
    expect([first, second, third].map(queue.ahead)).toEqual([0, 2, 4])
    queue.remove(second)
    expect([first, second, third].map(queue.ahead)).toEqual([0, 4, 2])
  })
})

describe('pace', () => {
  test('default: from the intervals between slots, within bounds; a pause says nothing', () => {
    const pace = createPace()
    expect(pace.waitMs(podId, 5, 30_000)).toBe(1000)
    for (const atMs of [0, 2000, 4000, 6000]) pace.served(podId, atMs)
    expect(pace.waitMs(podId, 5, 30_000)).toBe(10_000)
    expect(pace.waitMs(podId, 100, 30_000)).toBe(30_000)
    pace.served(podId, 500_000)
    expect(pace.waitMs(podId, 5, 30_000)).toBe(10_000)
    for (let i = 1; i <= 50; i++) pace.served(podId, 500_000 + 100 * i)
    expect(pace.waitMs(podId, 50, 30_000)).toBeLessThan(5_100)
  })
})

describe('a router with waiting jobs', () => {
  const pod = testPod('chat/test', { timeouts: { queueMs: 1000 } })
  const payer = (n: number): Address => `0x${n.toString(16).padStart(40, '0')}`
  let net: TestRouter
  afterEach(() => net.stop())

  test('behavior: no eligible slot stays idle beside a waiting job (law R3), and payers take turns (law R5)', async () => {
    net = await startTestRouter()
    const open: FakeLease[] = []
    const node = await net.node({ pods: [pod], slots: 1, answer: lease => void open.push(lease) })
    const jobs = [1, 1, 1, 2].map(n => dispatchRecorded(net.router, testOrder(pod, { payer: payer(n) })))
    const order: number[] = []
    jobs.forEach((job, index) => void job.leased.then(() => order.push(index)))
    for (let done = 0; done < jobs.length; done++) {
      await node.next('lease', message => message.jobId === jobs[[0, 1, 3, 2][done]!]!.order.jobId)
      open[done]!.text('x')
      open[done]!.done()
    }
    await Promise.all(jobs.map(job => job.ended))
    // The first takes the slot; then payer 1 and payer 2 alternate.
    expect(order).toEqual([0, 1, 3, 2])
    expect(net.router.openJobs()).toBe(0)
  })

  test('behavior: a new node, a new slot and a lifted refusal each wake the queue', async () => {
    net = await startTestRouter({ standingRefreshMs: 1_000_000 })
    const full = await net.node({ pods: [pod], slots: 1, answer: () => {} })
    await dispatchRecorded(net.router, testOrder(pod)).leased
    const wakers: [string, () => Promise<unknown> | unknown][] = [
      [
        'more slots',
        () =>
          full.updateFacts({
            replicas: [{ podId: pod.podId, manifestHash: pod.manifestHash, deviceId: 'cpu', state: 'warm', slots: 2, unitsPerSecond: 1 }],
          }),
      ],
      ['a new node', () => net.node({ pods: [pod], slots: 1, answer: () => {} })],
      [
        'a registration',
        async () => {
          const late = await net.node({ pods: [pod], slots: 1, answer: () => {}, privateKey: LATE_KEY })
          net.standings.delete(late.nodeId)
          net.router.standingChanged(late.nodeId)
        },
      ],
    ]
    net.standings.set(createSigner(LATE_KEY).address, null)
    for (const [label, wake] of wakers) {
      const job = dispatchRecorded(net.router, testOrder(pod))
      await Promise.resolve()
      expect(job.leases, label).toHaveLength(0)
      await wake()
      await job.leased
    }
  })
  const LATE_KEY = `0x${'7'.repeat(64)}` as const

  test('error: ROUTER_QUEUE_TIMEOUT after the pod queue deadline, ROUTER_QUEUE_FULL over the bound', async () => {
    const clock = createManualClock()
    net = await startTestRouter({ queueMaxJobs: 1 }, { clock })
    await net.node({ pods: [pod], slots: 1, answer: lease => lease.text('busy') })
    await dispatchRecorded(net.router, testOrder(pod)).firstDelta
    const waiting = dispatchRecorded(net.router, testOrder(pod))
    const refused = dispatchRecorded(net.router, testOrder(pod))
    expect((await refused.ended).failure).toMatchObject({ code: 'ROUTER_QUEUE_FULL', retryAfterMs: 1000 })
    clock.advance(1000)
    const { failure } = await waiting.ended
    expect(failure).toMatchObject({ code: 'ROUTER_QUEUE_TIMEOUT', attempts: 0, retryAfterMs: 1000 })
    expect(failure!.message).toContain('about number 1 of 1 that wait. Try again in about 1 s.')
    expect(failure!.signedDiscard.discard.decisionHash).toBe(waiting.decisions[0]!.recordHash)
    expect(await net.replay(waiting)).toMatchObject([{ matches: true, candidates: [{ refused: ['no free slot'] }] }])
    expect(waiting.decisions[0]!.record).toMatchObject({ chosen: null, hosts: 1, eligible: 0 })
  })

  test('behavior: jobs of a weightier key go first while both wait, and a flood gives way in a full queue', async () => {
    net = await startTestRouter({ queueMaxJobs: 4 })
    const open: FakeLease[] = []
    const node = await net.node({ pods: [pod], slots: 1, answer: lease => void open.push(lease) })
    const first = dispatchRecorded(net.router, testOrder(pod, { payer: payer(9) }))
    await node.next('lease', message => message.jobId === first.order.jobId)
    const flood = [1, 2, 3, 4].map(() => dispatchRecorded(net.router, testOrder(pod, { payer: payer(1) })))
    const gold = [1, 2].map(() => dispatchRecorded(net.router, testOrder(pod, { payer: payer(2), weight: 100 })))
    for (const lost of flood.slice(2)) {
      const { failure } = await lost.ended
      expect(failure).toMatchObject({ code: 'ROUTER_QUEUE_FULL', attempts: 0, retryAfterMs: 1000 })
      expect(failure!.message).toContain('no payer has more of them waiting')
    }
    const expected = [flood[0]!, ...gold, flood[1]!]
    for (const [done, job] of expected.entries()) {
      open[done]!.text('x')
      open[done]!.done()
      await node.next('lease', message => message.jobId === job.order.jobId)
    }
    open[4]!.text('x')
    open[4]!.done()
    await Promise.all(expected.map(job => job.ended))
  })

  test('error: ROUTER_NO_CANDIDATE at once when waiting can not help, with the reasons grouped', async () => {
    net = await startTestRouter()
    await net.node({ pods: [pod] })
    const nodes = net.router.nodes()
    const preferences = jobPreferencesSchema.parse({ deny_nodes: [nodes[0]!.nodeId] })
    const denied = await dispatchRecorded(net.router, testOrder(pod, { preferences })).ended
    expect(denied.failure).toMatchObject({ code: 'ROUTER_NO_CANDIDATE', attempts: 0 })
    expect(denied.failure!.message).toContain('denied by the user (1 node)')
    const other = await dispatchRecorded(net.router, testOrder(testPod('chat/none'))).ended
    expect(other.failure!.message).toContain('does not host the pod (1 node)')
  })
})
