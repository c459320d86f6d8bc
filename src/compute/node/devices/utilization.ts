import type { Clock } from '#platform'
import { type Device, gpusOf } from '#protocol'
import { type RunCommand, runCommand } from './command.ts'
import type { DeviceList } from './list.ts'
import { rocmCards } from './rocm.ts'

/** Steps of 5 %: finer changes are noise, and each one is told to the router. */
const STEPS = 20
const EVERY_MS = 10_000

type WatchDependencies = { readonly clock: Clock; readonly signal: AbortSignal; readonly run?: RunCommand }

/** Measures the GPUs until `signal`, and writes it into the list. A node without GPUs runs no tool. */
export function watchUtilization(devices: DeviceList, dependencies: WatchDependencies): void {
  const { clock, signal, run = runCommand } = dependencies
  if (devices.now().every(({ kind }) => kind === 'cpu')) return
  clock.after(EVERY_MS, async () => {
    const measured = await readUtilization(run, devices.now())
    if (signal.aborted) return
    devices.change(device => withUtilization(device, measured.get(device.id)))
    watchUtilization(devices, dependencies)
  })
}

function withUtilization(device: Device, utilization: number | undefined): Device {
  if (device.utilization === utilization) return device
  const { utilization: _old, ...rest } = device
  return { ...rest, ...(utilization !== undefined && { utilization }) }
}

/**
 * How busy each device was in the last moments, 0 to 1, by its id: a slice as its GPU, a group as its GPUs on average. Devices whose tool does not say are absent: MIG instances, and CPUs,
 * whose load comes from everything else on the machine too.
 */
export async function readUtilization(run: RunCommand, devices: readonly Device[]): Promise<Map<string, number>> {
  const has = (prefix: string): boolean => devices.some(device => gpusOf(device).some(id => id.startsWith(prefix)))
  const found = await Promise.all([has('GPU-') ? readNvidia(run) : [], has('AMD-') ? readRocm(run) : []])
  const byGpu = new Map(found.flat())
  return new Map(
    devices.flatMap(device => {
      const each = gpusOf(device).map(id => byGpu.get(id))
      const known = each.filter(value => value !== undefined)
      return known.length === 0 || known.length < each.length
        ? []
        : [[device.id, known.reduce((sum, value) => sum + value, 0) / known.length] as const]
    }),
  )
}

type Reading = readonly [id: string, utilization: number]

async function readNvidia(run: RunCommand): Promise<Reading[]> {
  const { code, stdout } = await run('nvidia-smi', ['--query-gpu=uuid,utilization.gpu', '--format=csv,noheader,nounits'])
  if (code !== 0) return []
  return stdout.split('\n').flatMap(line => {
    const [uuid = '', percent = ''] = line.split(',').map(cell => cell.trim())
    return reading(uuid, percent)
  })
}

async function readRocm(run: RunCommand): Promise<Reading[]> {
  const { stdout } = await run('rocm-smi', ['--showuse', '--showuniqueid', '--json'])
  return rocmCards(stdout).flatMap(({ id, members }) => reading(id, members.get('gpu use (%)') ?? ''))
}

function reading(id: string, percent: string): Reading[] {
  const value = Number(percent)
  if (percent === '' || !(value >= 0 && value <= 100)) return []
  return [[id, Math.round((value / 100) * STEPS) / STEPS]]
}
