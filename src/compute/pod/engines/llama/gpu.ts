import { getLlama, LlamaLogLevel } from 'node-llama-cpp'
import type { LlamaGpu } from './objection.ts'

/** Starts the runtime as models on a GPU get it, and asks what it found. */
export async function readLlamaGpu(): Promise<LlamaGpu> {
  const llama = await getLlama({ gpu: 'auto', build: 'never', logLevel: LlamaLogLevel.disabled })
  try {
    return { backend: llama.gpu || null, names: llama.gpu ? await llama.getGpuDeviceNames() : [] }
  } finally {
    await llama.dispose()
  }
}
