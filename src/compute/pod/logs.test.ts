import { describe, expect, test } from 'vitest'
import { ZERO_BYTES32 } from '#protocol'
import { PodLogs } from './logs.ts'

describe('PodLogs', () => {
  test('default: the last lines, oldest first, each pod its own', () => {
    let now = 5_000
    const logs = new PodLogs(() => now)
    logs.append(ZERO_BYTES32, 'one')
    now += 1
    logs.append(ZERO_BYTES32, 'two')
    expect(logs.tail(ZERO_BYTES32, 10)).toEqual([
      { atMs: 5_000, text: 'one' },
      { atMs: 5_001, text: 'two' },
    ])
    expect(logs.tail(ZERO_BYTES32, 1)).toEqual([{ atMs: 5_001, text: 'two' }])
    expect(logs.tail('0x01', 10)).toEqual([])
  })

  test('error: a flood loses lines, and the log says how many', () => {
    let now = 0
    const logs = new PodLogs(() => now)
    for (let i = 0; i < 1_000; i++) logs.append(ZERO_BYTES32, `line ${i}`)
    now = 1_000
    logs.append(ZERO_BYTES32, 'later')
    const lines = logs.tail(ZERO_BYTES32, 10_000).map(({ text }) => text)
    expect(lines).toHaveLength(202)
    expect(lines.slice(-2)).toEqual(['… 800 lines left out: more than 200 in a second', 'later'])
  })

  test('error: neither lines nor pods grow without bound', () => {
    let now = 0
    const logs = new PodLogs(() => now)
    for (let i = 0; i < 3_000; i++) {
      now += 10
      logs.append(ZERO_BYTES32, `line ${i}`)
    }
    expect(logs.tail(ZERO_BYTES32, 10_000)).toHaveLength(1_000)
    for (let i = 0; i < 300; i++) logs.append(`0x${i.toString(16)}`, 'x')
    expect(logs.tail(ZERO_BYTES32, 10)).toEqual([])
  })
})
