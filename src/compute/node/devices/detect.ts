import type { Logger } from '#platform'
import type { Device } from '#protocol'
import { cpuDevice, readHost } from './cpu.ts'

export type DetectOptions = { readonly shareBps: number }
export type DetectDependencies = { readonly logger: Logger }

/** Every device of this machine, the CPU last. */
export async function detectDevices(options: DetectOptions, _dependencies: DetectDependencies): Promise<Device[]> {
  return [cpuDevice(readHost(), options.shareBps)]
}
