import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Delta, JobRequest } from '#protocol'
import type { EngineResult, LoadedModel } from './engine.ts'

export type Output = EngineResult & { readonly deltas: readonly Delta[]; readonly texts: readonly string[] }

/** Runs a request to its end and gathers what it emitted. */
export async function collect(
  model: LoadedModel,
  request: JobRequest,
  signal: AbortSignal = new AbortController().signal,
): Promise<Output> {
  const deltas: Delta[] = []
  const result = await model.run(request, { signal, emit: delta => void deltas.push(delta) })
  const texts: string[] = []
  for (const delta of deltas) texts[delta.choice] = (texts[delta.choice] ?? '') + delta.text
  return { ...result, deltas, texts }
}

/** Cases of the suite; an engine that cannot be held to one says why. */
export type ConformanceCase =
  | 'streams'
  | 'seed'
  | 'max tokens'
  | 'stop'
  | 'choices'
  | 'completion'
  | 'embedding'
  | 'cancel'
  | 'cancel while blocked'
  | 'back-pressure'
  | 'isolation'
  | 'overload'
  | 'bad request'
  | 'context'
  | 'unload'

export type ConformanceOptions = {
  readonly name: string
  /** A freshly loaded model with at least two slots. */
  load(): Promise<LoadedModel>
  /** A request that runs for at least a second when nothing stops it. */
  readonly long: JobRequest
  readonly skip: Partial<Record<ConformanceCase, string>>
}

const messages = [{ role: 'user', content: 'Tell me a story about a cat.' }]
const chat = (body: Record<string, unknown>): JobRequest => ({ kind: 'chat', body: { messages, ...body } })
const CANCEL_MS = 200

/** One suite for every engine: what a node may rely on whatever computes behind it. */
export function describeEngine(options: ConformanceOptions): void {
  describe(`${options.name} engine conformance`, () => {
    let model: LoadedModel
    beforeAll(async () => {
      model = await options.load()
    })
    afterAll(() => model?.unload())

    const check = (name: ConformanceCase, run: () => Promise<void>): void => {
      const reason = options.skip[name]
      if (reason === undefined) test(name, run)
      else test.skip(`${name} (skipped: ${reason})`, run)
    }
    /** Starts the long request and waits until it computes. */
    const startLong = async (emit: (delta: Delta) => void | Promise<void> = () => {}) => {
      const controller = new AbortController()
      let onFirst = (): void => {}
      const first = new Promise<void>(resolve => {
        onFirst = resolve
      })
      const run = model.run(options.long, {
        signal: controller.signal,
        emit(delta) {
          onFirst()
          return emit(delta)
        },
      })
      run.catch(() => {})
      await Promise.race([first, run])
      return { controller, run }
    }

    check('streams', async () => {
      let resolved = false
      let early = 0
      const deltas: Delta[] = []
      const result = await model
        .run(chat({ max_tokens: 12, temperature: 0 }), {
          signal: new AbortController().signal,
          emit(delta) {
            deltas.push(delta)
            if (!resolved) early++
          },
        })
        .finally(() => {
          resolved = true
        })
      expect(early).toBeGreaterThan(2)
      expect(deltas.reduce((sum, delta) => sum + delta.tokens, 0)).toBe(result.outputUnits)
      expect(result.inputUnits).toBeGreaterThan(0)
      expect(result.finish).toEqual([{ index: 0, reason: expect.stringMatching(/^(stop|length)$/) }])
      expect(deltas.map(delta => delta.text).join('')).not.toBe('')
    })

    check('seed', async () => {
      const request = (seed: number) => chat({ max_tokens: 24, temperature: 1.5, seed })
      const [first, again, other] = [await collect(model, request(7)), await collect(model, request(7)), await collect(model, request(8))]
      expect(again.texts).toEqual(first.texts)
      expect(other.texts).not.toEqual(first.texts)
    })

    check('max tokens', async () => {
      for (const param of ['max_tokens', 'max_completion_tokens']) {
        const { finish, outputUnits } = await collect(model, chat({ [param]: 3, temperature: 0 }))
        expect(outputUnits, param).toBe(3)
        expect(finish, param).toEqual([{ index: 0, reason: 'length' }])
      }
    })

    check('stop', async () => {
      const free = await collect(model, chat({ max_tokens: 24, temperature: 0 }))
      const text = free.texts[0] ?? ''
      // From the middle of the text and across its token boundaries.
      const stop = text.slice(Math.floor(text.length / 2), Math.floor(text.length / 2) + 6)
      const stopped = await collect(model, chat({ max_tokens: 24, temperature: 0, stop: ['never said', stop] }))
      expect(stopped.texts[0]).toBe(text.slice(0, text.indexOf(stop)))
      expect(stopped.finish).toEqual([{ index: 0, reason: 'stop' }])
    })

    check('choices', async () => {
      const { finish, texts, deltas } = await collect(model, chat({ n: 3, max_tokens: 16, temperature: 1.5, seed: 5 }))
      expect(finish.map(({ index }) => index).sort()).toEqual([0, 1, 2])
      expect(new Set(deltas.map(delta => delta.choice))).toEqual(new Set([0, 1, 2]))
      expect(new Set(texts).size).toBeGreaterThan(1)
    })

    check('completion', async () => {
      const { finish, texts, inputUnits } = await collect(model, {
        kind: 'completion',
        body: { prompt: ['Once upon', 'The capital'], max_tokens: 4, temperature: 0 },
      })
      expect(finish.map(({ index }) => index).sort()).toEqual([0, 1])
      expect(texts).toHaveLength(2)
      expect(inputUnits).toBeGreaterThan(1)
    })

    check('embedding', async () => {
      const input = ['How do I reset my password?', 'I forgot my login credentials.', 'A kitten is playing with yarn.']
      const run = () => collect(model, { kind: 'embedding', body: { input } })
      const [first, again] = [await run(), await run()]
      const vectors = first.deltas.map(delta => delta.embedding ?? new Float32Array())
      expect(first.deltas.map(delta => delta.choice)).toEqual([0, 1, 2])
      expect(first).toMatchObject({ finish: [], outputUnits: 0 })
      expect(first.inputUnits).toBeGreaterThan(10)
      expect(again.deltas.map(delta => delta.embedding)).toEqual(vectors)
      const cosine = (a: Float32Array, b: Float32Array) =>
        a.reduce((sum, value, i) => sum + value * b[i]!, 0) / (Math.hypot(...a) * Math.hypot(...b))
      expect(cosine(vectors[0]!, vectors[1]!)).toBeGreaterThan(cosine(vectors[0]!, vectors[2]!) + 0.2)
    })

    check('cancel', async () => {
      const { controller, run } = await startLong()
      const startedAt = performance.now()
      controller.abort()
      await expect(run).rejects.toMatchObject({ code: 'ENGINE_CANCELLED', retryable: false })
      expect(performance.now() - startedAt).toBeLessThan(CANCEL_MS)
      const aborted = AbortSignal.abort()
      await expect(collect(model, options.long, aborted)).rejects.toMatchObject({ code: 'ENGINE_CANCELLED' })
    })

    check('cancel while blocked', async () => {
      const { controller, run } = await startLong(() => new Promise(() => {}))
      const startedAt = performance.now()
      controller.abort()
      await expect(run).rejects.toMatchObject({ code: 'ENGINE_CANCELLED' })
      expect(performance.now() - startedAt).toBeLessThan(CANCEL_MS)
    })

    check('back-pressure', async () => {
      let inside = 0
      let worst = 0
      const slow = await model.run(chat({ max_tokens: 6, temperature: 0 }), {
        signal: new AbortController().signal,
        async emit() {
          worst = Math.max(worst, ++inside)
          await new Promise(resolve => setImmediate(resolve))
          inside--
        },
      })
      expect(slow.outputUnits).toBeGreaterThan(1)
      expect(worst).toBe(1)
    })

    check('isolation', async () => {
      const requests = [1, 2].map(seed =>
        chat({ max_tokens: 16, temperature: 1.2, seed, messages: [{ role: 'user', content: `Number ${seed}, please.` }] }),
      )
      const alone: Output[] = []
      for (const request of requests) alone.push(await collect(model, request))
      const together = await Promise.all(requests.map(request => collect(model, request)))
      expect(together.map(output => output.texts)).toEqual(alone.map(output => output.texts))
      const failing = collect(model, chat({ temperature: 'hot' })).catch(() => 'refused')
      const [ok] = await Promise.all([collect(model, requests[0]!), failing])
      expect(ok.texts).toEqual(alone[0]?.texts)
    })

    check('overload', async () => {
      const runs = await Promise.all(Array.from({ length: model.slots }, () => startLong(() => new Promise(() => {}))))
      await expect(collect(model, options.long)).rejects.toMatchObject({ code: 'ENGINE_OVERLOADED', retryable: true })
      for (const { controller } of runs) controller.abort()
      await Promise.allSettled(runs.map(({ run }) => run))
      const { controller, run } = await startLong()
      controller.abort()
      await expect(run).rejects.toMatchObject({ code: 'ENGINE_CANCELLED' })
    })

    check('bad request', async () => {
      const { kind, body } = options.long
      const bad: [label: string, request: JobRequest][] =
        kind === 'embedding'
          ? [
              ['no input', { kind, body: {} }],
              ['empty input', { kind, body: { input: [] } }],
              ['input of objects', { kind, body: { input: [{}] } }],
            ]
          : [
              ['hot temperature', { kind, body: { ...body, temperature: 99 } }],
              ['temperature as text', { kind, body: { ...body, temperature: 'hot' } }],
              ['no tokens', { kind, body: { ...body, max_tokens: -1 } }],
            ]
      for (const [label, request] of bad) {
        await expect(collect(model, request), label).rejects.toMatchObject({
          code: 'ENGINE_BAD_REQUEST',
          retryable: false,
          message: expect.stringMatching(/\w/),
        })
      }
    })

    check('context', async () => {
      const text = 'far too long '.repeat(20_000)
      const request: JobRequest =
        options.long.kind === 'embedding'
          ? { kind: 'embedding', body: { input: text } }
          : chat({ messages: [{ role: 'user', content: text }] })
      await expect(collect(model, request)).rejects.toMatchObject({
        code: 'ENGINE_CONTEXT_EXCEEDED',
        retryable: false,
        message: expect.stringMatching(/\d+.*\d+/),
      })
    })

    check('unload', async () => {
      const own = await options.load()
      const run = own.run(options.long, { signal: new AbortController().signal, emit: () => {} })
      const outcome = expect(run).rejects.toMatchObject({ code: 'ENGINE_FAILED', retryable: true })
      await own.unload()
      await outcome
      await own.unload()
      await expect(collect(own, options.long)).rejects.toMatchObject({ code: 'ENGINE_FAILED', retryable: true })
    })
  })
}
