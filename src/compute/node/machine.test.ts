import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createManualClock, silentLogger, systemClock } from '#platform'
import { type Device, deviceSchema } from '#protocol'
import type { Engine } from '../pod/engines/engine.ts'
import { GpuClaims } from './devices/claims.ts'
import { type Journal, openJournal } from './journal.ts'
import { Machine } from './machine.ts'
import { TEST_DEVICE } from './testing/fixtures.ts'
import { createTestEngine } from './testing/test-engine.ts'

const SLICE = deviceSchema.parse({
  id: 'GPU-a/0',
  kind: 'slice',
  parent: 'GPU-a',
  name: 'x',
  memoryBytes: 1,
  shareBps: 2_500,
  benchmark: null,
})

describe('Machine', () => {
  let root: string
  let journal: Journal
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'heurist-machine-'))
    journal = openJournal(join(root, 'journal.jsonl'))
  })
  afterEach(() => {
    journal.close()
    rmSync(root, { recursive: true })
  })

  async function open(benchmark: Engine['benchmark'], draws: number[] = []) {
    const clock = createManualClock()
    const prepared: string[] = []
    const engine: Engine = { ...createTestEngine().engine, prepare: async devices => void prepared.push(...devices.map(({ id }) => id)) }
    const told: (number | undefined)[][] = []
    const machine = new Machine(
      {},
      {
        clock,
        random: () => draws.shift() ?? 0,
        logger: silentLogger,
        engines: { llama: benchmark ? { ...engine, benchmark } : engine },
        journal,
        detectDevices: async (): Promise<Device[]> => [SLICE, TEST_DEVICE],
        run: async () => ({ code: null, stdout: '', stderr: '' }),
        changed: () => told.push(machine.devices().map(device => device.benchmark?.score)),
      },
    )
    await machine.open()
    return { machine, clock, told, prepared }
  }
  const kernel = 'llama-prefill-f32-1024-v1'

  test('default: a GPU is measured by the engine that computes on it, and a slice counts its share', async () => {
    const { machine, prepared } = await open(async ({ kind }) => (kind === 'slice' ? { score: 4e12, kernel } : null))
    expect(machine.devices().map(({ benchmark }) => benchmark?.score)).toEqual([1e12, 1e9])
    expect(prepared, 'engines see the devices before they are asked').toEqual(['GPU-a/0', 'cpu'])
    expect(machine.dutyOf('cpu')).toBe(machine.dutyOf('cpu'))
  })

  test.each([
    ['that no engine can compute on', undefined],
    ['whose measurement fails', () => Promise.reject(new Error('out of memory'))],
  ])('behavior: a GPU %s is not measured, and says so', async (_label, benchmark) => {
    const { machine } = await open(benchmark)
    expect(machine.devices()[0]?.benchmark).toBeNull()
  })

  test.skipIf(process.platform !== 'linux')(
    'behavior: of two nodes on one GPU the second has the CPU alone, until the first has ended',
    async () => {
      const parent = `GPU-${process.pid}-shared`
      const warnings: unknown[] = []
      const node = (): Machine =>
        new Machine(
          {},
          {
            clock: createManualClock(),
            random: () => 0,
            logger: { ...silentLogger, warn: (words: unknown) => void warnings.push(words) },
            engines: {},
            journal,
            claims: new GpuClaims(systemClock),
            detectDevices: async () => [{ ...SLICE, parent, shareBps: 10_000 }, TEST_DEVICE],
            changed: () => {},
          },
        )
      const [first, second, third] = [node(), node(), node()]
      await first.open()
      await second.open()
      const kinds = (machine: Machine): string[] => machine.devices().map(({ kind }) => kind)
      expect([kinds(first), kinds(second)]).toEqual([['slice', 'cpu'], ['cpu']])
      expect(warnings).toEqual([expect.stringContaining(`${parent}: 100 % of it are offered by another node of this machine`)])
      first.close()
      await third.open()
      expect(kinds(third)).toEqual(['slice', 'cpu'])
      third.close()
    },
  )

  test('behavior: devices and replicas are measured again unannounced, and the change is told once', async () => {
    const scores = [4e12, 1e12]
    // A pause, the slice, a pause, the replica.
    const { machine, clock, told } = await open(async () => ({ score: scores.shift() ?? 0, kernel }), [0.5, 0.2, 0.5, 0.9])
    const stop = new AbortController()
    let replicas = 0
    machine.watch({ signal: stop.signal, isIdle: () => true, measureReplica: async () => void replicas++ })
    for (let i = 0; i < 2; i++) {
      clock.advance(0.7 * 3_600_000)
      for (let turn = 0; turn < 3; turn++) await new Promise(resolve => setImmediate(resolve))
    }
    stop.abort()
    expect(told).toEqual([
      [1e12, 1e9],
      [0.9e12, 1e9],
    ])
    expect([machine.devices()[0]?.benchmark?.score, replicas]).toEqual([0.9e12, 1])
  })
})
