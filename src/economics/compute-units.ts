/** What one job used, as the router measured it. */
export type ComputeUse = {
  /** From the lease to the end of the output, in ms. */
  readonly busyMs: number
  /** Jobs that the replica runs side by side: each gets that part of its device. */
  readonly slots: number
  /** What the pod asks for: GPU memory, and host memory of a pod that runs without a GPU. */
  readonly vramBytes: number
  readonly memoryBytes: number
}

const MIB = 2 ** 20
/** Least weight, in MiB: a pod that names no memory still occupies a device. */
export const MIN_WEIGHT_MIB = 64
/** Host memory counts an eighth of GPU memory: about its share of the price of a machine that has both. */
export const HOST_MEMORY_DIVISOR = 8

/** The VRAM weight of a pod, in MiB. */
export function weightMib({ vramBytes, memoryBytes }: Pick<ComputeUse, 'vramBytes' | 'memoryBytes'>): number {
  const bytes = vramBytes > 0 ? vramBytes : memoryBytes / HOST_MEMORY_DIVISOR
  return Math.max(MIN_WEIGHT_MIB, Math.ceil(bytes / MIB))
}

/**
 * Compute units of a job: GPU time × VRAM requirement (wp §3.2.1), in MiB-milliseconds, rounded down. A device's time is
 * divided among its slots, so announcing more slots creates no units. A started millisecond counts.
 * @example
 * computeUnitsOf({ busyMs: 2_000, slots: 4, vramBytes: 8 * 2 ** 30, memoryBytes: 0 }) // 4_096_000
 */
export function computeUnitsOf(use: ComputeUse): number {
  const sharedMs = Math.max(1, use.busyMs) / Math.max(1, use.slots)
  return Math.floor(sharedMs * weightMib(use))
}
