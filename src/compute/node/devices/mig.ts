import type { XmlGpu } from './nvidia-xml.ts'

/** A MIG instance that can be computed on. `index` is its number among those of its GPU. */
export type MigInstance = {
  readonly gpuIndex: number
  readonly index: number
  readonly uuid: string
  readonly profile: string
  readonly memoryBytes: number
}

/** MIG instances of `nvidia-smi -L`, in the form of drivers before and since 470 (`MIG-GPU-…/1/0` and `MIG-…`). */
export function parseMigList(listing: string): MigInstance[] {
  const instances: MigInstance[] = []
  let gpuIndex = -1
  for (const line of listing.split('\n')) {
    gpuIndex = Number(/^GPU (\d+):/.exec(line)?.[1] ?? gpuIndex)
    const match = /^\s+MIG (\S+)\s+Device\s+(\d+): \(UUID: (MIG-[^)]+)\)/.exec(line)
    const [, profile, index, uuid] = match ?? []
    const gigabytes = Number(/(\d+)gb/.exec(profile ?? '')?.[1] ?? 0)
    // The profile's name rounds up (a 3g.20gb has 19,968 MiB): decimal gigabytes are what it surely holds.
    if (profile && uuid && gigabytes > 0) instances.push({ gpuIndex, index: Number(index), uuid, profile, memoryBytes: gigabytes * 1e9 })
  }
  return instances
}

/** A part of a GPU that was cut out with `nvidia-smi mig -cgi`; nothing computes on it before it has a compute instance. */
export type GpuInstance = {
  readonly gpuIndex: number
  readonly id: number
  readonly profile: string
  readonly start: number
  readonly size: number
}

/** The table of `nvidia-smi mig -lgi`, in the widths of all drivers. Lines that are no instance are passed over. */
export function parseGpuInstances(table: string): GpuInstance[] {
  return table.split('\n').flatMap(line => {
    const match = /^\|\s+(\d{1,4})\s+MIG (\S{1,40})\s+\d+\s+(\d{1,4})\s+(\d{1,3}):(\d{1,3})\s+\|$/.exec(line.trimEnd())
    if (!match) return []
    const [, gpuIndex, profile = '', id, start, size] = match
    return [{ gpuIndex: Number(gpuIndex), id: Number(id), profile, start: Number(start), size: Number(size) }]
  })
}

/** The instances of one GPU with the memory that the driver tells of each, where it tells. */
export function instancesOf(gpu: Pick<XmlGpu, 'index' | 'mig'>, listed: readonly MigInstance[]): MigInstance[] {
  return listed
    .filter(({ gpuIndex }) => gpuIndex === gpu.index)
    .map(instance => {
      const entry = gpu.mig.find(({ index, uuid }) => (uuid === null ? index === instance.index : uuid === instance.uuid))
      return entry ? { ...instance, memoryBytes: entry.memoryBytes } : instance
    })
}

/** What was cut out of a GPU and lies idle because it has no compute instance, in words. */
export function idleInstances(gpu: Pick<XmlGpu, 'index' | 'mig'>, cut: readonly GpuInstance[]): string[] {
  const used = new Set(gpu.mig.map(({ gpuInstance }) => gpuInstance))
  return cut
    .filter(({ gpuIndex, id }) => gpuIndex === gpu.index && !used.has(id))
    .map(
      ({ id, profile }) =>
        `GPU ${gpu.index} has the instance ${id} (MIG ${profile}) without a compute instance, so nothing can use it. Create one: nvidia-smi mig -i ${gpu.index} -gi ${id} -cci`,
    )
}
