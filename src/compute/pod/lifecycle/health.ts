import { type Clock, repeat } from '#platform'
import { messageOf } from '#protocol'
import type { LoadedModel } from '../engines/engine.ts'
import { type Entry, isIdle } from './entry.ts'

export type HealthDependencies = {
  readonly clock: Clock
  /** Every replica that is here. */
  readonly present: () => readonly Entry[]
  /** It runs no job, and could not take one. */
  ill(entry: Entry, reason: string): void
}

const EVERY_MS = 10_000
const WITHIN_MS = 5_000
/** One slow answer is no illness. */
const FAILURES = 3

/** Asks models that run no job whether they could: one that works shows it by its jobs, and may have no time for questions. */
export class Health {
  readonly #deps: HealthDependencies
  readonly #failures = new WeakMap<LoadedModel, number>()
  readonly #end: () => void

  constructor(dependencies: HealthDependencies) {
    this.#deps = dependencies
    const { clock, present } = dependencies
    const askAll = (): Promise<unknown> => Promise.all(present().map(entry => this.#ask(entry)))
    this.#end = repeat(clock, EVERY_MS, askAll, () => undefined)
  }

  stop(): void {
    this.#end()
  }

  async #ask(entry: Entry): Promise<void> {
    const { model } = entry
    if (!model?.health || !isIdle(entry)) return
    const late = new AbortController()
    const cancel = this.#deps.clock.after(WITHIN_MS, () => late.abort(new Error(`no answer within ${WITHIN_MS / 1000} s`)))
    const illness = await model.health(late.signal).then(() => null, messageOf)
    cancel()
    const failures = illness === null ? 0 : (this.#failures.get(model) ?? 0) + 1
    this.#failures.set(model, failures)
    if (failures < FAILURES || entry.model !== model || !isIdle(entry)) return
    this.#deps.ill(entry, `its health probe failed ${FAILURES} times in a row: ${illness}`)
  }
}
