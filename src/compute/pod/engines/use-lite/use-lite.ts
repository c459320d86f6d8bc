import { type JobRequest, messageOf } from '#protocol'
import { taken } from '../back-pressure.ts'
import { type Body, badRequest, numberOf, textOrTokens } from '../body.ts'
import { type Engine, type EngineDeps, type EngineResult, engineError, type LoadedModel, type RunOptions } from '../engine.ts'
import { createJobRunner } from '../job-runner.ts'
import { type Encoder, loadEncoder, MAX_INPUT_TOKENS, packagedModelPath } from './encoder.ts'

const MAX_INPUTS = 2048
/**
 * Inputs of one evaluation, taken in order. Fixed, and part of the result: neighbours in a batch change the last bits
 * (1.7e-7 measured), so that a validator who recomputes the same request gets the same bits only with the same batches.
 */
const MAX_BATCH_INPUTS = 8
/** Rows × longest row of one evaluation; bounds how long the thread is blocked (about 50 ms). */
const MAX_BATCH_TOKENS = 256

function inputsOf(body: Body, encoder: Encoder): (readonly number[])[] {
  const values = textOrTokens(body.input, 'input')
  if (values.length > MAX_INPUTS) badRequest('input', `"input" may have at most ${MAX_INPUTS} entries.`)
  return values.map((value, i) => {
    const param = values.length > 1 ? `input[${i}]` : 'input'
    const ids = typeof value === 'string' ? encoder.tokenizer.encode(value) : value
    if (ids.length === 0) badRequest(param, `"${param}" is empty. Send at least one character.`)
    if (ids.some(id => id >= encoder.tokenizer.vocabularySize))
      badRequest(param, `"${param}" has a token id beyond the vocabulary of ${encoder.tokenizer.vocabularySize}.`)
    return ids
  })
}

function checkOptions(body: Body, encoder: Encoder): void {
  const dimensions = numberOf(body, 'dimensions', { min: 1, max: 100_000, integer: true })
  if (dimensions !== undefined && dimensions !== encoder.dimensions) {
    badRequest('dimensions', `This model has ${encoder.dimensions} dimensions and was not trained to be shortened. Leave "dimensions" out.`)
  }
}

function checkLength(inputs: readonly (readonly number[])[], contextTokens: number): void {
  const promptTokens = Math.max(...inputs.map(ids => ids.length))
  if (promptTokens <= contextTokens) return
  throw engineError(
    'ENGINE_CONTEXT_EXCEEDED',
    `This model's context is ${contextTokens} tokens, but an input has ${promptTokens}. Split the text.`,
    { payload: { contextTokens, promptTokens } },
  )
}

function batchesOf(inputs: readonly (readonly number[])[]): (readonly number[])[][] {
  const batches: (readonly number[])[][] = []
  let longest = 0
  for (const ids of inputs) {
    const current = batches.at(-1)
    longest = Math.max(longest, ids.length)
    if (current && current.length < MAX_BATCH_INPUTS && (current.length + 1) * longest <= MAX_BATCH_TOKENS) {
      current.push(ids)
    } else {
      batches.push([ids])
      longest = ids.length
    }
  }
  return batches
}

async function embed(encoder: Encoder, request: JobRequest, options: RunOptions & { contextTokens: number }): Promise<EngineResult> {
  if (request.kind !== 'embedding') badRequest('model', 'This model makes embeddings. Choose a language model for chat and completions.')
  checkOptions(request.body, encoder)
  const inputs = inputsOf(request.body, encoder)
  checkLength(inputs, options.contextTokens)
  let choice = 0
  for (const batch of batchesOf(inputs)) {
    options.signal.throwIfAborted()
    for (const embedding of await encoder.encode(batch)) {
      options.signal.throwIfAborted()
      await taken(options.emit({ choice: choice++, tokens: 0, text: '', embedding }), options.signal)
    }
  }
  return { finish: [], inputUnits: inputs.reduce((sum, ids) => sum + ids.length, 0), outputUnits: 0 }
}

const MEASURE_TEXT = 'A sentence of common words, as long as those that people search with, measures this machine. '
const MEASURE_MS = 300

async function measureEncoder(encoder: Encoder, now: () => number): Promise<number> {
  const ids = encoder.tokenizer.encode(MEASURE_TEXT)
  await encoder.encode([ids])
  const startedAt = now()
  let units = 0
  while (now() - startedAt < MEASURE_MS) {
    await encoder.encode([ids])
    units += ids.length
  }
  return (units * 1000) / (now() - startedAt)
}

function createLoadedModel(encoder: Encoder, options: { slots: number; contextTokens: number; now: () => number }): LoadedModel {
  const runner = createJobRunner({
    slots: options.slots,
    asError: cause => engineError('ENGINE_FAILED', `The encoder failed: ${messageOf(cause)}. Try again, or on another node.`, { cause }),
    release: () => encoder.dispose(),
  })
  return {
    slots: options.slots,
    measure: () => runner.run(AbortSignal.timeout(60_000), () => measureEncoder(encoder, options.now)),
    run: (request, runOptions) =>
      runner.run(runOptions.signal, signal => embed(encoder, request, { ...runOptions, signal, contextTokens: options.contextTokens })),
    unload: () => runner.unload(),
  }
}

/**
 * The embedding engine: Universal Sentence Encoder lite on TensorFlow.js (WebAssembly, one thread). Vectors have length 1 as the
 * model's last layer makes them. Units are the tokens of the model's own tokenizer.
 */
export function createUseLiteEngine(deps: Pick<EngineDeps, 'clock'>): Engine {
  return {
    name: 'use-lite',
    async load(spec, onProgress = () => {}) {
      try {
        spec.signal.throwIfAborted()
        const encoder = await loadEncoder(spec.modelPath ?? packagedModelPath(), onProgress)
        if (spec.signal.aborted) {
          encoder.dispose()
          spec.signal.throwIfAborted()
        }
        return createLoadedModel(encoder, {
          slots: spec.slots,
          contextTokens: Math.min(spec.manifest.spec.model.contextLength, MAX_INPUT_TOKENS),
          now: () => deps.clock.now(),
        })
      } catch (error) {
        if (spec.signal.aborted) throw engineError('ENGINE_CANCELLED', 'Loading was cancelled.', { cause: error })
        throw engineError('ENGINE_LOAD_FAILED', `The encoder could not be loaded: ${messageOf(error)}`, { cause: error })
      }
    },
  }
}
