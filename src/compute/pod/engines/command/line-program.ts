import { setTimeout as after } from 'node:timers/promises'
import type { SandboxProcess } from '../../sandbox/sandbox.ts'
import { engineError } from '../engine.ts'
import { createLineSplitter } from './lines.ts'
import { isReady, parseReply, type Reply } from './replies.ts'
import type { ProgramOptions, RunningProgram } from './running.ts'

/** One line may carry a whole output of the default bound, escaped. */
const MAX_LINE_BYTES = 8 * 2 ** 20
/** Output that waits for slow clients; beyond it the program is not read, and its pipe blocks it. */
const MAX_WAITING_BYTES = 256 * 1024
/** A program that does not end a cancelled job within this is stopped: its slot is needed. */
const CANCEL_GRACE_MS = 1_000

type Channel = { readonly waiting: Reply[]; waitingBytes: number; wake: () => void }

/** A program that answers jobs by lines of JSON. */
export class LineProgram implements RunningProgram {
  readonly #process: SandboxProcess
  readonly #options: ProgramOptions
  readonly #channels = new Map<string, Channel>()
  /** Jobs that nobody listens to any more, which the program has not ended yet. */
  readonly #cancelled = new Set<string>()
  readonly #lines = createLineSplitter(MAX_LINE_BYTES)
  readonly #ready = Promise.withResolvers<void>()
  #isReady = false
  #fault: Error | null = null
  #roomWaiters: (() => void)[] = []

  constructor(process: SandboxProcess, options: ProgramOptions) {
    this.#process = process
    this.#options = options
    this.#ready.promise.catch(() => {})
    process.stdout.on('data', (bytes: Buffer) => this.#read(bytes))
    process.stderr.on('data', options.logReader())
    const closed = new Promise(resolve => process.stdout.once('close', resolve))
    void Promise.all([process.exited, closed]).then(([{ code, signal }]) => {
      this.#end(engineError('ENGINE_FAILED', `The pod's program ended (${signal ?? `code ${code}`}). Try again, or on another node.`))
    })
  }

  get fault(): Error | null {
    return this.#fault
  }

  async ready(): Promise<void> {
    const { readyMs } = this.#options
    const late = new AbortController()
    void after(readyMs, undefined, { signal: late.signal, ref: false }).then(
      () => this.#break(`it did not say that it is ready within ${readyMs} ms`),
      () => undefined,
    )
    await this.#ready.promise.finally(() => late.abort())
  }

  async *run(id: string, input: unknown, signal: AbortSignal): AsyncGenerator<Reply> {
    const channel: Channel = { waiting: [], waitingBytes: 0, wake: () => {} }
    this.#channels.set(id, channel)
    let isOver = false
    const onAbort = (): void => channel.wake()
    signal.addEventListener('abort', onAbort)
    try {
      this.#write({ id, input })
      while (!isOver) {
        const reply = await this.#next(channel, signal)
        isOver = !('text' in reply)
        yield reply
      }
    } finally {
      signal.removeEventListener('abort', onAbort)
      this.#channels.delete(id)
      this.#flow()
      if (!isOver && !this.#fault) this.#cancel(id)
    }
  }

  async room(signal: AbortSignal): Promise<void> {
    while (this.#cancelled.size > 0 && !this.#fault) {
      signal.throwIfAborted()
      await new Promise<void>(resolve => {
        this.#roomWaiters.push(resolve)
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    }
  }

  async stop(): Promise<void> {
    this.#process.kill()
    await this.#process.exited
  }

  #write(message: object): void {
    this.#process.stdin.write(`${JSON.stringify(message)}\n`)
  }

  #cancel(id: string): void {
    this.#cancelled.add(id)
    this.#write({ id, cancel: true })
    void after(CANCEL_GRACE_MS, undefined, { ref: false }).then(() => {
      if (this.#cancelled.has(id)) this.#break('it went on with a cancelled job')
    })
  }

  async #next(channel: Channel, signal: AbortSignal): Promise<Reply> {
    for (;;) {
      signal.throwIfAborted()
      const reply = channel.waiting.shift()
      if (reply) {
        channel.waitingBytes -= bytesOf(reply)
        this.#flow()
        return reply
      }
      if (this.#fault) throw this.#fault
      await new Promise<void>(resolve => {
        channel.wake = resolve
      })
    }
  }

  #read(bytes: Buffer): void {
    if (this.#fault) return
    try {
      for (const line of this.#lines.push(bytes)) this.#take(line)
    } catch (error) {
      this.#break((error as Error).message) // cast: the splitter throws RangeErrors only
    }
    this.#flow()
  }

  #take(line: string): void {
    if (this.#fault) return
    const fault = this.#isReady ? this.#answer(line) : this.#greet(line)
    if (fault !== null) this.#break(fault)
  }

  /** What is wrong with the first line; null when nothing is. */
  #greet(line: string): string | null {
    if (!isReady(line)) return 'its first line is not {"ready": true}'
    this.#isReady = true
    this.#ready.resolve()
    return null
  }

  #answer(line: string): string | null {
    const reply = parseReply(line)
    if (!reply) return 'it wrote a line that is no reply'
    const channel = this.#channels.get(reply.id)
    if (channel) {
      channel.waiting.push(reply)
      channel.waitingBytes += bytesOf(reply)
      channel.wake()
      return null
    }
    if (!this.#cancelled.has(reply.id)) return 'it answered a job that it does not have'
    if (!('text' in reply)) this.#free(reply.id)
    return null
  }

  #free(id: string): void {
    this.#cancelled.delete(id)
    for (const wake of this.#roomWaiters.splice(0)) wake()
  }

  /** Reads on only while what waits for clients is within bounds. */
  #flow(): void {
    let waiting = 0
    for (const { waitingBytes } of this.#channels.values()) waiting += waitingBytes
    if (waiting > MAX_WAITING_BYTES) this.#process.stdout.pause()
    else this.#process.stdout.resume()
  }

  #break(detail: string): void {
    this.#end(engineError('ENGINE_FAILED', `The pod's program broke its protocol: ${detail}. Try again, or on another node.`))
  }

  #end(fault: Error): void {
    if (this.#fault) return
    this.#fault = fault
    this.#process.kill()
    this.#process.stdout.resume()
    this.#ready.reject(fault)
    for (const { wake } of this.#channels.values()) wake()
    for (const wake of this.#roomWaiters.splice(0)) wake()
  }
}

function bytesOf(reply: Reply): number {
  return 'text' in reply ? reply.text.length : 0
}
