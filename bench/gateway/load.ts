import { Pool } from 'undici'

/** Requests of one measurement against one gateway. Times in ms. */
export type LoadResult = {
  readonly requests: number
  readonly tokens: number
  readonly errors: number
  readonly seconds: number
  readonly firstByteMs: readonly number[]
  readonly totalMs: readonly number[]
}
export type Target = {
  readonly name: string
  readonly url: string
  /** Used in turn: one API key may hold 1,000 requests at once. */
  readonly headers: readonly Readonly<Record<string, string>>[]
  readonly model: string
  readonly pids: () => readonly number[]
}
type Shape = { readonly stream: boolean; readonly maxTokens: number; readonly tag?: string }

type Outcome = { readonly ok: boolean; readonly tokens: number; readonly firstMs: number; readonly totalMs: number }

function bodyOf(target: Target, { stream, maxTokens, tag }: Shape): string {
  return JSON.stringify({
    model: target.model,
    messages: [{ role: 'user', content: `Say something ${tag ?? ''}` }],
    max_tokens: maxTokens,
    ...(stream && { stream: true }),
  })
}

// The first chunk of a stream has an empty content and the role.
const TOKEN = '"content":" '

/** One request through undici's lowest interface, so that the load generator costs as little as it can. */
function once(pool: Pool, target: Target, body: string, index = 0): Promise<Outcome> {
  const startedMs = performance.now()
  const path = `${new URL(target.url).pathname}/chat/completions`
  return new Promise(resolve => {
    let status = 0
    let firstMs = 0
    let tokens = 0
    let ended = false
    const finish = (ok: boolean): void => resolve({ ok, tokens, firstMs, totalMs: performance.now() - startedMs })
    pool.dispatch(
      { path, method: 'POST', headers: { 'content-type': 'application/json', ...target.headers[index % target.headers.length] }, body },
      {
        onRequestStart: () => undefined,
        onResponseStart: (_controller, statusCode) => {
          status = statusCode
        },
        onResponseData: (_controller, chunk) => {
          if (firstMs === 0) firstMs = performance.now() - startedMs
          for (let at = chunk.indexOf(TOKEN); at !== -1; at = chunk.indexOf(TOKEN, at + TOKEN.length)) tokens += 1
          if (chunk.includes('[DONE]') || chunk.includes('"usage"')) ended = true
        },
        onResponseEnd: () => finish(status === 200 && ended),
        onResponseError: () => finish(false),
      },
    )
  })
}

function summary(outcomes: readonly Outcome[], seconds: number): LoadResult {
  return {
    requests: outcomes.length,
    tokens: outcomes.reduce((sum, { tokens }) => sum + tokens, 0),
    errors: outcomes.filter(({ ok }) => !ok).length,
    seconds,
    firstByteMs: outcomes.map(({ firstMs }) => firstMs),
    totalMs: outcomes.map(({ totalMs }) => totalMs),
  }
}

async function withPool<T>(target: Target, connections: number, work: (pool: Pool) => Promise<T>): Promise<T> {
  const pool = new Pool(new URL(target.url).origin, { connections, pipelining: 1, headersTimeout: 60_000, bodyTimeout: 60_000 })
  try {
    return await work(pool)
  } finally {
    await pool.close()
  }
}

/** Closed loop: `callers` at a time, each sends the next when its answer is whole. */
export function closedLoop(target: Target, load: Shape & { readonly callers: number; readonly durationMs: number }): Promise<LoadResult> {
  return withPool(target, load.callers, async pool => {
    const body = bodyOf(target, load)
    const outcomes: Outcome[] = []
    const startedMs = performance.now()
    const caller = async (): Promise<void> => {
      while (performance.now() - startedMs < load.durationMs) outcomes.push(await once(pool, target, body))
    }
    await Promise.all(Array.from({ length: load.callers }, caller))
    return summary(outcomes, (performance.now() - startedMs) / 1000)
  })
}

/** Open loop: a fixed number of requests per second, whether or not answers keep up. */
export function openLoop(target: Target, load: Shape & { readonly perSecond: number; readonly durationMs: number }): Promise<LoadResult> {
  return withPool(target, 256, async pool => {
    const body = bodyOf(target, load)
    const running: Promise<Outcome>[] = []
    const startedMs = performance.now()
    for (let elapsedMs = 0; elapsedMs < load.durationMs; elapsedMs = performance.now() - startedMs) {
      while (running.length < (elapsedMs / 1000) * load.perSecond) running.push(once(pool, target, body))
      await new Promise(resolve => setTimeout(resolve, 1))
    }
    const outcomes = await Promise.all(running)
    return summary(outcomes, (performance.now() - startedMs) / 1000)
  })
}

/** Many streams at once, opened within `rampMs`. */
export function openStreams(
  target: Target,
  load: { readonly streams: number; readonly maxTokens: number; readonly rampMs: number; readonly tag: string },
): Promise<LoadResult> {
  return withPool(target, load.streams, async pool => {
    const body = bodyOf(target, { stream: true, maxTokens: load.maxTokens, tag: load.tag })
    const startedMs = performance.now()
    const outcomes = await Promise.all(
      Array.from({ length: load.streams }, async (_, index) => {
        await new Promise(resolve => setTimeout(resolve, (index * load.rampMs) / load.streams))
        return once(pool, target, body, index)
      }),
    )
    return summary(outcomes, (performance.now() - startedMs) / 1000)
  })
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
