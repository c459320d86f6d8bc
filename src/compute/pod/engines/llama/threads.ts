import type { Engine, EngineDeps, LoadSpec } from '../engine.ts'
import { createLlamaEngine } from './llama.ts'

/** A further thread must earn this much, or it is left to the other work of the machine. */
const WORTHWHILE_GAIN = 1.2
/** A count that takes twice as long as the best one so far is not waited for: two threads on busy processors took a minute. */
const PATIENCE = 2
const MIN_PATIENCE_MS = 500

type Trial = { readonly unitsPerSecond: number; readonly elapsedMs: number }

/** Speed of the engine, or null when it takes longer than `limitMs`. */
async function tryOut(engine: Engine, spec: LoadSpec, options: { limitMs: number; now: () => number }): Promise<Trial | null> {
  const model = await engine.load({ ...spec, slots: 1 })
  const limit = AbortSignal.timeout(Math.ceil(options.limitMs))
  const tooSlow = new Promise<null>(resolve => limit.addEventListener('abort', () => resolve(null), { once: true }))
  const measured = (async (): Promise<Trial> => {
    const startedAt = options.now()
    await model.measure()
    return { unitsPerSecond: await model.measure(), elapsedMs: options.now() - startedAt }
  })()
  try {
    return await Promise.race([measured, tooSlow])
  } finally {
    // Unloading ends a measurement that is still running; its error is the answer we did not wait for.
    await Promise.allSettled([model.unload(), measured])
  }
}

/**
 * Number of threads at which this machine generates fastest, measured on a model (the shipped one takes a second). On 2 shared
 * vCPUs two threads were 5 to 31 times slower than one, so the count of processors says nothing. The caller keeps the result.
 */
export async function measureThreads(spec: LoadSpec, candidates: readonly number[], deps: EngineDeps): Promise<number> {
  let best = { threads: 1, unitsPerSecond: 0 }
  let limitMs = 60_000
  for (const threads of candidates.toSorted((a, b) => a - b)) {
    const trial = await tryOut(createLlamaEngine({ threads }, deps), spec, { limitMs, now: () => deps.clock.now() })
    deps.logger.debug({ threads, ...trial }, 'threads measured')
    if (trial === null || trial.unitsPerSecond < best.unitsPerSecond * WORTHWHILE_GAIN) break
    best = { threads, unitsPerSecond: trial.unitsPerSecond }
    limitMs = Math.max(MIN_PATIENCE_MS, trial.elapsedMs * PATIENCE)
  }
  return best.threads
}
