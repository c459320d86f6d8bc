import type { Device } from '#protocol'
import type { RunCommand } from './command.ts'

const FIELDS = ['index', 'uuid', 'name', 'memory.total', 'mig.mode.current', 'compute_cap']
/** Drivers before 510 do not know `compute_cap`, and those before 450 no MIG: asked again with what all of them know. */
const OLD_FIELDS = ['index', 'uuid', 'name', 'memory.total']
const MIB = 2 ** 20

export type NvidiaGpu = {
  readonly index: number
  readonly uuid: string
  readonly name: string
  /** Null when the tool does not say ([N/A] on machines whose GPU shares the main memory). */
  readonly memoryBytes: number | null
  readonly isMigEnabled: boolean
  /** 0 when an old driver does not say: such a GPU gets no pod that asks for one. */
  readonly computeCapability: number
}
export type MigInstance = { readonly gpuIndex: number; readonly uuid: string; readonly profile: string; readonly memoryBytes: number }
/** Devices, and what was found but can not be used, for the log. */
export type Detected = { readonly devices: readonly Device[]; readonly notes: readonly string[] }

/** Rows of `nvidia-smi --query-gpu=… --format=csv,noheader,nounits`. Rows that make no sense are left out and said. */
export function parseQuery(csv: string, fields: readonly string[]): { gpus: NvidiaGpu[]; notes: string[] } {
  const gpus: NvidiaGpu[] = []
  const notes: string[] = []
  for (const line of csv.split('\n')) {
    if (line.trim() === '') continue
    const gpu = parseRow(line, fields)
    if (gpu) gpus.push(gpu)
    else notes.push(`nvidia-smi printed a line that is no GPU: "${line.trim().slice(0, 100)}"`)
  }
  return { gpus, notes }
}

function parseRow(line: string, fields: readonly string[]): NvidiaGpu | null {
  const cells = line.split(',').map(cell => cell.trim())
  const cell = (name: string) => cells[fields.indexOf(name)] ?? ''
  const index = Number(cell('index'))
  if (cells.length !== fields.length || !Number.isInteger(index) || !cell('uuid').startsWith('GPU-')) return null
  const memoryMib = Number(cell('memory.total'))
  const capability = Number(cell('compute_cap'))
  return {
    index,
    uuid: cell('uuid'),
    name: cell('name'),
    memoryBytes: Number.isFinite(memoryMib) && memoryMib > 0 ? memoryMib * MIB : null,
    isMigEnabled: cell('mig.mode.current') === 'Enabled',
    computeCapability: Number.isFinite(capability) && capability > 0 ? capability : 0,
  }
}

/** MIG instances of `nvidia-smi -L`, in the form of drivers before and since 470 (`MIG-GPU-…/1/0` and `MIG-…`). */
export function parseMigList(listing: string): MigInstance[] {
  const instances: MigInstance[] = []
  let gpuIndex = -1
  for (const line of listing.split('\n')) {
    gpuIndex = Number(/^GPU (\d+):/.exec(line)?.[1] ?? gpuIndex)
    const match = /^\s+MIG (\S+)\s+Device\s+\d+: \(UUID: (MIG-[^)]+)\)/.exec(line)
    const profile = match?.[1]
    const gigabytes = Number(/(\d+)gb/.exec(profile ?? '')?.[1] ?? 0)
    // The profile's name rounds up (a 3g.20gb has 19,968 MiB): decimal gigabytes are what it surely holds.
    if (profile && match?.[2] && gigabytes > 0) instances.push({ gpuIndex, uuid: match[2], profile, memoryBytes: gigabytes * 1e9 })
  }
  return instances
}

/** NVIDIA GPUs and MIG instances of this machine. A missing or broken tool means none, with a note that says why. */
export async function detectNvidia(run: RunCommand, shareBps: number): Promise<Detected> {
  let fields = FIELDS
  let answer = await run('nvidia-smi', query(fields))
  if (answer.code === null) return { devices: [], notes: [] }
  if (answer.code !== 0 && /not a valid field/i.test(answer.stdout + answer.stderr)) {
    fields = OLD_FIELDS
    answer = await run('nvidia-smi', query(fields))
  }
  if (answer.code !== 0) {
    const reason = (answer.stderr.trim() || answer.stdout.trim()).split('\n')[0]
    return {
      devices: [],
      notes: [`nvidia-smi failed (exit ${answer.code}): ${reason}. Its GPUs are not used; repair the driver to use them.`],
    }
  }
  const { gpus, notes } = parseQuery(answer.stdout, fields)
  const mig = gpus.some(gpu => gpu.isMigEnabled) ? parseMigList((await run('nvidia-smi', ['-L'])).stdout) : []
  const parts = gpus.map(gpu => (gpu.isMigEnabled ? migDevices(gpu, mig, shareBps) : wholeDevice(gpu, shareBps)))
  return { devices: parts.flatMap(part => part.devices), notes: [...notes, ...parts.flatMap(part => part.notes)] }
}

function query(fields: readonly string[]): string[] {
  return [`--query-gpu=${fields.join(',')}`, '--format=csv,noheader,nounits']
}

function wholeDevice(gpu: NvidiaGpu, shareBps: number): Detected {
  if (gpu.memoryBytes === null) {
    return { devices: [], notes: [`GPU ${gpu.index} (${gpu.name}) does not say how much memory it has and is not used.`] }
  }
  const device: Device = {
    id: gpu.uuid,
    // A part of a GPU without MIG is a time slice: it isolates neither memory nor faults (DESIGN §8).
    kind: shareBps < 10_000 ? 'slice' : 'gpu',
    name: gpu.name.slice(0, 200),
    memoryBytes: Math.floor((gpu.memoryBytes * shareBps) / 10_000),
    computeCapability: gpu.computeCapability,
    shareBps,
    benchmark: null,
  }
  return { devices: [device], notes: [] }
}

function migDevices(gpu: NvidiaGpu, instances: readonly MigInstance[], shareBps: number): Detected {
  const own = instances.filter(instance => instance.gpuIndex === gpu.index)
  if (own.length === 0) {
    return {
      devices: [],
      notes: [`GPU ${gpu.index} (${gpu.name}) has MIG enabled and no instance. Create one with nvidia-smi mig -cgi, or disable MIG.`],
    }
  }
  const devices = own.map(
    (instance): Device => ({
      id: instance.uuid.slice(0, 120),
      kind: 'mig',
      name: `${gpu.name} MIG ${instance.profile}`.slice(0, 200),
      memoryBytes: Math.floor((instance.memoryBytes * shareBps) / 10_000),
      computeCapability: gpu.computeCapability,
      shareBps,
      benchmark: null,
    }),
  )
  return { devices, notes: [] }
}
