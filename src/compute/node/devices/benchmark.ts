import type { Device } from '#protocol'
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

export type BenchmarkOptions = { readonly isForced: boolean }
export type BenchmarkDependencies = {
  readonly journal: Journal
  readonly now: () => number
  readonly measure?: () => number
}

/**
 * The devices with their registration benchmark. A figure is measured once and kept in the journal until the device, its share or the kernel changes,
 * or `isForced`. Only CPUs have a kernel so far; a GPU's figure stays null (not known) and its pods are ranked by their measured speed.
 */
export function benchmarkDevices(devices: readonly Device[], options: BenchmarkOptions, dependencies: BenchmarkDependencies): Device[] {
  return devices.map(device => (device.kind === 'cpu' && device.benchmark === null ? benchmarkCpu(device, options, dependencies) : device))
}

function benchmarkCpu(device: Device, options: BenchmarkOptions, dependencies: BenchmarkDependencies): Device {
  const { journal, now, measure = measureCpu } = dependencies
  const fingerprint = `${device.name} ${device.shareBps}`
  const known = journal.benchmark(device.id)
  if (known && !options.isForced && known.fingerprint === fingerprint && known.kernel === CPU_KERNEL) {
    return { ...device, benchmark: { score: known.score, kernel: known.kernel, measuredAtMs: known.measuredAtMs } }
  }
  const score = (measure() * device.shareBps) / 10_000
  const benchmark = { score, kernel: CPU_KERNEL, measuredAtMs: now() }
  journal.saveBenchmark({ deviceId: device.id, fingerprint, ...benchmark })
  return { ...device, benchmark }
}
