import { describe, expect, test } from 'vitest'
import type { Clock } from '#platform'
import type { RouterMessage } from '#protocol'
import type { Fleet } from './fleet.ts'
import type { Session } from './link/session.ts'
import { createPodLogReader } from './pod-logs.ts'

const POD = `0x${'ab'.repeat(32)}` as const
const line = (text: string) => ({ atMs: 7, text })

/** Sessions that note what they are asked, and a clock that the test turns. */
function fixture(count: number) {
  const asked: { id: number; message: RouterMessage }[][] = []
  const sessions = Array.from({ length: count }, (_, index): Session => {
    asked[index] = []
    const nodeId = `0x${String(index).padStart(40, '0')}` as const
    const send = (text: string): void => {
      const message = JSON.parse(text) as Extract<RouterMessage, { type: 'logs' }> // cast: the reader sends nothing else
      asked[index]!.push({ id: message.id, message })
    }
    return {
      sessionId: '',
      nodeId,
      connectedAtMs: 0,
      lastSeenAtMs: 0,
      cutAtMs: null,
      send,
      countStray: () => {},
      close: () => {},
      end: () => {},
    }
  })
  const timers = new Set<() => void>()
  const after = (_ms: number, run: () => void): (() => void) => {
    timers.add(run)
    return () => timers.delete(run)
  }
  const fleet = { hosting: () => sessions.map(session => ({ node: { session } })) } as unknown as Fleet // cast: all that the reader asks of it
  const reader = createPodLogReader({ fleet, clock: { after } as unknown as Clock }) // cast: all that the reader asks of it
  return { reader, sessions, asked, timers, expire: () => [...timers].forEach(run => void run()) }
}

describe('createPodLogReader', () => {
  test('default: asks the nodes that host the pod and gathers what they say', async () => {
    const { reader, sessions, asked, timers } = fixture(2)
    const reading = reader.read(POD, 5)
    expect(asked.map(([first]) => first?.message)).toMatchObject([
      { type: 'logs', podId: POD, sinceMs: 5 },
      { type: 'logs', podId: POD, sinceMs: 5 },
    ])
    sessions.forEach((session, index) => void reader.answer(session, asked[index]![0]!.id, [line(`of ${index}`)]))
    expect(await reading).toEqual(sessions.map(({ nodeId }, index) => ({ nodeId, lines: [line(`of ${index}`)] })))
    expect(timers.size).toBe(0)
  })

  test('error: a silent node is left out, and nobody waits for it', async () => {
    const { reader, sessions, asked, expire } = fixture(2)
    const reading = reader.read(POD, 0)
    reader.answer(sessions[0]!, asked[0]![0]!.id, [])
    expire()
    expect(await reading).toEqual([{ nodeId: sessions[0]!.nodeId, lines: [] }])
  })

  test('error: an answer to the question of another node, to none, or a second one', async () => {
    const { reader, sessions, asked, expire } = fixture(2)
    const reading = reader.read(POD, 0)
    const [[first], [second]] = asked as unknown as [{ id: number }[], { id: number }[]] // cast: both were asked
    reader.answer(sessions[1]!, first!.id, [line('forged')])
    reader.answer(sessions[1]!, 999, [line('forged')])
    reader.answer(sessions[1]!, second!.id, [line('own')])
    reader.answer(sessions[1]!, second!.id, [line('again')])
    expire()
    expect(await reading).toEqual([{ nodeId: sessions[1]!.nodeId, lines: [line('own')] }])
  })

  test('error: readers can not pile up questions', async () => {
    const { reader, asked, expire } = fixture(200)
    const readings = Array.from({ length: 30 }, () => reader.read(POD, 0))
    expect(asked.reduce((sum, { length }) => sum + length, 0)).toBe(500)
    expect(asked[50]).toEqual([])
    expire()
    expect((await Promise.all(readings)).flat()).toEqual([])
  })
})
