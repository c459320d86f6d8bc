import type { Delta, FinishReason } from '#protocol'
import { taken } from '../back-pressure.ts'
import type { EngineResult, RunOptions } from '../engine.ts'
import { type ParsedChunk, parseChunk, type UpstreamUsage } from './chunks.ts'
import { type CallOptions, type UpstreamClient, upstreamBroken } from './http.ts'
import { createSseParser } from './sse.ts'

type StreamOptions = RunOptions & { readonly choices: number; readonly maxPromptTokens: number }

/** Room of the token count in one frame of the node link. */
const MAX_DELTA_TOKENS = 65_535

type Progress = {
  readonly finish: Map<number, FinishReason>
  usage: UpstreamUsage | null
  tokens: number
  bytes: number
}

async function* eventsOf(client: UpstreamClient, call: { path: string; body: unknown }, options: CallOptions): AsyncGenerator<string> {
  const parser = createSseParser()
  try {
    for await (const bytes of client.postStream(call.path, call.body, options)) {
      for (const data of parser.push(bytes)) {
        if (data === '[DONE]') return
        yield data
      }
    }
  } catch (error) {
    throw error instanceof RangeError ? upstreamBroken(error.message, error) : error
  }
  const rest = parser.end()
  if (rest !== null && rest !== '[DONE]') yield rest
}

function bytesOf({ text, toolCalls }: Delta): number {
  const calls = toolCalls?.reduce((sum, call) => sum + Buffer.byteLength((call.name ?? '') + (call.arguments ?? '')), 0) ?? 0
  return Buffer.byteLength(text) + calls
}

async function take(chunk: ParsedChunk, progress: Progress, options: StreamOptions): Promise<void> {
  for (const delta of chunk.deltas) {
    if (progress.finish.has(delta.choice)) throw upstreamBroken(`it sent output of choice ${delta.choice} after its end`)
    progress.tokens += delta.tokens
    progress.bytes += bytesOf(delta)
    await taken(options.emit(delta), options.signal)
  }
  for (const { index, reason } of chunk.finish) progress.finish.set(index, reason)
  progress.usage = chunk.usage ?? progress.usage
}

/**
 * Servers put several tokens into one event. Their final count corrects ours upwards, but a token stands for at least one byte
 * (and one unseen end token per choice), so that a false usage cannot invent work.
 */
async function settleTokens(progress: Progress, options: StreamOptions): Promise<void> {
  const claimed = Math.min(progress.usage?.completionTokens ?? 0, progress.bytes + options.choices)
  while (claimed > progress.tokens) {
    const tokens = Math.min(claimed - progress.tokens, MAX_DELTA_TOKENS)
    progress.tokens += tokens
    await taken(options.emit({ choice: 0, tokens, text: '' }), options.signal)
  }
}

/** Runs one streamed request at the upstream. @throws HeuristError ENGINE_UPSTREAM_FAILED when the stream is cut, garbled or has no usage */
export async function streamUpstream(
  client: UpstreamClient,
  call: { path: string; body: unknown },
  options: StreamOptions,
): Promise<EngineResult> {
  const progress: Progress = { finish: new Map(), usage: null, tokens: 0, bytes: 0 }
  for await (const data of eventsOf(client, call, options)) await take(parseChunk(data, options), progress, options)
  for (let choice = 0; choice < options.choices; choice++) {
    if (!progress.finish.has(choice)) throw upstreamBroken(`the stream ended before choice ${choice} was finished`)
  }
  if (!progress.usage) throw upstreamBroken('the stream ended without usage')
  await settleTokens(progress, options)
  return {
    finish: [...progress.finish].map(([index, reason]) => ({ index, reason })),
    inputUnits: progress.usage.promptTokens,
    outputUnits: progress.tokens,
  }
}
