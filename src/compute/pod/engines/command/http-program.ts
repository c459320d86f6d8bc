import { setTimeout as after } from 'node:timers/promises'
import { Client, type Dispatcher } from 'undici'
import { isHeuristError, messageOf } from '#protocol'
import type { SandboxProcess } from '../../sandbox/sandbox.ts'
import { engineError } from '../engine.ts'
import { errorFields } from '../error-fields.ts'
import { outputOf } from './http-output.ts'
import type { Reply } from './replies.ts'
import type { ProgramOptions, RunningProgram } from './running.ts'

export type HttpProgramOptions = ProgramOptions & {
  /** Where jobs are posted. */
  readonly path: string
  /** What says with status 200 that the program is well; null: that it takes connections. */
  readonly health: string | null
  /** Longest waits for the head of an answer, and for the next piece of it. */
  readonly headersTimeoutMs: number
  readonly bodyTimeoutMs: number
}

const MAX_HEAD_BYTES = 16 * 1024
const MAX_ERROR_BYTES = 64 * 1024
const MAX_ERROR_CHARACTERS = 2_000
/** Answers of status 1xx that may come before the real one. */
const MAX_INFORMATION = 16
const ASK_AGAIN_MS = 50
/** Who does not say within this that it is well, after a job that failed or was cancelled, is stopped. */
const HEALTH_MS = 5_000
/** Refusals of the input; other statuses say something of the program. */
const BAD_REQUEST = new Set([400, 404, 405, 406, 409, 410, 411, 413, 414, 415, 416, 422])

/**
 * A program that answers jobs over HTTP on its socket. Each job has a connection of its own, and closing it is the cancel: what a program
 * does to one answer harms no other.
 */
export class HttpProgram implements RunningProgram {
  readonly #process: SandboxProcess
  readonly #options: HttpProgramOptions
  readonly #over = new AbortController()
  #checking: Promise<void> | null = null
  #fault: Error | null = null

  constructor(process: SandboxProcess, options: HttpProgramOptions) {
    this.#process = process
    this.#options = options
    process.stdin.end()
    process.stdout.on('data', options.logReader())
    process.stderr.on('data', options.logReader())
    void process.exited.then(({ code, signal }) => {
      this.#end(engineError('ENGINE_FAILED', `The pod's program ended (${signal ?? `code ${code}`}). Try again, or on another node.`))
    })
  }

  get fault(): Error | null {
    return this.#fault
  }

  async ready(): Promise<void> {
    const { readyMs } = this.#options
    await this.#becomeWell(readyMs, detail => `it was not ready within ${readyMs} ms: ${detail}`)
  }

  async health(signal: AbortSignal): Promise<void> {
    const illness = await this.#illness(signal)
    if (illness !== null) throw new Error(illness)
  }

  async room(signal: AbortSignal): Promise<void> {
    if (!this.#checking) return
    const gone = new Promise<void>(resolve => {
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    await Promise.race([this.#checking.catch(() => {}), gone])
    signal.throwIfAborted()
  }

  async *run(id: string, input: unknown, signal: AbortSignal): AsyncGenerator<Reply> {
    let isWell = false
    const either = AbortSignal.any([signal, this.#over.signal])
    const client = this.#connect()
    try {
      for await (const reply of this.#answer(client, { id, input, signal: either })) {
        // Who reads the replies leaves at the last one, so this loop does not come to its end.
        isWell = 'done' in reply || ('error' in reply && reply.code === 'bad_request')
        yield reply
      }
    } catch (error) {
      throw this.#asFault(error, signal)
    } finally {
      await client.destroy()
      if (!isWell) this.#check()
    }
  }

  async stop(): Promise<void> {
    this.#process.kill()
    await this.#process.exited
  }

  async *#answer(client: Client, { id, input, signal }: { id: string; input: unknown; signal: AbortSignal }): AsyncGenerator<Reply> {
    const headers = { 'content-type': 'application/json', 'heurist-job': id }
    const call = { method: 'POST' as const, path: this.#options.path, headers, body: JSON.stringify(input) }
    const { statusCode, headers: answered, body } = await request(client, call, signal)
    if (statusCode < 200 || statusCode > 299) {
      const { message, param } = errorFields(await beginningOf(body))
      const error = `status ${statusCode}: ${message.slice(0, MAX_ERROR_CHARACTERS)}`
      yield { id, error, code: BAD_REQUEST.has(statusCode) ? 'bad_request' : 'failed', ...(param !== '' && { param }) }
      return
    }
    for await (const text of outputOf(String(answered['content-type'] ?? ''), body)) yield { id, text }
    yield { id, done: true }
  }

  #connect(): Client {
    const { headersTimeoutMs, bodyTimeoutMs } = this.#options
    return new Client('http://pod', {
      connect: (_options, done) => {
        this.#process.connect().then(
          socket => done(null, socket),
          error => done(error, null),
        )
      },
      maxHeaderSize: MAX_HEAD_BYTES,
      headersTimeout: headersTimeoutMs,
      bodyTimeout: bodyTimeoutMs,
      pipelining: 1,
    })
  }

  /** What is wrong with it now; null when nothing is. */
  async #illness(signal: AbortSignal): Promise<string | null> {
    const { health } = this.#options
    try {
      if (health === null) {
        const socket = await this.#process.connect()
        socket.on('error', () => {}).destroy()
        return null
      }
      const client = this.#connect()
      try {
        const { statusCode, body } = await request(client, { method: 'GET', path: health }, signal)
        body.on('error', () => {}).destroy()
        return statusCode === 200 ? null : `${health} answers with status ${statusCode}`
      } finally {
        await client.destroy()
      }
    } catch (error) {
      return messageOf(error)
    }
  }

  /** Asks until it is well. @throws its fault, after it was stopped for not becoming well in time */
  async #becomeWell(withinMs: number, asDetail: (illness: string) => string): Promise<void> {
    const late = AbortSignal.timeout(withinMs)
    const signal = AbortSignal.any([late, this.#over.signal])
    let known = 'it does not answer'
    for (;;) {
      const illness = await this.#illness(signal)
      if (this.#fault) throw this.#fault
      if (illness === null) return
      if (!late.aborted) known = illness
      if (late.aborted) this.#break(asDetail(known))
      else await after(ASK_AGAIN_MS, undefined, { signal }).catch(() => {})
    }
  }

  /** One that fails or ignores that a user has left may be stuck, and its slot is needed. */
  #check(): void {
    if (this.#fault || this.#checking) return
    this.#checking = this.#becomeWell(HEALTH_MS, illness => `it was not well within ${HEALTH_MS} ms after a job: ${illness}`).finally(
      () => {
        this.#checking = null
      },
    )
    this.#checking.catch(() => {})
  }

  #asFault(error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return error
    if (this.#fault) return this.#fault
    if (!isHeuristError(error, 'SANDBOX_NO_SOCKET')) return broken(`its answer can not be read: ${messageOf(error)}`)
    // It did listen, or no job would be here: that it stopped to is no accident of one job.
    this.#break(error.message)
    return this.#fault
  }

  #break(detail: string): void {
    this.#end(broken(detail))
  }

  #end(fault: Error): void {
    if (this.#fault) return
    this.#fault = fault
    this.#over.abort(fault)
    this.#process.kill()
  }
}

function broken(detail: string): Error {
  return engineError('ENGINE_FAILED', `The pod's program broke its protocol: ${detail}. Try again, or on another node.`)
}

type Call = Pick<Dispatcher.RequestOptions, 'method' | 'path' | 'headers' | 'body'>

/** A program may say forever that its answer comes. */
function request(client: Client, call: Call, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  const tooMuch = new AbortController()
  let informations = 0
  const onInfo = (): void => {
    if (++informations > MAX_INFORMATION) tooMuch.abort(new Error(`it sent more than ${MAX_INFORMATION} answers of status 1xx`))
  }
  return client.request({ ...call, signal: AbortSignal.any([signal, tooMuch.signal]), onInfo })
}

/** Enough of a refusal to say why. */
async function beginningOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of body) {
    pieces.push(piece)
    bytes += piece.length
    if (bytes > MAX_ERROR_BYTES) break
  }
  return Buffer.concat(pieces).toString('utf8')
}
