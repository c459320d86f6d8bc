import {
  getLlama,
  type Llama,
  type LlamaContext,
  type LlamaContextSequence,
  LlamaGrammarEvaluationState,
  LlamaLogLevel,
  type LlamaModel,
  type Token,
} from 'node-llama-cpp'
import { createChatRenderer, type GgufVocabulary, readGguf, tokenBytes, vocabularyOf, withBos } from '#platform/tokenizer'
import { type Device, isHeuristError, type JobRequest, messageOf } from '#protocol'
import {
  type Engine,
  type EngineDeps,
  type EngineResult,
  engineError,
  type LoadedModel,
  type LoadSpec,
  type RunOptions,
} from '../engine.ts'
import { createJobRunner } from '../job-runner.ts'
import { type GrammarState, generate, type Vocabulary } from './generate.ts'
import { type Plan, type PlanDeps, planRequest } from './request.ts'
import { createSession, type Session } from './session.ts'

export type LlamaEngineOptions = {
  /** Threads per evaluation. More than one was 5 to 31 times slower on 2 shared vCPUs: measure before raising it. */
  readonly threads: number
}

type Runtime = {
  readonly llama: Llama
  readonly model: LlamaModel
  readonly context: LlamaContext
  readonly sequences: LlamaContextSequence[]
  readonly contextTokens: number
  readonly vocabulary: Vocabulary
  readonly planDeps: PlanDeps
  readonly startTokens: readonly number[]
}

/** Prompt and output of one measurement; long enough for a stable figure, 0.1 s on the shipped model. */
const MEASURE_PROMPT_TOKENS = 32
const MEASURE_OUTPUT_TOKENS = 64

/** The runtime's own words are for developers; what an operator must know is said by us. */
const LOG_LEVELS: Readonly<Partial<Record<LlamaLogLevel, 'error'>>> = { [LlamaLogLevel.fatal]: 'error', [LlamaLogLevel.error]: 'error' }

/**
 * node-llama-cpp keeps grammar steps of a token that it did not sample itself to its own classes; these two functions of
 * its native module are what it calls there. The version is pinned exactly and a test fails when they go away.
 */
type GrammarSteps = {
  canBeNextTokenForGrammarEvaluationState(state: unknown, token: number): boolean
  acceptGrammarEvaluationStateToken(state: unknown, token: number): void
}

async function compileGrammar(llama: Llama, model: LlamaModel, gbnf: string): Promise<() => Promise<GrammarState>> {
  const grammar = await llama.createGrammar({ grammar: gbnf }).catch((cause: unknown) => {
    throw engineError('ENGINE_BAD_REQUEST', `The JSON schema cannot be turned into a grammar: ${messageOf(cause)}.`, {
      payload: { param: 'response_format' },
      cause,
    })
  })
  const steps = (llama as unknown as { _bindings: { AddonSampler: GrammarSteps } })._bindings.AddonSampler // cast: see GrammarSteps
  return async () => {
    const evaluation = new LlamaGrammarEvaluationState({ model, grammar })
    const state = (evaluation as unknown as { _state: unknown })._state // cast: see GrammarSteps
    return {
      allows: id => steps.canBeNextTokenForGrammarEvaluationState(state, id),
      accept: id => steps.acceptGrammarEvaluationStateToken(state, id),
    }
  }
}

function vocabularyFor(model: LlamaModel, gguf: GgufVocabulary): Vocabulary {
  const bytes = tokenBytes(gguf)
  const ends = new Set<number>()
  for (let id = 0; id < gguf.tokens.length; id++) if (model.isEogToken(id as Token)) ends.add(id) // cast: token ids are branded numbers
  return { size: gguf.tokens.length, bytesOf: id => bytes[id] ?? new Uint8Array(), isEnd: id => ends.has(id) }
}

function planDepsFor(model: LlamaModel, gguf: GgufVocabulary, deps: EngineDeps): PlanDeps {
  const bytes = tokenBytes(gguf)
  const textOfToken = (id: number | null): string => (id === null ? '' : (gguf.tokens[id] ?? ''))
  return {
    encode: text => withBos(gguf, [...model.tokenize(text, true)]),
    decode: ids => Buffer.concat(ids.map(id => bytes[id] ?? new Uint8Array())).toString('utf8'),
    renderChat: createChatRenderer({ template: gguf.chatTemplate, bosToken: textOfToken(gguf.bos), eosToken: textOfToken(gguf.eos) }),
    vocabularySize: gguf.tokens.length,
    randomSeed: () => Buffer.from(deps.random(8)).readBigUInt64LE(),
  }
}

async function loadRuntime(
  llama: Llama,
  spec: LoadSpec,
  options: LlamaEngineOptions & { deps: EngineDeps; onProgress: (fraction: number) => void },
): Promise<Runtime> {
  const { manifest, modelPath, slots, signal } = spec
  const { deps } = options
  if (modelPath === null) throw new Error('the pod has no model file')
  const gguf = vocabularyOf(await readGguf(modelPath))
  if (gguf.chatTemplate === null)
    deps.logger.warn({ pod: manifest.metadata.name }, 'The model has no chat template; ChatML markers are used.')
  const model = await llama.loadModel({ modelPath, loadSignal: signal, onLoadProgress: options.onProgress })
  try {
    const contextTokens = Math.min(manifest.spec.model.contextLength, model.trainContextSize)
    if (contextTokens < manifest.spec.model.contextLength) {
      deps.logger.warn(
        { pod: manifest.metadata.name, contextTokens },
        'The model was trained on a shorter context than the manifest says; the shorter one is used.',
      )
    }
    const context = await model.createContext({
      sequences: slots,
      contextSize: contextTokens,
      threads: options.threads,
      createSignal: signal,
    })
    const sequences = Array.from({ length: slots }, () => context.getSequence())
    const planDeps = planDepsFor(model, gguf, deps)
    const startTokens = planDeps.encode('The ').slice(0, 1)
    return { llama, model, context, sequences, contextTokens, vocabulary: vocabularyFor(model, gguf), planDeps, startTokens }
  } catch (error) {
    await model.dispose()
    throw error
  }
}

/** A template that refuses the messages is the request's fault; planning comes before any other work that could throw it. */
function planOrRefuse(request: JobRequest, planDeps: PlanDeps): Plan {
  try {
    return planRequest(request, planDeps)
  } catch (error) {
    if (!isHeuristError(error, 'TOKENIZER_TEMPLATE_FAILED')) throw error
    throw engineError('ENGINE_BAD_REQUEST', error.message, { payload: { param: 'messages' }, cause: error })
  }
}

async function measureRuntime(session: Session, runtime: Runtime, options: { now: () => number; signal: AbortSignal }): Promise<number> {
  const { now, signal } = options
  const prompt = Array.from({ length: Math.min(MEASURE_PROMPT_TOKENS, runtime.contextTokens / 2) }, () => runtime.startTokens[0] ?? 0)
  const wanted = { top: 1, also: [], exact: false }
  await session.rewind(0)
  let candidates = await session.feed(prompt, { wanted, signal })
  const startedAt = now()
  let produced = 0
  while (produced < Math.min(MEASURE_OUTPUT_TOKENS, runtime.contextTokens - prompt.length)) {
    candidates = await session.feed([candidates.ids[0] ?? 0], { wanted, signal })
    produced++
  }
  return (produced * 1000) / Math.max(1, now() - startedAt)
}

function createLoadedModel(runtime: Runtime, deps: EngineDeps): LoadedModel {
  const free = [...runtime.sequences]
  const runner = createJobRunner({
    slots: runtime.sequences.length,
    asError: cause =>
      engineError('ENGINE_FAILED', `The llama runtime failed: ${messageOf(cause)}. Try again, or on another node.`, { cause }),
    async release() {
      await runtime.context.dispose()
      await runtime.model.dispose()
    },
  })

  const withSession = async <T>(work: (session: Session) => Promise<T>): Promise<T> => {
    const sequence = free.pop()
    if (!sequence) throw new Error('a slot without a sequence')
    try {
      return await work(createSession(sequence, runtime.vocabulary.size))
    } finally {
      free.push(sequence)
    }
  }

  const runOne = async (request: JobRequest, { emit, signal }: RunOptions): Promise<EngineResult> => {
    const plan = planOrRefuse(request, runtime.planDeps)
    const newGrammar = plan.grammar === null ? null : await compileGrammar(runtime.llama, runtime.model, plan.grammar)
    return withSession(session =>
      generate(session, {
        plan,
        contextTokens: runtime.contextTokens,
        vocabulary: runtime.vocabulary,
        signal,
        newGrammar,
        newCallId: () => `call_${Buffer.from(deps.random(12)).toString('hex')}`,
        emit,
      }),
    )
  }

  return {
    slots: runtime.sequences.length,
    measure: () => {
      const now = (): number => deps.clock.now()
      return runner.run(AbortSignal.timeout(60_000), signal => withSession(session => measureRuntime(session, runtime, { now, signal })))
    },
    run: (request, options) => runner.run(options.signal, signal => runOne(request, { ...options, signal })),
    unload: () => runner.unload(),
  }
}

/**
 * The llm engine: node-llama-cpp in this process. One context per model; its sequences are the slots and are evaluated in one batch.
 * One runtime for the CPU and one for GPUs start at their first load and are shared by all models: what is placed on the CPU takes nothing of a GPU.
 */
export function createLlamaEngine(options: LlamaEngineOptions, deps: EngineDeps): Engine {
  const runtimes = new Map<'auto' | false, Promise<Llama>>()
  const start = ({ kind }: Device): Promise<Llama> => {
    const gpu = kind === 'cpu' ? false : 'auto'
    const starting =
      runtimes.get(gpu) ??
      getLlama({
        gpu,
        build: 'never',
        logLevel: LlamaLogLevel.warn,
        logger: (level, message) => deps.logger[LOG_LEVELS[level] ?? 'debug']({ runtime: 'llama' }, message.trim()),
      })
    runtimes.set(gpu, starting)
    return starting
  }
  return {
    name: 'llama',
    async load(spec, onProgress = () => {}) {
      try {
        spec.signal.throwIfAborted()
        const runtime = await loadRuntime(await start(spec.device), spec, { ...options, deps, onProgress })
        return createLoadedModel(runtime, deps)
      } catch (error) {
        if (spec.signal.aborted) throw engineError('ENGINE_CANCELLED', 'Loading was cancelled.', { cause: error })
        throw engineError('ENGINE_LOAD_FAILED', `The model ${spec.manifest.spec.model.id} could not be loaded: ${messageOf(error)}`, {
          cause: error,
        })
      }
    },
  }
}
