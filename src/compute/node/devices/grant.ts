import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Device, gpusOf, messageOf } from '#protocol'
import { type DeviceGrant, NO_DEVICE } from '../../pod/sandbox/sandbox.ts'
import { type RunCommand, runCommand } from './command.ts'
import { readHost } from './cpu.ts'
import { parseMigList } from './mig.ts'
import { parseNvidiaXml } from './nvidia-xml.ts'

export type GrantDependencies = {
  readonly run: RunCommand
  /** Processors that this process may use. */
  readonly cores: number
  /** Where /proc, /dev and /sys are looked for; another folder in tests. */
  readonly root?: string
}

/**
 * What a program gets of a device, and nothing of any other: the device nodes that it may open, the folders of /sys that its runtime reads, and the
 * variables by which it chooses. A variable alone keeps nobody from another GPU: the nodes do. @throws Error that says what is missing
 */
export async function grantOf(device: Device, dependencies: GrantDependencies): Promise<DeviceGrant> {
  const { cores, root = '/' } = dependencies
  if (device.kind === 'cpu') return cpuGrant(device, cores)
  const ids = gpusOf(device)
  const isAmd = ids.every(id => id.startsWith('AMD-'))
  try {
    const { nodes, folders, environment } = isAmd ? amdGrant(ids, root) : await nvidiaGrant(ids, { ...dependencies, root })
    return { nodes, folders, environment, groups: groupsOf(nodes, root), cores: null }
  } catch (error) {
    throw new Error(`The device ${device.id} can not be handed to a program: ${messageOf(error)}`, { cause: error })
  }
}

/** Grants of this machine's devices. */
export function deviceGrants(): (device: Device) => Promise<DeviceGrant> {
  return device => grantOf(device, { run: runCommand, cores: readHost().cores })
}

/** A share of the CPU is so many processors; with all of it there is no limit, and a program sees how many there are. */
function cpuGrant({ shareBps }: Device, cores: number): DeviceGrant {
  if (shareBps === 10_000) return NO_DEVICE
  const part = (cores * shareBps) / 10_000
  // Runtimes that start a thread per processor would only wait for each other.
  return { ...NO_DEVICE, cores: part, environment: { OMP_NUM_THREADS: `${Math.max(1, Math.floor(part))}` } }
}

type Found = Pick<DeviceGrant, 'nodes' | 'folders' | 'environment'>

/** Nodes through which every NVIDIA GPU is used. */
const NVIDIA_COMMON = ['/dev/nvidiactl', '/dev/nvidia-uvm']

async function nvidiaGrant(ids: readonly string[], { run, root = '/' }: GrantDependencies): Promise<Found> {
  const minors = nvidiaMinors(root)
  const nodes = new Set(NVIDIA_COMMON)
  const mig = ids.some(id => id.startsWith('MIG-')) ? await readMig(run) : []
  for (const id of ids) {
    const instance = id.startsWith('MIG-') ? instanceOf(id, mig) : null
    const minor = minors.get(instance?.gpu ?? id)
    if (minor === undefined) throw new Error(`the driver does not know ${instance?.gpu ?? id} (/proc/driver/nvidia/gpus).`)
    nodes.add(`/dev/nvidia${minor}`)
    if (instance) for (const node of capabilityNodes(minor, instance, root)) nodes.add(node)
  }
  for (const node of nodes) {
    if (!existsSync(join(root, node))) throw new Error(`${node} is not there. Load what makes it: nvidia-modprobe -u -c 0`)
  }
  return { nodes: [...nodes], folders: [], environment: { CUDA_VISIBLE_DEVICES: ids.join(',') } }
}

/** `Device Minor` of each GPU by its uuid, as the driver tells. */
function nvidiaMinors(root: string): Map<string, number> {
  const folder = join(root, '/proc/driver/nvidia/gpus')
  const entries = existsSync(folder) ? readdirSync(folder) : []
  return new Map(
    entries.flatMap(entry => {
      const text = readFileSync(join(folder, entry, 'information'), 'utf8')
      const uuid = /^GPU UUID:\s*(GPU-\S+)$/m.exec(text)?.[1]
      const minor = /^Device Minor:\s*(\d+)$/m.exec(text)?.[1]
      return uuid && minor ? [[uuid, Number(minor)] as const] : []
    }),
  )
}

type Instance = { readonly gpu: string; readonly gpuInstance: number; readonly computeInstance: number }

async function readMig(run: RunCommand): Promise<(Instance & { readonly uuid: string })[]> {
  const { gpus } = parseNvidiaXml((await run('nvidia-smi', ['-q', '-x'])).stdout)
  const listed = parseMigList((await run('nvidia-smi', ['-L'])).stdout)
  return gpus.flatMap(({ index: gpuIndex, uuid: gpu, mig }) =>
    mig.flatMap(({ index, uuid, gpuInstance, computeInstance }) => {
      const named = uuid ?? listed.find(each => each.gpuIndex === gpuIndex && each.index === index)?.uuid
      return named ? [{ uuid: named, gpu, gpuInstance, computeInstance }] : []
    }),
  )
}

/** Drivers before 470 write the place into the name: `MIG-GPU-…/1/0`. */
function instanceOf(id: string, mig: readonly (Instance & { readonly uuid: string })[]): Instance {
  const [, gpu, gpuInstance, computeInstance] = /^MIG-(GPU-[^/]+)\/(\d+)\/(\d+)$/.exec(id) ?? []
  if (gpu) return { gpu, gpuInstance: Number(gpuInstance), computeInstance: Number(computeInstance) }
  const found = mig.find(({ uuid }) => uuid === id)
  if (found) return found
  throw new Error(`nvidia-smi does not list ${id} any more. Start the node again after changing MIG instances.`)
}

/** The capabilities of an instance and of its compute instance: without both nodes the driver refuses a MIG device to who is not root. */
function capabilityNodes(minor: number, { gpuInstance, computeInstance }: Instance, root: string): string[] {
  const folder = join(root, `/proc/driver/nvidia/capabilities/gpu${minor}/mig/gi${gpuInstance}`)
  return [join(folder, 'access'), join(folder, `ci${computeInstance}`, 'access')].map(path => {
    const number = /^DeviceFileMinor:\s*(\d+)$/m.exec(readFileSync(path, 'utf8'))?.[1]
    return `/dev/nvidia-caps/nvidia-cap${number}`
  })
}

const KFD = '/dev/kfd'
/** What ROCm reads to find its GPUs. */
const KFD_FOLDERS = ['/sys/class/kfd', '/sys/devices/virtual/kfd', '/sys/dev/char']

function amdGrant(ids: readonly string[], root: string): Found {
  const cards = ids.map(id => ({ id, render: renderNodeOf(id, root) }))
  if (!existsSync(join(root, KFD))) throw new Error(`${KFD} is not there. Load the amdgpu module.`)
  const folders = cards.map(({ render }) =>
    realpathSync(join(root, '/sys/class/drm', render, 'device')).slice(root === '/' ? 0 : root.length),
  )
  // Cards without a unique id have no name that the runtime knows; of the nodes it finds theirs only.
  const names = ids.flatMap(id => /^AMD-0x([0-9a-f]+)$/i.exec(id)?.[1]?.toUpperCase().padStart(16, '0') ?? [])
  const environment = names.length === ids.length ? { ROCR_VISIBLE_DEVICES: names.map(name => `GPU-${name}`).join(',') } : {}
  return { nodes: [KFD, ...cards.map(({ render }) => `/dev/dri/${render}`)], folders: [...KFD_FOLDERS, ...folders], environment }
}

/** `renderD128` of `AMD-card0` or `AMD-0x…`, whose unique id the driver tells in /sys. */
function renderNodeOf(id: string, root: string): string {
  const drm = join(root, '/sys/class/drm')
  const cards = existsSync(drm) ? readdirSync(drm).filter(name => /^card\d+$/.test(name)) : []
  const wanted = /^AMD-0x([0-9a-f]+)$/i.exec(id)?.[1]
  const card = cards.find(name => (wanted ? uniqueIdOf(join(drm, name)) === BigInt(`0x${wanted}`) : `AMD-${name}` === id))
  const render = card && readdirSync(join(drm, card, 'device/drm')).find(name => name.startsWith('renderD'))
  if (render) return render
  throw new Error(`no card of /sys/class/drm is ${id}, or it has no render node.`)
}

function uniqueIdOf(card: string): bigint | null {
  const path = join(card, 'device/unique_id')
  const text = existsSync(path) ? readFileSync(path, 'utf8').trim() : ''
  return /^[0-9a-f]+$/i.test(text) ? BigInt(`0x${text}`) : null
}

/** Nodes that not everybody may open are opened as a member of their group (video, render). */
function groupsOf(nodes: readonly string[], root: string): number[] {
  const restricted = nodes.map(node => statSync(join(root, node))).filter(({ mode }) => (mode & 0o006) !== 0o006)
  return [...new Set(restricted.map(({ gid }) => gid))].filter(gid => gid !== 0)
}
