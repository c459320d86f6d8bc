import { MIB, type NvidiaGpu } from './nvidia-gpu.ts'
import { childrenOf, parseXml, textAt, type XmlElement } from './xml.ts'

/** A compute instance under MIG as `nvidia-smi -q -x` lists it; without the uuid, which only `nvidia-smi -L` gives on every driver. */
export type MigEntry = {
  readonly index: number
  readonly gpuInstance: number
  readonly computeInstance: number
  readonly memoryBytes: number
  /** Null on drivers that leave it out. */
  readonly uuid: string | null
}
export type XmlGpu = NvidiaGpu & { readonly mig: readonly MigEntry[] }

/** What `nvidia-smi -q -x` says; `fault` is set when that can not be read, and the GPUs are then none. */
export type NvidiaLog = { readonly gpus: readonly XmlGpu[]; readonly notes: readonly string[]; readonly fault: string | null }

/** More than any machine has; a document with more was not written by the tool. */
const MAX_GPUS = 64

/** GPUs of `nvidia-smi -q -x`, of the schemas 10 to 13 (drivers 418 to 590). Never throws. */
export function parseNvidiaXml(text: string): NvidiaLog {
  const root = parseXml(text)
  if ('fault' in root) return { gpus: [], notes: [], fault: root.fault }
  if (root.name !== 'nvidia_smi_log') return { gpus: [], notes: [], fault: `its root is <${root.name.slice(0, 60)}>` }
  const elements = childrenOf(root, 'gpu')
  if (elements.length > MAX_GPUS) return { gpus: [], notes: [], fault: `it lists ${elements.length} GPUs` }
  const gpus: XmlGpu[] = []
  const notes: string[] = []
  for (const [index, element] of elements.entries()) {
    const gpu = gpuOf(element, index)
    if (gpu) gpus.push(gpu)
    else notes.push(`nvidia-smi lists a GPU ${index} without a uuid: "${textAt(element, 'product_name').slice(0, 100)}". It is not used.`)
  }
  return { gpus, notes, fault: null }
}

/** `nvidia-smi` lists GPUs in the order of their indices, and has no index in the XML. */
function gpuOf(element: XmlElement, index: number): XmlGpu | null {
  const uuid = textAt(element, 'uuid')
  if (!/^GPU-[0-9A-Za-z-]{1,100}$/.test(uuid)) return null
  return {
    index,
    uuid,
    name: textAt(element, 'product_name') || 'NVIDIA GPU',
    memoryBytes: usableBytes(element),
    isMigEnabled: textAt(element, 'mig_mode', 'current_mig') === 'Enabled',
    computeCapability: 0,
    mig: childrenOf(childrenOf(element, 'mig_devices')[0], 'mig_device').flatMap(migEntry),
  }
}

/** What the driver keeps for itself (`reserved`, since schema 11) is not there for pods. */
function usableBytes(element: XmlElement): number | null {
  const total = mebibytes(textAt(element, 'fb_memory_usage', 'total'))
  const reserved = mebibytes(textAt(element, 'fb_memory_usage', 'reserved')) ?? 0
  return total !== null && total > reserved ? (total - reserved) * MIB : null
}

function migEntry(element: XmlElement): MigEntry[] {
  const index = whole(textAt(element, 'index'))
  const gpuInstance = whole(textAt(element, 'gpu_instance_id'))
  const computeInstance = whole(textAt(element, 'compute_instance_id')) ?? 0
  const memoryBytes = usableBytes(element)
  const uuid = textAt(element, 'uuid')
  if (index === null || gpuInstance === null || memoryBytes === null) return []
  return [{ index, gpuInstance, computeInstance, memoryBytes, uuid: /^MIG-[0-9A-Za-z/-]{1,100}$/.test(uuid) ? uuid : null }]
}

function mebibytes(text: string): number | null {
  const match = /^(\d{1,9}) MiB$/.exec(text)
  return match ? Number(match[1]) : null
}

function whole(text: string): number | null {
  return /^\d{1,6}$/.test(text) ? Number(text) : null
}
