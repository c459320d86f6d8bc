import type { EngineName } from '#protocol'
import type { CommandEngineDeps } from './command/command.ts'
import { type Engine, type EngineDeps, engineError, type LoadSpec } from './engine.ts'
import { benchmarkApart } from './llama/apart.ts'
import type { LlamaBenchmarkOptions } from './llama/benchmark.ts'
import { LLAMA_KERNEL } from './llama/kernel.ts'
import { type LlamaGpu, llamaObjection, visibleDevices } from './llama/objection.ts'
import type { ToModel } from './process/messages.ts'

export type EnginesOptions = {
  /** Threads of one llama.cpp evaluation; see {@link import('./llama/llama.ts').LlamaEngineOptions}. */
  readonly llamaThreads: number
  /** Program and arguments of a process that calls `serveLlama`: models on a GPU get one each. Absent: they run in this process. */
  readonly llamaProcess?: readonly string[]
  /** Bearer token for upstream servers; absent when they need none. */
  readonly upstreamApiKey?: string
}

/** Runtimes are large (llama.cpp, TensorFlow.js): each is imported at its first load and never before. */
function lazyEngine(
  name: EngineName,
  create: () => Promise<Engine>,
  more: Pick<Engine, 'objectionTo' | 'prepare' | 'benchmark'> = {},
): Engine {
  let created: Promise<Engine> | null = null
  return {
    ...more,
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

/** Operations per second of a device by the fixed kernel of GPUs, measured in this process. */
export async function benchmarkLlama(options: LlamaBenchmarkOptions): Promise<number> {
  return (await import('./llama/benchmark.ts')).benchmarkLlama(options)
}

/** Models on the CPU run here, those on a GPU each in a process that sees this GPU alone. */
async function createLlama({ llamaThreads: threads, llamaProcess: command }: EnginesOptions, deps: EngineDeps): Promise<Engine> {
  const here = (await import('./llama/llama.ts')).createLlamaEngine({ threads }, deps)
  if (!command) return here
  const { createProcessEngine } = await import('./process/process.ts')
  const apart = createProcessEngine({ name: 'llama', command, environment: visibleDevices })
  return { name: 'llama', load: (spec, onProgress) => (spec.device.kind === 'cpu' ? here : apart).load(spec, onProgress) }
}

/** The runtime is looked at only where there is a GPU: it takes a moment to start. */
function llamaDevices(
  { llamaThreads: threads, llamaProcess }: EnginesOptions,
  { logger }: EngineDeps,
): Required<Pick<Engine, 'objectionTo' | 'prepare' | 'benchmark'>> {
  let gpu: LlamaGpu | null = null
  return {
    async prepare(devices) {
      if (devices.every(({ kind }) => kind === 'cpu')) return
      gpu = await (await import('./llama/gpu.ts')).readLlamaGpu()
      logger.info({ ...gpu }, 'GPUs of the llama runtime')
    },
    objectionTo: (_manifest, device) => llamaObjection(device, gpu),
    async benchmark(device) {
      if (device.kind === 'cpu' || llamaObjection(device, gpu) !== null) return null
      const score = llamaProcess ? await benchmarkApart(llamaProcess, device) : await benchmarkLlama({ device, threads })
      return { score, kernel: LLAMA_KERNEL }
    },
  }
}

/** All engines of a node by name. */
export function createEngines(options: EnginesOptions, deps: CommandEngineDeps): Readonly<Record<EngineName, Engine>> {
  return {
    llama: lazyEngine('llama', () => createLlama(options, deps), llamaDevices(options, deps)),
    upstream: lazyEngine('upstream', async () =>
      (await import('./upstream/upstream.ts')).createUpstreamEngine({ apiKey: options.upstreamApiKey ?? null }, deps),
    ),
    'use-lite': lazyEngine('use-lite', async () => (await import('./use-lite/use-lite.ts')).createUseLiteEngine(deps), {
      objectionTo: (_manifest, { kind, id }) => (kind === 'cpu' ? null : `the embedding engine computes on the CPU and not on ${id}`),
    }),
    command: lazyEngine('command', async () => (await import('./command/command.ts')).createCommandEngine(deps), {
      objectionTo: ({ spec }, { kind, id }) =>
        kind === 'cpu' || spec.resources.gpuCount > 0 ? null : `the program asks for no GPU (spec.resources.gpuCount), and ${id} is one`,
    }),
  }
}

/** Fastest number of threads for {@link EnginesOptions.llamaThreads} among the candidates, measured with the model of `spec` (some seconds). */
export async function measureLlamaThreads(spec: LoadSpec, candidates: readonly number[], deps: EngineDeps): Promise<number> {
  return (await import('./llama/threads.ts')).measureThreads(spec, candidates, deps)
}

/** Serves one llama model to the node at the other end of this process's IPC channel; ends the process with it. */
export async function serveLlama(threads: number, deps: EngineDeps): Promise<void> {
  const [{ createLlamaEngine }, { serveEngine }] = await Promise.all([import('./llama/llama.ts'), import('./process/serve.ts')])
  const channel = serveEngine(createLlamaEngine({ threads }, deps), {
    send: message => void process.send?.(message),
    exit: () => process.exit(0),
  })
  process.on('message', message => channel.receive(message as ToModel)) // cast: the node that started this process speaks
  process.once('disconnect', () => process.exit(0))
}
