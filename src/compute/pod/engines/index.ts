import type { EngineName } from '#protocol'
import type { CommandEngineDeps } from './command/command.ts'
import { type Engine, type EngineDeps, engineError, type LoadSpec } from './engine.ts'

export type EnginesOptions = {
  /** Threads of one llama.cpp evaluation; see {@link import('./llama/llama.ts').LlamaEngineOptions}. */
  readonly llamaThreads: number
  /** Bearer token for upstream servers; absent when they need none. */
  readonly upstreamApiKey?: string
}

/** Runtimes are large (llama.cpp, TensorFlow.js): each is imported at its first load and never before. */
function lazyEngine(name: EngineName, create: () => Promise<Engine>): Engine {
  let created: Promise<Engine> | null = null
  return {
    name,
    async load(spec, onProgress) {
      created ??= create().catch((cause: unknown) => {
        created = null
        throw engineError(
          'ENGINE_LOAD_FAILED',
          `The runtime of the engine "${name}" is not installed for this platform. Run npm install again.`,
          { cause },
        )
      })
      return (await created).load(spec, onProgress)
    },
  }
}

/** All engines of a node by name. */
export function createEngines(options: EnginesOptions, deps: CommandEngineDeps): Readonly<Record<EngineName, Engine>> {
  return {
    llama: lazyEngine('llama', async () => (await import('./llama/llama.ts')).createLlamaEngine({ threads: options.llamaThreads }, deps)),
    upstream: lazyEngine('upstream', async () =>
      (await import('./upstream/upstream.ts')).createUpstreamEngine({ apiKey: options.upstreamApiKey ?? null }, deps),
    ),
    'use-lite': lazyEngine('use-lite', async () => (await import('./use-lite/use-lite.ts')).createUseLiteEngine(deps)),
    command: lazyEngine('command', async () => (await import('./command/command.ts')).createCommandEngine(deps)),
  }
}

/** Fastest number of threads for {@link EnginesOptions.llamaThreads} among the candidates, measured with the model of `spec` (some seconds). */
export async function measureLlamaThreads(spec: LoadSpec, candidates: readonly number[], deps: EngineDeps): Promise<number> {
  return (await import('./llama/threads.ts')).measureThreads(spec, candidates, deps)
}
