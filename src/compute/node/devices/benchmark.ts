import type { Device } from '#protocol'
import { LLAMA_KERNEL } from '../../pod/engines/llama/kernel.ts'
import type { Journal } from '../journal.ts'

/** Fixed kernel of CPU devices: one product of two 256 × 256 float32 matrices. The name changes with the arithmetic. */
export const CPU_KERNEL = 'matmul-f32-256-v1'
const SIZE = 256
/** Rows that are timed together: about 2 ms, shorter than what a scheduler gives at once. */
const BLOCK_ROWS = 16
const OPERATIONS_PER_BLOCK = 2 * BLOCK_ROWS * SIZE ** 2
/** Long enough for the compiler to have settled and for a timer of 1 ms not to matter. */
const DURATION_MS = 150
const WARM_UP_BLOCKS = 32

/** One block of rows of the product; row-times-row with the second matrix transposed: both are read in order, as a real kernel would. */
function multiplyBlock(firstRow: number, a: Float32Array, bTransposed: Float32Array, out: Float32Array): void {
  for (let row = firstRow; row < firstRow + BLOCK_ROWS; row++) {
    for (let column = 0; column < SIZE; column++) {
      let sum = 0
      const aStart = row * SIZE
      const bStart = column * SIZE
      for (let k = 0; k < SIZE; k++) sum += a[aStart + k]! * bTransposed[bStart + k]!
      out[row * SIZE + column] = sum
    }
  }
}

/**
 * Floating-point operations per second of one core: the fastest block of rows in the window, so that whatever else the machine
 * does at its first start does not stay in the figure. Blocks for about {@link DURATION_MS}; run it before the link is up.
 */
export function measureCpu(): number {
  const a = Float32Array.from({ length: SIZE * SIZE }, (_value, index) => (index % 17) / 17)
  const b = Float32Array.from({ length: SIZE * SIZE }, (_value, index) => (index % 13) / 13)
  const out = new Float32Array(SIZE * SIZE)
  let row = 0
  const next = () => {
    multiplyBlock(row, a, b, out)
    row = (row + BLOCK_ROWS) % SIZE
  }
  for (let i = 0; i < WARM_UP_BLOCKS; i++) next()
  // A monotonic clock of its own and not the injected one: this measures the machine, which no test can move.
  const startMs = performance.now()
  let fastestMs = Number.POSITIVE_INFINITY
  for (let beforeMs = startMs; beforeMs - startMs < DURATION_MS; ) {
    next()
    const afterMs = performance.now()
    fastestMs = Math.min(fastestMs, afterMs - beforeMs)
    beforeMs = afterMs
  }
  return OPERATIONS_PER_BLOCK / (fastestMs / 1000)
}

/** One measurement: operations per second of the whole device, by the fixed kernel of its class. */
export type Measured = { readonly score: number; readonly kernel: string }

export type BenchmarkDependencies = {
  readonly journal: Journal
  readonly now: () => number
  /** Null when nothing here can measure such a device. */
  readonly measure: (device: Device) => Promise<Measured | null>
}

/** Of a figure that was not reached again this much stays with each measurement: a busy machine is forgiven, a slow device is found. */
const FADE = 0.9

/**
 * The registration benchmark of a device, kept in the journal until the device, its share or the kernel changes. A device that nothing here can
 * measure has none: its weight in emission is nothing, and its pods are ranked by their own speed.
 */
export class DeviceBenchmark {
  readonly #deps: BenchmarkDependencies

  constructor(dependencies: BenchmarkDependencies) {
    this.#deps = dependencies
  }

  /** With the figure that is known, or one that is measured now. */
  async register(device: Device, { isForced }: { readonly isForced: boolean }): Promise<Device> {
    const known = this.#known(device)
    if (device.benchmark !== null || (known && !isForced)) return { ...device, benchmark: device.benchmark ?? known }
    const measured = await this.#measure(device)
    return measured ? this.#save(device, measured) : device
  }

  /** Measures again; null when that is not possible. */
  async repeat(device: Device): Promise<Device | null> {
    const measured = await this.#measure(device)
    if (!measured) return null
    const { benchmark } = device
    const isSameKernel = benchmark?.kernel === measured.kernel
    return this.#save(device, { ...measured, score: isSameKernel ? Math.max(measured.score, benchmark.score * FADE) : measured.score })
  }

  #known(device: Device): Device['benchmark'] {
    const known = this.#deps.journal.benchmark(device.id)
    if (known?.fingerprint !== fingerprintOf(device) || !KERNELS.includes(known.kernel)) return null
    return { score: known.score, kernel: known.kernel, measuredAtMs: known.measuredAtMs }
  }

  async #measure(device: Device): Promise<Measured | null> {
    const measured = await this.#deps.measure(device)
    return measured && { ...measured, score: (measured.score * device.shareBps) / 10_000 }
  }

  #save(device: Device, measured: Measured): Device {
    const benchmark = { ...measured, measuredAtMs: this.#deps.now() }
    this.#deps.journal.saveBenchmark({ deviceId: device.id, fingerprint: fingerprintOf(device), ...benchmark })
    return { ...device, benchmark }
  }
}

/** Of now; a figure by another one is void. */
const KERNELS: readonly string[] = [CPU_KERNEL, LLAMA_KERNEL]

function fingerprintOf({ name, shareBps }: Device): string {
  return `${name} ${shareBps}`
}
