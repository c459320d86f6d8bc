import { isHeuristError, type JobKind, type JobRequest, messageOf } from '#protocol'
import { badRequest, textOrTokens } from '../body.ts'
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
import { embedUpstream } from './embeddings.ts'
import { createUpstreamClient, type UpstreamClient } from './http.ts'
import { modelName, probeUpstream, type UpstreamCapabilities } from './probe.ts'
import { streamUpstream } from './stream.ts'

export type UpstreamEngineOptions = {
  /** Sent as a bearer token to every upstream of this node; null when they need none. */
  readonly apiKey: string | null
}

export type UpstreamModel = LoadedModel & { readonly capabilities: UpstreamCapabilities }

const PATHS: Readonly<Record<'chat' | 'completion', string>> = { chat: '/chat/completions', completion: '/completions' }

function canServe(kind: JobKind, capabilities: UpstreamCapabilities): boolean {
  if (kind === 'embedding') return capabilities.embeddings
  if (kind === 'chat') return capabilities.chat
  return kind === 'completion' && capabilities.completions
}

/** The user's body as it is, but for the model's name there and what we need to count: a stream that ends with usage. */
function upstreamBody({ body }: JobRequest, model: string, extra: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { heurist: _, stream: _stream, stream_options: _options, ...rest } = body
  return { ...rest, model, ...extra }
}

function choicesOf({ kind, body }: JobRequest): number {
  const n = typeof body.n === 'number' && Number.isInteger(body.n) && body.n >= 1 ? body.n : 1
  return kind === 'completion' ? n * textOrTokens(body.prompt, 'prompt').length : n
}

type Connection = { readonly client: UpstreamClient; readonly capabilities: UpstreamCapabilities; readonly spec: LoadSpec }

async function runUpstream({ client, capabilities, spec }: Connection, request: JobRequest, options: RunOptions): Promise<EngineResult> {
  const { model } = capabilities
  const maxPromptTokens = spec.manifest.spec.model.contextLength
  if (!canServe(request.kind, capabilities) || request.kind === 'command')
    return badRequest('model', `The server behind this model does not serve ${request.kind} requests.`)
  if (request.kind === 'embedding') {
    const body = upstreamBody(request, model, { encoding_format: 'float' })
    return embedUpstream(client, body, { ...options, inputs: textOrTokens(request.body.input, 'input').length, maxPromptTokens })
  }
  const body = upstreamBody(request, model, { stream: true, stream_options: { include_usage: true } })
  return streamUpstream(client, { path: PATHS[request.kind], body }, { ...options, choices: choicesOf(request), maxPromptTokens })
}

const MEASURE_TEXT = 'Tell me a long story about a small boat on a wide sea, with weather, birds and people.'

function measureRequest({ chat, completions }: UpstreamCapabilities): JobRequest {
  if (chat) return { kind: 'chat', body: { messages: [{ role: 'user', content: MEASURE_TEXT }], max_tokens: 64, temperature: 0 } }
  if (completions) return { kind: 'completion', body: { prompt: MEASURE_TEXT, max_tokens: 64, temperature: 0 } }
  return { kind: 'embedding', body: { input: Array.from({ length: 8 }, () => MEASURE_TEXT) } }
}

function createUpstreamModel(connection: Connection, deps: EngineDeps): UpstreamModel {
  const { client, capabilities, spec } = connection
  const runner = createJobRunner({
    slots: spec.slots,
    asError: cause => engineError('ENGINE_UPSTREAM_FAILED', `The upstream server failed: ${messageOf(cause)}`, { cause }),
    release: () => client.close(),
  })
  const measure = async (signal: AbortSignal): Promise<number> => {
    const startedAt = deps.clock.now()
    const { inputUnits, outputUnits } = await runUpstream(connection, measureRequest(capabilities), { signal, emit: () => {} })
    return ((outputUnits || inputUnits) * 1000) / Math.max(1, deps.clock.now() - startedAt)
  }
  return {
    slots: spec.slots,
    capabilities,
    async health(signal) {
      await modelName(client, capabilities.model, signal)
    },
    measure: () => runner.run(AbortSignal.timeout(120_000), measure),
    run: (request, options) => runner.run(options.signal, signal => runUpstream(connection, request, { ...options, signal })),
    unload: () => runner.unload(),
  }
}

function refuseUseless(capabilities: UpstreamCapabilities, deps: EngineDeps): void {
  const { chat, completions, embeddings, streamUsage, logprobs } = capabilities
  if (!chat && !completions && !embeddings)
    throw engineError('ENGINE_LOAD_FAILED', 'The upstream server serves neither chat, completions nor embeddings of this model.')
  if ((chat || completions) && !streamUsage) {
    throw engineError(
      'ENGINE_LOAD_FAILED',
      'The upstream server does not report usage at the end of a stream (stream_options.include_usage), so its units cannot be counted.',
    )
  }
  deps.logger.info({ capabilities }, 'upstream probed')
  if (chat && !logprobs)
    deps.logger.warn('The upstream server gives no log probabilities: its jobs can only be validated in sampled batches.')
}

/**
 * The upstream engine: any OpenAI-compatible server beside the node (vLLM, SGLang, Ollama, llama-server). It is probed at load and
 * gets the user's body unchanged. Reasoning that a server streams outside of `content` is not passed on.
 */
export function createUpstreamEngine(options: UpstreamEngineOptions, deps: EngineDeps): Engine {
  return {
    name: 'upstream',
    async load(spec, onProgress = () => {}): Promise<UpstreamModel> {
      const { engine, timeouts, model } = spec.manifest.spec
      if (engine.url === undefined)
        throw engineError('ENGINE_LOAD_FAILED', 'The pod names no upstream. Set spec.engine.url in its manifest.')
      const client = createUpstreamClient({
        url: engine.url,
        apiKey: options.apiKey,
        connections: spec.slots,
        headersTimeoutMs: timeouts.firstTokenMs,
        bodyTimeoutMs: timeouts.firstTokenMs,
      })
      try {
        spec.signal.throwIfAborted()
        const capabilities = await probeUpstream(client, model.id, spec.signal)
        refuseUseless(capabilities, deps)
        onProgress(1)
        return createUpstreamModel({ client, capabilities, spec }, deps)
      } catch (error) {
        await client.close()
        if (spec.signal.aborted) throw engineError('ENGINE_CANCELLED', 'Loading was cancelled.', { cause: error })
        if (isHeuristError(error, 'ENGINE_LOAD_FAILED')) throw error
        throw engineError('ENGINE_LOAD_FAILED', `The upstream server at ${engine.url} could not be used: ${messageOf(error)}`, {
          cause: error,
        })
      }
    },
  }
}
