import { readFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { DEVICE_SLOTS, type Device } from '#protocol'

/** What the machine says about its processor. */
export type HostFacts = { readonly model: string; readonly cores: number; readonly memoryBytes: number }

/** Processor and memory that this process may really use: a container's limits count, not the machine's size. */
export function readHost(cgroupRoot = '/sys/fs/cgroup'): HostFacts {
  const processors = cpus()
  const limits = readCgroupLimits(cgroupRoot)
  return {
    model: processors[0]?.model.trim() || 'unknown processor',
    cores: Math.max(1, Math.min(processors.length, limits.cores ?? Number.POSITIVE_INFINITY)),
    memoryBytes: Math.floor(Math.min(totalmem(), limits.memoryBytes ?? Number.POSITIVE_INFINITY)),
  }
}

export type CgroupLimits = { readonly cores: number | null; readonly memoryBytes: number | null }

/** Limits of control groups, version 2 or 1; null where none is set or none can be read. */
export function readCgroupLimits(root: string): CgroupLimits {
  return {
    memoryBytes: positive(readText(root, 'memory.max') ?? readText(root, 'memory/memory.limit_in_bytes')),
    cores: coresOf(readText(root, 'cpu.max')) ?? coresOf(cpuMaxOfV1(root)),
  }
}

function cpuMaxOfV1(root: string): string | null {
  const quota = readText(root, 'cpu/cpu.cfs_quota_us')
  return quota === null ? null : `${quota} ${readText(root, 'cpu/cpu.cfs_period_us') ?? ''}`
}

/** `max 100000` (no limit) or `150000 100000` (quota and period in µs): 1.5 cores. Version 1 writes -1 for no limit. */
function coresOf(text: string | null): number | null {
  const [quota, period] = (text ?? '').split(/\s+/).map(Number)
  return quota && period && quota > 0 && period > 0 ? quota / period : null
}

function positive(text: string | null): number | null {
  const value = Number(text)
  return text !== null && Number.isSafeInteger(value) && value > 0 ? value : null
}

function readText(root: string, file: string): string | null {
  try {
    return readFileSync(join(root, file), 'utf8').trim()
  } catch {
    // No such controller on this machine: that is "no limit known", not an error.
    return null
  }
}

/** The CPU as a device. A share of it has that share of the memory, so that two nodes on one machine do not promise it twice. */
export function cpuDevice(host: HostFacts, shareBps: number): Device {
  const cores = Number.isInteger(host.cores) ? host.cores : host.cores.toFixed(1)
  return {
    id: 'cpu',
    kind: 'cpu',
    name: `${host.model} (${cores} core${host.cores === 1 ? '' : 's'})`.slice(0, 200),
    memoryBytes: Math.floor((host.memoryBytes * shareBps) / 10_000),
    computeCapability: 0,
    shareBps,
    slots: DEVICE_SLOTS,
    benchmark: null,
  }
}
