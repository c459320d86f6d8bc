import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { systemClock } from '#platform'
import { GpuClaims } from './claims.ts'
import { cpuDevice } from './cpu.ts'
import { offered, parseOffer } from './offers.ts'
import { wholeGpu } from './whole.ts'

/** Unlike those of any other run on this machine. */
const gpuNamed = (name: string) => wholeGpu({ id: `GPU-${process.pid}-${name}`, name, memoryBytes: 24 * 2 ** 30, computeCapability: 8.9 })
const CPU = cpuDevice({ model: 'x', cores: 2, memoryBytes: 8 * 2 ** 30 }, 10_000)
const idsOf = (devices: readonly { id: string }[]) => devices.map(({ id }) => id)

let nodes: GpuClaims[] = []
let others: ChildProcess[] = []
afterEach(() => {
  for (const node of nodes) node.release()
  for (const other of others) other.kill('SIGKILL')
  nodes = []
  others = []
})
function newNode(): GpuClaims {
  const node = new GpuClaims(systemClock)
  nodes.push(node)
  return node
}

describe.skipIf(process.platform !== 'linux')('GpuClaims', () => {
  test('default: what one node offers no other node of the machine does, until the first has ended; the CPU is not asked about', async () => {
    const [a, b] = [gpuNamed('a'), gpuNamed('b')]
    const [first, second] = [newNode(), newNode()]
    expect(await first.take([a, CPU])).toEqual({ devices: [a, CPU], notes: [] })
    const { devices, notes } = await second.take([a, b, CPU])
    expect(idsOf(devices)).toEqual([b.id, 'cpu'])
    expect(notes).toEqual([
      `${a.id}: 100 % of it are offered by another node of this machine (process ${process.pid}), so it is not used here for 100 %. Give each node a share of it (--share), or keep it from one (--gpu ${a.id}=off).`,
    ])
    first.release()
    expect(idsOf((await newNode().take([a])).devices)).toEqual([a.id])
  })

  test('behavior: shares of a GPU add up to all of it and no more, slices of one node counted together', async () => {
    const gpu = gpuNamed('a')
    const sliced = (share: number) => offered([gpu], [parseOffer('slices:2')], share)
    expect((await newNode().take(sliced(5_000))).devices).toHaveLength(2)
    expect((await newNode().take(sliced(6_000))).devices).toEqual([])
    expect((await newNode().take(offered([gpu], [], 5_000))).devices).toHaveLength(1)
    expect((await newNode().take(offered([gpu], [], 100))).devices).toEqual([])
  })

  test('behavior: a group needs each of its GPUs, and leaves the others when one is taken', async () => {
    const gpus = ['a', 'b', 'c'].map(gpuNamed)
    await newNode().take([gpus[1]!])
    const group = offered(gpus, [parseOffer('0,1=group')], 10_000)
    const { devices, notes } = await newNode().take(group)
    expect([idsOf(devices), notes.length]).toEqual([[gpus[2]!.id], 1])
    expect(idsOf((await newNode().take([gpus[0]!])).devices)).toEqual([gpus[0]!.id])
  })

  test('behavior: of many that ask at once one has it', async () => {
    const gpu = gpuNamed('a')
    const taken = await Promise.all(Array.from({ length: 8 }, () => newNode().take([gpu])))
    expect(taken.filter(({ devices }) => devices.length === 1)).toHaveLength(1)
  })

  test('behavior: kill -9 of the node that had it gives it back', async () => {
    const gpu = gpuNamed('a')
    const script = `import { GpuClaims } from ${JSON.stringify(join(import.meta.dirname, 'claims.ts'))}
      const clock = { after: (ms, run) => setTimeout(run, ms) }
      const { devices } = await new GpuClaims(clock).take([${JSON.stringify(gpu)}])
      console.log(devices.length)
      setInterval(() => {}, 1000)`
    const other = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    others.push(other)
    const said = await new Promise<string>(resolve => other.stdout.once('data', (bytes: Buffer) => resolve(bytes.toString())))
    expect(said.trim()).toBe('1')
    const refused = await newNode().take([gpu])
    expect(refused).toMatchObject({ devices: [], notes: [expect.stringContaining(`(process ${other.pid})`)] })
    other.kill('SIGKILL')
    await vi.waitFor(async () => expect((await newNode().take([gpu])).devices).toHaveLength(1), { timeout: 30_000 })
  })
})
