import type { PodManifest } from '#protocol'
import { checkedManifest } from './parse.ts'

export type ModelPodOptions = {
  /** Name of the pod, which is what users put into `model`. */
  readonly name: string
  /** Manifest source: `file:`, `hf:`, `https:` or `builtin:` (see `sourceOfArgument` for what a user writes). */
  readonly source: string
  readonly revision?: string
  readonly sha256?: string
  readonly bytes?: number
  readonly quantization?: string
  /** Tokens. */
  readonly contextLength?: number
  /** Nano-credits per 1,000,000 tokens. */
  readonly price: { readonly input: bigint; readonly output: bigint }
  readonly tokenizerSha256?: string
}

/** Beside the weights a runtime needs its context and buffers: a quarter more is what small and large models have in common. */
const MEMORY_FACTOR = 1.25

/** The manifest behind `heurist pod deploy --model`: one GGUF model served by the built-in engine. @throws HeuristError MANIFEST_INVALID on values out of bounds */
export function manifestForModel(options: ModelPodOptions): PodManifest {
  const { name, source, revision, sha256, bytes, quantization, contextLength, price, tokenizerSha256 } = options
  return checkedManifest({
    apiVersion: 'heurist/v1',
    kind: 'Pod',
    metadata: { name, description: `Model ${source}`.slice(0, 500) },
    spec: {
      runtime: 'llm',
      engine: { name: 'llama' },
      model: { id: name, source, revision, sha256, bytes, quantization: quantization ?? quantizationOf(source), contextLength },
      tokenizerSha256,
      resources: bytes === undefined ? {} : { memoryBytes: Math.ceil(bytes * MEMORY_FACTOR) },
      price,
    },
  })
}

/** `…-Q4_K_M.gguf` -> `Q4_K_M`: quantisation is part of a pod's identity, and file names carry it by convention. */
export function quantizationOf(source: string): string | undefined {
  return /[-._](I?Q\d(?:_[A-Z0-9]+)*|BF16|F16|F32)\.gguf$/i.exec(source)?.[1]?.toUpperCase()
}
