import { type ChildProcess, spawn } from 'node:child_process'
import { type Device, type EngineName, isHeuristError, messageOf } from '#protocol'
import { taken } from '../back-pressure.ts'
import { type Engine, type EngineResult, engineError, type LoadedModel, type LoadSpec, type RunOptions } from '../engine.ts'
import { createJobRunner } from '../job-runner.ts'
import type { ToModel, ToNode, WireError } from './messages.ts'

export type ProcessEngineOptions = {
  readonly name: EngineName
  /** What runs: a program that serves an engine over its IPC channel (`serveEngine`). */
  readonly command: readonly string[]
  /** Variables by which the process finds its device and no other. */
  readonly environment: (device: Device) => Readonly<Record<string, string>>
}

/** A process that was asked to unload and does not end is killed after this. */
const UNLOAD_MS = 10_000

type Answer = { resolve(message: ToNode): void; reject(error: Error): void; delta?(message: Extract<ToNode, { event: 'delta' }>): void }

/** The process of one model, and who waits for its answers. It is over when it ends, whatever the reason. */
class ModelProcess {
  readonly #child: ChildProcess
  readonly #answers = new Map<number | null, Answer>()
  /** Resolves with the reason. */
  readonly ended: Promise<string>
  onProgress: (fraction: number) => void = () => {}
  #next = 1
  #fault: Error | null = null

  constructor({ command, environment }: ProcessEngineOptions, device: Device) {
    const variables = Object.entries(environment(device)).map(([name, value]) => `${name}=${value}`)
    // env(1) adds to what this process has: a runtime may need the paths of its libraries.
    this.#child = spawn('env', [...variables, ...command], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'advanced' })
    this.#child.on('message', message => this.#receive(message as ToNode)) // cast: our own code answers
    this.ended = new Promise(resolve => {
      const end = (reason: string): void => resolve(this.#end(reason))
      this.#child.once('exit', (code, signal) => end(signal ?? `code ${code}`))
      this.#child.once('error', error => end(messageOf(error)))
    })
  }

  send(message: ToModel): void {
    if (this.#child.connected) this.#child.send(message, () => undefined)
  }

  /** Sends a request and resolves with its last answer; `delta` hears those before. `id` is null of the load. */
  ask(request: (id: number) => ToModel, delta?: Answer['delta']): { readonly id: number; readonly answer: Promise<ToNode> } {
    const id = this.#next++
    const message = request(id)
    const answer = new Promise<ToNode>((resolve, reject) => {
      if (this.#fault) reject(this.#fault)
      else this.#answers.set(message.op === 'load' ? null : id, { resolve, reject, ...(delta && { delta }) })
    })
    this.send(message)
    return { id, answer }
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  #receive(message: ToNode): void {
    if (message.event === 'progress') {
      this.onProgress(message.fraction)
      return
    }
    const key = message.event === 'loaded' ? null : message.id
    const answer = this.#answers.get(key)
    if (message.event === 'delta') {
      answer?.delta?.(message)
      return
    }
    this.#answers.delete(key)
    if (message.event === 'failed') answer?.reject(errorOf(message.error))
    else answer?.resolve(message)
  }

  #end(reason: string): string {
    const why = `the process of the model ended (${reason})`
    this.#fault = engineError('ENGINE_FAILED', `This failed because ${why}. Try again, or on another node.`)
    for (const { reject } of this.#answers.values()) reject(this.#fault)
    this.#answers.clear()
    return why
  }
}

function errorOf({ code, message, payload }: WireError): Error {
  return engineError(code, message, payload ? { payload } : {})
}

type Delta = Extract<ToNode, { event: 'delta' }>

async function run(process: ModelProcess, request: Parameters<LoadedModel['run']>[0], options: RunOptions): Promise<EngineResult> {
  const { signal, emit, traceparent } = options
  const pass = async ({ id, sequence, delta }: Delta): Promise<void> => {
    // Who takes nothing more has cancelled, or will: the process hears of that apart.
    await Promise.resolve(taken(emit(delta), signal)).catch(() => undefined)
    process.send({ op: 'taken', id, sequence })
  }
  const { id, answer } = process.ask(
    own => ({ op: 'run', id: own, request, ...(traceparent !== undefined && { traceparent }) }),
    message => void pass(message),
  )
  const onAbort = (): void => process.send({ op: 'cancel', id })
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    const message = await answer
    if (message.event === 'done') return message.result
    throw engineError('ENGINE_FAILED', 'The process of the model answered something else.')
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

async function measure(process: ModelProcess): Promise<number> {
  const message = await process.ask(id => ({ op: 'measure', id })).answer
  return message.event === 'measured' ? message.unitsPerSecond : 0
}

/** Asks it to unload and waits for its end; one that does not end is killed. */
async function end(process: ModelProcess): Promise<void> {
  process.send({ op: 'unload' })
  const late = setTimeout(() => process.kill(), UNLOAD_MS)
  await process.ended
  clearTimeout(late)
}

async function load(process: ModelProcess, { signal, ...spec }: LoadSpec): Promise<LoadedModel> {
  const onAbort = (): void => process.kill()
  signal.addEventListener('abort', onAbort, { once: true })
  const message = await process.ask(() => ({ op: 'load', spec })).answer.finally(() => signal.removeEventListener('abort', onAbort))
  const slots = message.event === 'loaded' ? message.slots : 0
  const runner = createJobRunner({
    slots,
    asError: cause => engineError('ENGINE_FAILED', `The process of the model failed: ${messageOf(cause)}`, { cause }),
    release: () => end(process),
  })
  return {
    slots,
    died: process.ended,
    measure: () => runner.run(AbortSignal.timeout(60_000), () => measure(process)),
    run: (request, options) => runner.run(options.signal, own => run(process, request, { ...options, signal: own })),
    unload: () => runner.unload(),
  }
}

/**
 * An engine whose models live in processes of their own, one for each: a process sees the device of its model and no other, and what breaks
 * there breaks that model alone. It ends with its node, whose end closes the channel between them.
 */
export function createProcessEngine(options: ProcessEngineOptions): Engine {
  return {
    name: options.name,
    async load(spec, onProgress = () => {}) {
      const process = new ModelProcess(options, spec.device)
      process.onProgress = onProgress
      try {
        spec.signal.throwIfAborted()
        return await load(process, spec)
      } catch (error) {
        process.kill()
        if (spec.signal.aborted) throw engineError('ENGINE_CANCELLED', 'Loading was cancelled.', { cause: error })
        if (isHeuristError(error, 'ENGINE_LOAD_FAILED')) throw error
        throw engineError('ENGINE_LOAD_FAILED', messageOf(error), { cause: error })
      }
    },
  }
}
