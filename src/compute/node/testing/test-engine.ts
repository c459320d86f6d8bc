import type { Delta, FinishReason, JobRequest } from '#protocol'
import { type Engine, engineError, type LoadSpec, type RunOptions } from '../../pod/engines/engine.ts'

export type TestEngineOptions = {
  readonly slots?: number
  readonly unitsPerSecond?: number
  /** Called before each piece; throw to fail, await to be slow. */
  readonly beforePiece?: (index: number, options: RunOptions) => void | Promise<void>
  readonly load?: (spec: LoadSpec) => Promise<void>
  readonly pieces?: readonly Delta[]
  /** Ignores `emit`'s promise, as a broken engine would. */
  readonly ignoresBackPressure?: boolean
}

/** An engine for the edge of unit tests: emits given pieces, honours abort and back-pressure, counts what is running. */
export function createTestEngine(options: TestEngineOptions = {}) {
  const pieces = options.pieces ?? ['Hello', ' ', 'world'].map(text => ({ choice: 0, tokens: 1, text }))
  const state = { running: 0, maxRunning: 0, loads: 0, unloads: 0, requests: [] as JobRequest[] }
  async function run(request: JobRequest, runOptions: RunOptions) {
    state.requests.push(request)
    state.running += 1
    state.maxRunning = Math.max(state.maxRunning, state.running)
    try {
      for (const [index, piece] of pieces.entries()) {
        await options.beforePiece?.(index, runOptions)
        if (runOptions.signal.aborted) throw engineError('ENGINE_CANCELLED', 'The job was cancelled.')
        const taken = runOptions.emit(piece)
        if (!options.ignoresBackPressure) await taken
      }
      const reason: FinishReason = 'stop'
      return { finish: [{ index: 0, reason }], inputUnits: 5, outputUnits: pieces.reduce((sum, piece) => sum + piece.tokens, 0) }
    } finally {
      state.running -= 1
    }
  }
  const engine: Engine = {
    name: 'llama',
    async load(spec) {
      await options.load?.(spec)
      state.loads += 1
      return {
        slots: Math.min(spec.slots, options.slots ?? 2),
        measure: async () => options.unitsPerSecond ?? 100,
        run,
        unload: async () => {
          state.unloads += 1
        },
      }
    },
  }
  return { engine, state }
}
