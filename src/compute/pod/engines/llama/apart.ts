import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Device } from '#protocol'
import { visibleDevices } from './objection.ts'

const BENCHMARK_MS = 60_000

/** The benchmark of a device in a process that sees it alone. @throws when it prints no figure */
export async function benchmarkApart(command: readonly string[], device: Device): Promise<number> {
  const variables = Object.entries(visibleDevices(device)).map(([name, value]) => `${name}=${value}`)
  const { stdout } = await promisify(execFile)('env', [...variables, ...command, 'benchmark'], { timeout: BENCHMARK_MS })
  const score = Number(stdout.trim())
  if (score > 0) return score
  throw new Error(`the benchmark printed "${stdout.trim().slice(0, 100)}"`)
}
