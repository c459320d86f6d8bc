import { describe, expect, test } from 'vitest'
import { createLogCursor, plainText } from './pod-logs.ts'

const line = (atMs: number, text = `at ${atMs}`) => ({ atMs, text })

describe('createLogCursor', () => {
  test('behavior: each line once, in time, whatever the clocks of nodes say', () => {
    const cursor = createLogCursor()
    expect(cursor.since()).toBe(0)
    const first = cursor.take([
      { nodeId: '0x01', lines: [line(100), line(300)] },
      { nodeId: '0x02', lines: [line(200)] },
    ])
    expect(first.map(({ atMs }) => atMs)).toEqual([100, 200, 300])
    expect(cursor.since()).toBe(200)
    const again = cursor.take([
      { nodeId: '0x01', lines: [line(300), line(301)] },
      { nodeId: '0x02', lines: [line(250)] },
      { nodeId: '0x03', lines: [line(5)] },
    ])
    expect(again.map(({ nodeId, atMs }) => [nodeId, atMs])).toEqual([
      ['0x03', 5],
      ['0x02', 250],
      ['0x01', 301],
    ])
  })
})

test('error: a line can not command a terminal', () => {
  expect(plainText('\u001b]0;owned\u0007\u001b[2Jred\r\u009b31m\tok é')).toBe('\ufffd]0;owned\ufffd\ufffd[2Jred\ufffd\ufffd31m\tok é')
})
