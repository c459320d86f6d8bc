import { describe, expect, test } from 'vitest'
import { ZERO_BYTES32 } from '#protocol'
import { PodLogs } from './logs.ts'

describe('PodLogs', () => {
  test('default: what came after a time, oldest first, each pod its own', () => {
    let now = 5_000
    const logs = new PodLogs(() => now)
    logs.append(ZERO_BYTES32, 'one')
    logs.append(ZERO_BYTES32, 'two in the same millisecond')
    now += 10
    logs.append(ZERO_BYTES32, 'three')
    expect(logs.since(ZERO_BYTES32, 0)).toEqual([
      { atMs: 5_000, text: 'one' },
      { atMs: 5_001, text: 'two in the same millisecond' },
      { atMs: 5_010, text: 'three' },
    ])
    expect(logs.since(ZERO_BYTES32, 5_001)).toEqual([{ atMs: 5_010, text: 'three' }])
    expect(logs.since('0x01', 0)).toEqual([])
  })

  test('error: a flood loses lines, and the log says how many', () => {
    let now = 0
    const logs = new PodLogs(() => now)
    for (let i = 0; i < 1_000; i++) logs.append(ZERO_BYTES32, `line ${i}`)
    now = 1_000
    logs.append(ZERO_BYTES32, 'later')
    const lines = logs.since(ZERO_BYTES32, 190).map(({ text }) => text)
    expect(lines.slice(-3)).toEqual(['line 199', '… 800 lines left out: more than 200 in a second', 'later'])
  })

  test('error: neither lines, answers nor pods grow without bound', () => {
    let now = 0
    const logs = new PodLogs(() => now)
    for (let i = 0; i < 3_000; i++) {
      now += 10
      logs.append(ZERO_BYTES32, `line ${i}`)
    }
    expect(logs.since(ZERO_BYTES32, 0)).toHaveLength(200)
    expect(logs.since(ZERO_BYTES32, 0).at(-1)?.text).toBe('line 2999')
    now += 10_000
    for (let i = 0; i < 50; i++) logs.append('0x02', 'x'.repeat(9_999))
    expect(logs.since('0x02', 0)).toHaveLength(8)
    expect(logs.since('0x02', 0)[0]?.text).toHaveLength(4_096)
    for (let i = 16; i < 316; i++) logs.append(`0x${i.toString(16)}`, 'x')
    expect(logs.since(ZERO_BYTES32, 0)).toEqual([])
  })
})
