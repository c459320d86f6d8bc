import type { Device } from '#protocol'
import type { RunCommand } from './command.ts'
import { idleInstances, instancesOf, type MigInstance, parseGpuInstances, parseMigList } from './mig.ts'
import { parseQuery } from './nvidia-gpu.ts'
import { parseNvidiaXml, type XmlGpu } from './nvidia-xml.ts'
import { wholeGpu } from './whole.ts'

const FIELDS = ['index', 'uuid', 'name', 'memory.total', 'mig.mode.current', 'compute_cap']
/** Drivers before 510 do not know `compute_cap`, and those before 450 no MIG: asked again with what all of them know. */
const OLD_FIELDS = ['index', 'uuid', 'name', 'memory.total']

/** Devices, and what was found but can not be used, for the log. */
export type Detected = { readonly devices: readonly Device[]; readonly notes: readonly string[] }

/**
 * NVIDIA GPUs and MIG instances of this machine. A missing or broken tool means none, with a note that says why. The XML (`-q -x`) knows
 * best what memory there is; only the rows of `--query-gpu` know the compute capability, and they stand in for an XML that can not be read.
 */
export async function detectNvidia(run: RunCommand): Promise<Detected> {
  const rows = await readRows(run)
  if (rows === null) return { devices: [], notes: [] }
  const log = parseNvidiaXml((await run('nvidia-smi', ['-q', '-x'])).stdout)
  if (rows.fault !== null && log.gpus.length === 0) return { devices: [], notes: [rows.fault] }
  const fault = log.fault === null ? [] : [`nvidia-smi -q -x can not be read: ${log.fault}. The shorter listing is used.`]
  const gpus: XmlGpu[] =
    log.gpus.length > 0
      ? log.gpus.map(gpu => ({ ...gpu, computeCapability: rows.gpus.find(({ uuid }) => uuid === gpu.uuid)?.computeCapability ?? 0 }))
      : rows.gpus.map(gpu => ({ ...gpu, mig: [] }))
  const mig = gpus.some(({ isMigEnabled }) => isMigEnabled) ? await readMig(run) : { listed: [], cut: [] }
  const parts = gpus.map(gpu => devicesOf(gpu, mig))
  const notes = [...fault, ...(log.gpus.length > 0 ? log.notes : rows.notes), ...parts.flatMap(part => part.notes)]
  return { devices: parts.flatMap(({ devices }) => devices), notes }
}

type Rows = ReturnType<typeof parseQuery> & { readonly fault: string | null }

/** Null when the tool is not installed. */
async function readRows(run: RunCommand): Promise<Rows | null> {
  let fields = FIELDS
  let answer = await run('nvidia-smi', query(fields))
  if (answer.code === null) return null
  if (answer.code !== 0 && /not a valid field/i.test(answer.stdout + answer.stderr)) {
    fields = OLD_FIELDS
    answer = await run('nvidia-smi', query(fields))
  }
  if (answer.code === 0) return { ...parseQuery(answer.stdout, fields), fault: null }
  const reason = (answer.stderr.trim() || answer.stdout.trim()).split('\n')[0]
  const fault = `nvidia-smi failed (exit ${answer.code}): ${reason}. Its GPUs are not used; repair the driver to use them.`
  return { gpus: [], notes: [], fault }
}

function query(fields: readonly string[]): string[] {
  return [`--query-gpu=${fields.join(',')}`, '--format=csv,noheader,nounits']
}

type Mig = { readonly listed: readonly MigInstance[]; readonly cut: ReturnType<typeof parseGpuInstances> }

async function readMig(run: RunCommand): Promise<Mig> {
  const [list, instances] = await Promise.all([run('nvidia-smi', ['-L']), run('nvidia-smi', ['mig', '-lgi'])])
  // Listing what was cut out needs more rights than listing what can be used; without them nothing is said of it.
  return { listed: parseMigList(list.stdout), cut: instances.code === 0 ? parseGpuInstances(instances.stdout) : [] }
}

function devicesOf(gpu: XmlGpu, mig: Mig): Detected {
  if (gpu.isMigEnabled) return migDevices(gpu, mig)
  const { index, uuid: id, name, memoryBytes, computeCapability } = gpu
  if (memoryBytes === null) return { devices: [], notes: [`GPU ${index} (${name}) does not say how much memory it has and is not used.`] }
  return { devices: [wholeGpu({ id, name, memoryBytes, computeCapability })], notes: [] }
}

function migDevices(gpu: XmlGpu, { listed, cut }: Mig): Detected {
  const own = instancesOf(gpu, listed)
  // Which instances lie idle follows from the XML alone; the short listing does not number them.
  const idle = gpu.mig.length > 0 ? idleInstances(gpu, cut) : []
  if (own.length === 0) {
    const note = `GPU ${gpu.index} (${gpu.name}) has MIG enabled and no instance. Create one with nvidia-smi mig -cgi, or disable MIG.`
    return { devices: [], notes: [note] }
  }
  const devices = own.map(({ uuid, profile, memoryBytes }): Device => {
    const name = `${gpu.name} MIG ${profile}`
    const whole = wholeGpu({ id: uuid, name, memoryBytes, computeCapability: gpu.computeCapability })
    return { ...whole, kind: 'mig', parent: gpu.uuid, profile: profile.slice(0, 40) }
  })
  return { devices, notes: idle }
}
