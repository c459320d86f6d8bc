import { describe, expect, test } from 'vitest'
import { type Device, deviceSchema } from '#protocol'
import type { CommandResult, RunCommand } from './command.ts'
import { DeviceList } from './list.ts'
import { readUtilization, watchUtilization } from './utilization.ts'

const device = (id: string, kind: Device['kind'] = 'gpu'): Device =>
  deviceSchema.parse({ id, kind, name: id, memoryBytes: 1, benchmark: null })
const answer = (stdout: string, code: number | null = 0): CommandResult => ({ code, stdout, stderr: '' })
const tool =
  (nvidia: CommandResult, rocm: CommandResult = answer('', null)): RunCommand =>
  async command =>
    command === 'nvidia-smi' ? nvidia : rocm

describe('readUtilization', () => {
  test('default: NVIDIA GPUs by their uuid, in steps of 5 %', async () => {
    const read = await readUtilization(tool(answer('GPU-a, 97\nGPU-b, 0\nGPU-c, 51\n')), [
      device('GPU-a'),
      device('GPU-b'),
      device('GPU-c'),
    ])
    expect([...read]).toEqual([
      ['GPU-a', 0.95],
      ['GPU-b', 0],
      ['GPU-c', 0.5],
    ])
  })

  test('default: AMD cards, in the words of both releases', async () => {
    const json =
      '{"card0": {"GPU use (%)": "40", "Unique ID": "0xabc"}, "card1": {"gpu use (%)": "100"}, "system": {"Driver version": "6"}}'
    const read = await readUtilization(tool(answer(''), answer(`WARNING: asleep\n${json}`)), [device('AMD-0xabc'), device('AMD-card1')])
    expect([...read]).toEqual([
      ['AMD-0xabc', 0.4],
      ['AMD-card1', 1],
    ])
  })

  test('behavior: a slice is as busy as its GPU, a group as its GPUs on average', async () => {
    const slice: Device = { ...device('GPU-a/1'), kind: 'slice', parent: 'GPU-a' }
    const group: Device = { ...device('GROUP-x'), kind: 'group', members: ['GPU-a', 'GPU-b'] }
    const read = await readUtilization(tool(answer('GPU-a, 80\nGPU-b, 20\n')), [slice, group])
    expect([...read.values()]).toEqual([0.8, 0.5])
  })

  test.each([
    ['the tool fails', answer('GPU-a, 50', 9)],
    ['the tool is gone', answer('', null)],
    ['[N/A] under MIG', answer('GPU-a, [N/A]')],
    ['nonsense', answer('GPU-a, 400\nGPU-a, -3\nGPU-a,\n,,,,\n')],
    ['a stranger', answer('GPU-z, 50')],
  ])('error: no data when %s', async (_why, nvidia) => expect((await readUtilization(tool(nvidia), [device('GPU-a')])).size).toBe(0))
})

describe('watchUtilization', () => {
  const scene = (devices: readonly Device[], answers: string[]) => {
    const timers: (() => unknown)[] = []
    const told: (number | undefined)[][] = []
    const stop = new AbortController()
    const clock = {
      now: () => 0,
      after(_ms: number, run: () => unknown) {
        timers.push(run)
        return () => undefined
      },
      afterTurn: (run: () => void) => run(),
    }
    const run: RunCommand = async () => answer(answers.shift() ?? '')
    const list = new DeviceList(() => told.push(list.now().map(({ utilization }) => utilization)))
    list.set(devices)
    told.length = 0
    watchUtilization(list, { clock, signal: stop.signal, run })
    return { told, stop, tick: async () => await timers.shift()?.(), pending: () => timers.length }
  }

  test('default: a change is told, the same again is not, and no answer takes it back', async () => {
    const { tick, told } = scene([device('GPU-a'), device('cpu', 'cpu')], ['GPU-a, 50', 'GPU-a, 51', 'GPU-a, 90', ''])
    for (let i = 0; i < 4; i++) await tick()
    expect(told).toEqual([
      [0.5, undefined],
      [0.9, undefined],
      [undefined, undefined],
    ])
  })

  test('behavior: a machine without a GPU is not measured, and nothing is told after the end', async () => {
    expect(scene([device('cpu', 'cpu')], []).pending()).toBe(0)
    const { tick, told, stop, pending } = scene([device('GPU-a')], ['GPU-a, 50'])
    stop.abort()
    await tick()
    expect([told, pending()]).toEqual([[], 0])
  })
})
