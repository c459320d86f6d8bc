import { type BackoffOptions, fullJitterMs } from '#platform'
import { type Bytes32, type CommandSpec, type Device, isHeuristError, type JobRequest, messageOf, type PodManifest } from '#protocol'
import { requireSandbox, type Sandboxes } from '../../sandbox/detect.ts'
import { DEFAULT_PROGRAM_BYTES } from '../../sandbox/limits.ts'
import { type DeviceGrant, NO_DEVICE, type SandboxProcess, type SandboxSpec, type SandboxSupport } from '../../sandbox/sandbox.ts'
import { taken } from '../back-pressure.ts'
import { badRequest } from '../body.ts'
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
import { copyProgram, type ProgramFile } from './files.ts'
import { HttpProgram } from './http-program.ts'
import { LineProgram } from './line-program.ts'
import { createLogReader } from './log-lines.ts'
import { Output } from './output.ts'
import { createRedactor, type Redactor } from './redact.ts'
import type { ProgramOptions, RunningProgram } from './running.ts'

export type CommandEngineDeps = EngineDeps & {
  readonly sandboxes: Sandboxes
  /** Values of the secrets that the node's owner set for a pod. @throws when one is missing */
  readonly secrets: (podId: Bytes32, names: readonly string[]) => Readonly<Record<string, string>>
  /** Takes what the program writes to stderr. */
  readonly log: (podId: Bytes32, line: string) => void
  /** What a program gets of the device that it is placed on. @throws when that can not be handed over */
  readonly grant: (device: Device) => Promise<DeviceGrant>
}

const RESTART: BackoffOptions = { baseMs: 1_000, maxMs: 60_000 }

/** What a job costs at most to answer. */
function outputLimit({ body }: JobRequest, { maxOutputBytes }: CommandSpec): number {
  const wanted = body.max_output_bytes
  return typeof wanted === 'number' && Number.isInteger(wanted) && wanted > 0 ? Math.min(wanted, maxOutputBytes) : maxOutputBytes
}

type Parts = {
  readonly command: CommandSpec
  readonly file: ProgramFile
  readonly secrets: Readonly<Record<string, string>>
  readonly device: DeviceGrant
}

/** A program gets no GPU that it did not ask for. */
function grantFor({ manifest, device }: LoadSpec, deps: CommandEngineDeps): Promise<DeviceGrant> {
  const wantsDevice = device.kind === 'cpu' || manifest.spec.resources.gpuCount > 0
  return wantsDevice ? deps.grant(device) : Promise.resolve(NO_DEVICE)
}

function sandboxSpec({ manifest }: LoadSpec, { command, file, secrets, device }: Parts): SandboxSpec {
  const { memoryBytes } = manifest.spec.resources
  const { processes, openFiles, tmpBytes } = command
  return {
    argv: command.run,
    image: command.image ?? null,
    files: [file],
    environment: { ...command.environment, ...secrets },
    hasNetwork: command.network === 'host',
    hasSocket: command.protocol === 'http',
    device,
    limits: { memoryBytes: memoryBytes || DEFAULT_PROGRAM_BYTES, processes, openFiles, tmpBytes, cpuSeconds: null },
  }
}

const DEFAULT_BETWEEN_MS = 60_000

function programOf(process: SandboxProcess, { spec }: PodManifest, logReader: ProgramOptions['logReader']): RunningProgram {
  const { loadMs: readyMs, firstTokenMs, betweenTokensMs } = spec.timeouts
  if (spec.command?.protocol !== 'http') return new LineProgram(process, { readyMs, logReader })
  const { path = '/', health = null } = spec.command.http ?? {}
  const timeouts = { headersTimeoutMs: firstTokenMs, bodyTimeoutMs: betweenTokensMs ?? DEFAULT_BETWEEN_MS }
  return new HttpProgram(process, { readyMs, logReader, path, health, ...timeouts })
}

function sandboxFor({ spec: { isolation = 'bwrap' } }: PodManifest, sandboxes: Sandboxes): SandboxSupport {
  return isolation === 'none' ? { sandbox: null, problem: 'No node runs a program without isolation.' } : sandboxes[isolation]
}

type Host = {
  readonly load: LoadSpec
  readonly command: CommandSpec
  readonly spec: SandboxSpec
  readonly secrets: Redactor
  readonly deps: CommandEngineDeps
}

/** Keeps one program running: after a crash it is started again by the next job, and not before a growing pause is over. */
class ProgramHost {
  readonly #host: Host
  readonly #closing = new AbortController()
  #starting: Promise<RunningProgram> | null = null
  #program: RunningProgram | null = null
  #crashes = 0
  #startAtMs = 0
  #jobs = 0

  constructor(host: Host) {
    this.#host = host
  }

  async start(): Promise<RunningProgram> {
    const { deps, load, spec, secrets } = this.#host
    const process = await requireSandbox(sandboxFor(load.manifest, deps.sandboxes)).start(spec, this.#closing.signal)
    const logReader = () => createLogReader({ secrets, log: line => deps.log(load.podId, line) })
    const program = programOf(process, load.manifest, logReader)
    this.#program = program
    try {
      await program.ready()
      return program
    } catch (error) {
      this.#crashed()
      throw error
    }
  }

  async run(request: JobRequest, { signal, emit }: RunOptions): Promise<EngineResult> {
    const { command, secrets } = this.#host
    const program = await this.#running()
    await program.room(signal)
    const output = new Output(outputLimit(request, command))
    const id = `${++this.#jobs}`
    const done = (reason: 'stop' | 'length'): EngineResult => ({ finish: [{ index: 0, reason }], inputUnits: 1, outputUnits: output.units })
    for await (const reply of program.run(id, request.body.input ?? null, signal)) {
      if ('error' in reply) throw refusal({ ...reply, error: secrets.hide(reply.error) })
      if ('done' in reply) break
      const { deltas, isCut } = output.add(reply.text)
      for (const delta of deltas) await taken(emit(delta), signal)
      if (isCut) return done('length')
    }
    this.#crashes = 0
    return done('stop')
  }

  /** One that has ended is started again, as by the next job. @throws why it could not take one */
  async health(signal: AbortSignal): Promise<void> {
    const program = await this.#running()
    await program.health?.(signal)
  }

  async stop(): Promise<void> {
    this.#closing.abort(new Error('The pod was unloaded.'))
    await this.#program?.stop()
  }

  async #running(): Promise<RunningProgram> {
    if (this.#program && !this.#starting) {
      if (!this.#program.fault) return this.#program
      this.#crashed()
    }
    const waitMs = this.#startAtMs - this.#host.deps.clock.now()
    if (!this.#starting && waitMs > 0)
      throw engineError(
        'ENGINE_OVERLOADED',
        `The pod's program has crashed and is started again in ${waitMs} ms. Try again, or on another node.`,
      )
    this.#starting ??= this.start().finally(() => {
      this.#starting = null
    })
    return this.#starting
  }

  /** Counted once per program. */
  #crashed(): void {
    if (!this.#program) return
    this.#program = null
    const { clock, random } = this.#host.deps
    const pauseMs = fullJitterMs(this.#crashes, RESTART, () => Buffer.from(random(4)).readUInt32BE() / 2 ** 32)
    this.#crashes += 1
    // The first crash of a good program costs no pause: the next job starts it at once.
    this.#startAtMs = this.#crashes === 1 ? 0 : clock.now() + pauseMs
  }
}

function refusal(reply: { error: string; code: 'bad_request' | 'failed'; param?: string | undefined }): Error {
  if (reply.code === 'failed') return engineError('ENGINE_FAILED', `The pod's program failed: ${reply.error}`)
  const payload = { param: reply.param ?? 'input' }
  return engineError('ENGINE_BAD_REQUEST', `The pod's program refused the input: ${reply.error}`, { payload })
}

function refuseOtherKinds({ kind }: JobRequest): void {
  if (kind !== 'command') badRequest('model', 'This pod runs a program. Send its jobs to /v1/jobs.')
}

async function loadProgram(load: LoadSpec, deps: CommandEngineDeps): Promise<LoadedModel> {
  const command = commandOf(load.manifest)
  const secrets = deps.secrets(load.podId, command.secrets)
  const device = await grantFor(load, deps)
  const file = await copyProgram(load.manifest.spec.model, load.modelPath)
  const spec = sandboxSpec(load, { command, file, secrets, device })
  const host = new ProgramHost({ load, command, spec, secrets: createRedactor(secrets), deps })
  const { probe } = command
  const measure = async (): Promise<number> => {
    if (probe === undefined) return 0
    const startedAtMs = deps.clock.now()
    const { outputUnits } = await host.run({ kind: 'command', body: { input: probe } }, { signal: load.signal, emit: () => {} })
    return (outputUnits * 1000) / Math.max(1, deps.clock.now() - startedAtMs)
  }
  try {
    await host.start()
    // Its health probe: a program that fails it is not warm.
    await measure()
  } catch (error) {
    await host.stop()
    await file.remove()
    throw error
  }
  const runner = createJobRunner({
    slots: Math.min(load.slots, command.concurrency),
    asError: cause => engineError('ENGINE_FAILED', `The pod's program failed: ${messageOf(cause)}`, { cause }),
    release: async () => {
      await host.stop()
      await file.remove()
    },
  })
  return {
    slots: Math.min(load.slots, command.concurrency),
    isHeldToShare: device.cores !== null && sandboxFor(load.manifest, deps.sandboxes).sandbox?.limitsCores === true,
    health: signal => host.health(signal),
    measure: () => runner.run(AbortSignal.timeout(load.manifest.spec.timeouts.totalMs), () => measure()),
    run: async (request, options) => {
      refuseOtherKinds(request)
      return runner.run(options.signal, signal => host.run(request, { ...options, signal }))
    },
    unload: () => runner.unload(),
  }
}

function commandOf({ spec }: PodManifest): CommandSpec {
  if (spec.command) return spec.command
  throw engineError('ENGINE_LOAD_FAILED', 'The manifest does not say what to run. Set spec.command.')
}

/** The command engine: a user's program in the sandbox, which takes jobs as lines of JSON or over HTTP. */
export function createCommandEngine(deps: CommandEngineDeps): Engine {
  return {
    name: 'command',
    async load(spec, onProgress = () => {}) {
      try {
        spec.signal.throwIfAborted()
        const model = await loadProgram(spec, deps)
        onProgress(1)
        return model
      } catch (error) {
        if (spec.signal.aborted) throw engineError('ENGINE_CANCELLED', 'Loading was cancelled.', { cause: error })
        if (isHeuristError(error, 'ENGINE_LOAD_FAILED')) throw error
        throw engineError('ENGINE_LOAD_FAILED', messageOf(error), { cause: error })
      }
    },
  }
}
