import { existsSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { type EngineDeps, measureLlamaThreads } from '#compute'
import { type Device, ZERO_BYTES32 } from '#protocol'
import { PACKAGE_ROOT } from '../version.ts'
import { CHAT_MANIFEST } from './pods.ts'

const threadsSchema = z.object({ threads: z.number().int().positive(), cores: z.number().int() })
const WHOLE_CPU: Device = {
  id: 'cpu',
  kind: 'cpu',
  name: 'cpu',
  memoryBytes: 0,
  computeCapability: 0,
  shareBps: 10_000,
  slots: 64,
  benchmark: null,
}
const THREAD_TRIAL_MS = 30_000
const SHIPPED_MODEL = join(PACKAGE_ROOT, 'models/heurist-tiny/heurist-tiny-q8_0.gguf')

/** Threads of one evaluation, measured at the first start: on machines that share their cores more threads can be 30 times slower. */
export async function measuredThreads(path: string, isForced: boolean, dependencies: EngineDeps): Promise<number> {
  const cores = availableParallelism()
  const known = existsSync(path) && !isForced ? threadsSchema.safeParse(JSON.parse(readFileSync(path, 'utf8'))) : null
  if (known?.success && known.data.cores === cores) return known.data.threads
  const candidates = [1, 2, 4, 8].filter(threads => threads <= cores)
  const threads = await measureLlamaThreads(
    {
      podId: ZERO_BYTES32,
      manifest: CHAT_MANIFEST,
      modelPath: SHIPPED_MODEL,
      device: WHOLE_CPU,
      slots: 1,
      signal: AbortSignal.timeout(THREAD_TRIAL_MS),
    },
    candidates,
    dependencies,
  )
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeFile(path, JSON.stringify({ threads, cores }), { mode: 0o600 })
  dependencies.logger.info({ threads, candidates }, 'threads of the llama engine measured')
  return threads
}
