import type { SandboxLimits } from './sandbox.ts'

/**
 * Address space that runtimes reserve and never use: V8's code range counts 576 MB against RLIMIT_DATA and 1.3 GB of addresses, measured
 * with Node 24 on x64. The control group counts what is really used.
 */
const RESERVED_DATA_BYTES = 640 * 2 ** 20
const RESERVED_ADDRESS_BYTES = 4 * 2 ** 30

/** Memory of a program whose manifest names none. */
export const DEFAULT_PROGRAM_BYTES = 256 * 2 ** 20

/** Arguments of prlimit(1) for what a process of the pod inherits; hard limits, which nobody without capabilities can raise. */
export function prlimitArguments(limits: SandboxLimits, { hasDevice }: { readonly hasDevice: boolean }): string[] {
  const { memoryBytes, processes, openFiles, tmpBytes, cpuSeconds } = limits
  const both = (name: string, value: number): string => `--${name}=${value}:${value}`
  return [
    both('data', memoryBytes + RESERVED_DATA_BYTES),
    // The runtime of a GPU reserves addresses for all memory of all GPUs, and uses few of them.
    ...(hasDevice ? [] : [both('as', memoryBytes + RESERVED_ADDRESS_BYTES)]),
    both('nproc', processes),
    both('nofile', openFiles),
    both('fsize', tmpBytes),
    both('core', 0),
    both('memlock', 0),
    ...(cpuSeconds === null ? [] : [both('cpu', cpuSeconds)]),
  ]
}
