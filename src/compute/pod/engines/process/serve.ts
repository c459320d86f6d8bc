import { type Delta, isHeuristError, messageOf } from '#protocol'
import { type Engine, type EngineErrorCode, type EngineErrorPayload, engineError, type LoadedModel } from '../engine.ts'
import type { ToModel, ToNode, WireError } from './messages.ts'

export type ModelChannel = {
  send(message: ToNode): void
  /** Ends this process. */
  exit(): void
}

/** The process of one loaded model: takes the messages of its node and answers them with an engine of its own. */
export function serveEngine(engine: Engine, { send, exit }: ModelChannel): { receive(message: ToModel): void } {
  const loading = new AbortController()
  const jobs = new Map<number, { readonly stop: AbortController; readonly waiting: Map<number, () => void> }>()
  let model: LoadedModel | null = null

  function loaded(): LoadedModel {
    if (model) return model
    throw engineError('ENGINE_FAILED', 'The model is not loaded.')
  }

  async function load(spec: Extract<ToModel, { op: 'load' }>['spec']): Promise<void> {
    model = await engine.load({ ...spec, signal: loading.signal }, fraction => send({ event: 'progress', fraction }))
    send({ event: 'loaded', slots: model.slots })
  }

  async function run({ id, request, traceparent }: Extract<ToModel, { op: 'run' }>): Promise<void> {
    const job = { stop: new AbortController(), waiting: new Map<number, () => void>() }
    let sequence = 0
    jobs.set(id, job)
    const emit = (delta: Delta): Promise<void> =>
      new Promise(resolve => {
        job.waiting.set(++sequence, resolve)
        send({ event: 'delta', id, sequence, delta })
      })
    try {
      const result = await loaded().run(request, { signal: job.stop.signal, emit, ...(traceparent !== undefined && { traceparent }) })
      send({ event: 'done', id, result })
    } finally {
      jobs.delete(id)
    }
  }

  function take(id: number, sequence: number): void {
    const waiting = jobs.get(id)?.waiting
    waiting?.get(sequence)?.()
    waiting?.delete(sequence)
  }

  async function unload(): Promise<void> {
    loading.abort(new Error('The model is unloaded.'))
    await model?.unload()
    exit()
  }

  const failed = (id: number | null) => (error: unknown) => send({ event: 'failed', id, error: wireError(error) })

  return {
    receive(message) {
      if (message.op === 'load') void load(message.spec).catch(failed(null))
      else if (message.op === 'run') void run(message).catch(failed(message.id))
      else if (message.op === 'taken') take(message.id, message.sequence)
      else if (message.op === 'cancel') jobs.get(message.id)?.stop.abort(new Error('The job was cancelled.'))
      else if (message.op === 'unload') void unload()
      else {
        const { id } = message
        void Promise.resolve()
          .then(() => loaded().measure())
          .then(unitsPerSecond => send({ event: 'measured', id, unitsPerSecond }))
          .catch(failed(id))
      }
    },
  }
}

function wireError(error: unknown): WireError {
  if (!isHeuristError(error)) return { code: 'ENGINE_FAILED', message: messageOf(error), payload: undefined }
  return { code: error.code as EngineErrorCode, message: error.message, payload: error.payload as EngineErrorPayload | undefined } // cast: an engine throws no others
}
