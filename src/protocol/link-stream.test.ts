import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BATCH_HEADER_BYTES, decodeBatchHead } from './batches.ts'
import { createLinkStream, type LinkStream } from './link-stream.ts'
import { readNodeText } from './messages.ts'

const SENT_AT = /"sentAtMs":(\d+)/g

/** One end: what it said, what it heard, and what the connection still carries to it. */
function createEnd(maxBytes = Number.POSITIVE_INFINITY) {
  const turns: (() => void)[] = []
  const heard: number[] = []
  const heardFrames: number[] = []
  const inbound: (Uint8Array | string)[] = []
  let isFull = false
  const full = (): void => {
    isFull = true
    stream.end()
  }
  const stream: LinkStream = createLinkStream({ maxBytes, full, later: callback => turns.push(callback) })
  let said = 0
  return {
    stream,
    heard,
    heardFrames,
    inbound,
    isFull: () => isFull,
    said: () => said,
    say(isFrame: boolean, bytes = 0): void {
      const text = JSON.stringify({ type: 'heartbeat', sentAtMs: said++, padding: 'x'.repeat(bytes) })
      if (isFrame) stream.frame(Buffer.from(text))
      else stream.text(text)
    },
    endTurn(): void {
      for (const run of turns.splice(0)) run()
    },
    /** Takes one message from the connection. */
    hear(): ReturnType<LinkStream['take']> | null {
      const data = inbound.shift()
      if (data === undefined) return null
      const head = typeof data === 'string' ? readNodeText(data).head! : decodeBatchHead(Buffer.from(data))
      const body = typeof data === 'string' ? data : Buffer.from(data).subarray(BATCH_HEADER_BYTES).toString()
      const kind = stream.take(head, data.length)
      const numbers = kind === 'new' ? [...body.matchAll(SENT_AT)].map(([, at]) => Number(at)) : []
      heard.push(...numbers)
      if (typeof data !== 'string') heardFrames.push(...numbers)
      return kind
    },
  }
}
type End = ReturnType<typeof createEnd>

function connect(a: End, b: End): void {
  const [fromA, fromB] = [a.stream.received, b.stream.received]
  expect(a.stream.canResume(fromB)).toBe(true)
  expect(b.stream.canResume(fromA)).toBe(true)
  a.inbound.length = 0
  b.inbound.length = 0
  a.stream.attach(message => void b.inbound.push(message), fromB)
  b.stream.attach(message => void a.inbound.push(message), fromA)
}

const inOrder = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

describe('link stream', () => {
  test('default: what one turn says is one batch of frames and one of texts, and the answer acknowledges both', () => {
    const [a, b] = [createEnd(), createEnd()]
    connect(a, b)
    a.say(true)
    a.say(false)
    a.say(true)
    a.endTurn()
    expect(b.inbound).toHaveLength(2)
    expect([b.hear(), b.hear()]).toEqual(['new', 'new'])
    expect(a.stream.keptBytes).toBeGreaterThan(0)
    b.say(false)
    b.endTurn()
    expect(a.hear()).toBe('new')
    expect(a.stream.keptBytes).toBe(0)
  })

  test('behavior: who only listens acknowledges now and then', () => {
    const [a, b] = [createEnd(), createEnd()]
    connect(a, b)
    for (let i = 0; i < 200; i++) {
      a.say(true, 1000)
      a.endTurn()
      b.hear()
    }
    expect(a.inbound.length).toBeGreaterThan(1)
    expect(a.inbound.length).toBeLessThan(8)
    while (a.inbound.length > 0) expect(a.hear()).toBe('known')
    expect(a.stream.keptBytes).toBeLessThan(100_000)
    expect(b.heard).toEqual(inOrder(200))
  })

  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('say' as const), end: fc.nat(1), isFrame: fc.boolean() }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('turn' as const), end: fc.nat(1) }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('hear' as const), end: fc.nat(1) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const), end: fc.nat(1) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('connect' as const), end: fc.nat(1) }) },
  )

  test('property: wherever and for how long it is cut, each end hears what the other said, once and in order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), steps => {
        const ends = [createEnd(), createEnd()] as const
        connect(...ends)
        for (const each of steps) {
          const end = ends[each.end]!
          if (each.kind === 'say') end.say(each.isFrame)
          else if (each.kind === 'turn') end.endTurn()
          else if (each.kind === 'hear') expect(end.hear()).toBeOneOf(['new', 'known', null])
          else if (each.kind === 'connect') connect(...ends)
          else for (const { stream, inbound } of ends) [stream.detach(), inbound.splice(0)]
        }
        connect(...ends)
        for (const end of ends) end.endTurn()
        for (const end of ends) while (end.hear() !== null);
        for (const [index, { heard, heardFrames }] of ends.entries()) {
          expect(heard.toSorted((a, b) => a - b)).toEqual(inOrder(ends[1 - index]!.said()))
          // Frames of a turn leave before its texts; within each kind nothing changes places.
          const heardTexts = heard.filter(number => !heardFrames.includes(number))
          for (const kind of [heardFrames, heardTexts]) expect(kind).toEqual(kind.toSorted((a, b) => a - b))
        }
      }),
      { numRuns: 500 },
    )
  })

  test('behavior: whoever produces waits at half of the bound, and goes on when the other end has taken it', async () => {
    const [a, b] = [createEnd(10_000), createEnd()]
    connect(a, b)
    a.stream.detach()
    expect(a.stream.writable()).toBeNull()
    for (let i = 0; i < 3; i++) {
      a.say(true, 3_000)
      a.endTurn()
    }
    let goesOn = false
    const waiting = a.stream.writable()?.then(() => {
      goesOn = true
    })
    connect(a, b)
    const acknowledgeOne = async (): Promise<void> => {
      b.hear()
      b.say(false)
      b.endTurn()
      a.hear()
      await Promise.resolve()
    }
    await acknowledgeOne()
    expect(goesOn).toBe(false)
    await acknowledgeOne()
    await waiting
    expect(goesOn).toBe(true)
  })

  test('error: beyond the bound the session is over, and nobody waits for it', async () => {
    const [a, b] = [createEnd(10_000), createEnd()]
    connect(a, b)
    a.stream.detach()
    a.say(true, 6_000)
    a.endTurn()
    const waiting = a.stream.writable()
    a.say(true, 6_000)
    a.endTurn()
    expect(a.isFull()).toBe(true)
    await waiting
    expect(a.stream.keptBytes).toBe(0)
    a.say(true)
    a.endTurn()
    expect(b.inbound).toEqual([])
  })

  test('error: a gap, a batch told twice, an acknowledgement of what was never said', () => {
    const { stream } = createEnd()
    expect(stream.take({ number: 1, ack: 0 }, 1)).toBe('new')
    expect(stream.take({ number: 1, ack: 0 }, 1)).toBe('known')
    expect(stream.take({ number: 3, ack: 0 }, 1)).toBe('gap')
    expect(stream.take({ number: 2, ack: 1 }, 1)).toBe('false ack')
    expect(stream.received).toBe(1)
    expect([stream.canResume(0), stream.canResume(1), stream.canResume(-1)]).toEqual([true, false, false])
  })

  test('error: a session can not go on before what was acknowledged', () => {
    const [a, b] = [createEnd(), createEnd()]
    connect(a, b)
    a.say(false)
    a.endTurn()
    b.hear()
    b.say(false)
    b.endTurn()
    a.hear()
    expect([a.stream.canResume(0), a.stream.canResume(1), a.stream.canResume(2)]).toEqual([false, true, false])
  })
})
