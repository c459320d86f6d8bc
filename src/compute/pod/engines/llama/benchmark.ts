import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getLlama, type LlamaContextSequence, LlamaLogLevel, type Token } from 'node-llama-cpp'
import type { Device } from '#protocol'
import { randomLlamaGguf } from './random-model.ts'

const WIDTH = 1024
const PROMPT_TOKENS = 512
/** Long enough for a GPU to have raised its clock. */
const DURATION_MS = 500

export type LlamaBenchmarkOptions = { readonly device: Pick<Device, 'kind'>; readonly threads: number; readonly width?: number }

/** Operations per second of the whole device: the fastest prompt in the window, its matrices counted and nothing else. */
export async function benchmarkLlama({ device, threads, width = WIDTH }: LlamaBenchmarkOptions): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'heurist-benchmark-'))
  const llama = await getLlama({ gpu: device.kind === 'cpu' ? false : 'auto', build: 'never', logLevel: LlamaLogLevel.disabled })
  try {
    const modelPath = join(folder, 'random.gguf')
    writeFileSync(modelPath, randomLlamaGguf(BYTES.metadata, { vocabularySize: BYTES.size, contextLength: PROMPT_TOKENS, width }))
    const model = await llama.loadModel({ modelPath })
    const context = await model.createContext({ contextSize: PROMPT_TOKENS, batchSize: PROMPT_TOKENS, threads })
    const elapsedMs = await fastest(context.getSequence())
    return (operationsPerToken(width) * (PROMPT_TOKENS - 1) * 1000) / elapsedMs
  } finally {
    await llama.dispose()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Two operations for each weight of four square matrices and three of the double width, in two layers. */
function operationsPerToken(width: number): number {
  return 2 * 2 * (4 * width ** 2 + 3 * 2 * width ** 2)
}

async function fastest(sequence: LlamaContextSequence): Promise<number> {
  const prompt = Array.from({ length: PROMPT_TOKENS - 1 }, (_, index) => (3 + (index % 256)) as Token) // cast: token ids are branded numbers
  let bestMs = Number.POSITIVE_INFINITY
  // A monotonic clock of its own and not the injected one: this measures the machine, which no test can move.
  for (const startMs = performance.now(); performance.now() - startMs < DURATION_MS; ) {
    await sequence.clearHistory()
    const beforeMs = performance.now()
    await sequence.evaluateWithoutGeneratingNewTokens(prompt)
    bestMs = Math.min(bestMs, performance.now() - beforeMs)
  }
  return bestMs
}

const TOKENS = [
  '<unk>',
  '<s>',
  '</s>',
  ...Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`),
]
/** A vocabulary of bytes: the runtime wants one. */
const BYTES = {
  size: TOKENS.length,
  metadata: {
    'tokenizer.ggml.model': { string: 'llama' },
    'tokenizer.ggml.tokens': { strings: TOKENS },
    'tokenizer.ggml.token_type': { i32s: TOKENS.map((_, id) => (id === 0 ? 2 : id < 3 ? 3 : 6)) },
    'tokenizer.ggml.scores': { f32s: TOKENS.map(() => 0) },
    'tokenizer.ggml.bos_token_id': { u32: 1 },
    'tokenizer.ggml.eos_token_id': { u32: 2 },
    'tokenizer.ggml.unknown_token_id': { u32: 0 },
  },
}
