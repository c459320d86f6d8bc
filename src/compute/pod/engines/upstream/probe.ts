import { z } from 'zod'
import { isHeuristError } from '#protocol'
import { parseChunk } from './chunks.ts'
import { type UpstreamClient, upstreamBroken } from './http.ts'
import { createSseParser } from './sse.ts'

/** What a server turned out to do when it was asked; nothing is assumed from its name. */
export type UpstreamCapabilities = {
  /** Its own name of the model. */
  readonly model: string
  readonly chat: boolean
  readonly completions: boolean
  readonly embeddings: boolean
  /** Streams end with a count of units (`stream_options.include_usage`). */
  readonly streamUsage: boolean
  readonly logprobs: boolean
}

const modelsSchema = z.looseObject({ data: z.array(z.looseObject({ id: z.string() })) })

/** Its own name of the model. @throws HeuristError ENGINE_UPSTREAM_FAILED when it does not serve it, or does not answer */
export async function modelName(client: UpstreamClient, wanted: string, signal: AbortSignal): Promise<string> {
  const result = modelsSchema.safeParse(await client.getJson('/models', { signal }))
  if (!result.success) throw upstreamBroken('its /models is not a list of models', result.error)
  const ids = result.data.data.map(({ id }) => id)
  const found = ids.includes(wanted) ? wanted : ids.length === 1 ? ids[0] : undefined
  if (found === undefined) throw upstreamBroken(`it does not serve "${wanted}" but: ${ids.slice(0, 20).join(', ') || 'nothing'}`)
  return found
}

/** A refusal means "cannot"; an overloaded or broken server is not an answer and fails the probe. */
async function tries(attempt: () => Promise<boolean>): Promise<boolean> {
  try {
    return await attempt()
  } catch (error) {
    const refused =
      isHeuristError(error, 'ENGINE_BAD_REQUEST') || (isHeuristError(error, 'ENGINE_UPSTREAM_FAILED') && isRefusal(error.payload))
    if (refused) return false
    throw error
  }
}

const REFUSALS: ReadonlySet<unknown> = new Set([404, 405, 500, 501])

function isRefusal(payload: unknown): boolean {
  return typeof payload === 'object' && payload !== null && 'status' in payload && REFUSALS.has(payload.status)
}

/** Streams one token; tells whether output, usage and log probabilities came. */
async function probeStream(
  client: UpstreamClient,
  path: string,
  options: { body: unknown; signal: AbortSignal },
): Promise<{ usage: boolean; logprobs: boolean }> {
  const parser = createSseParser()
  const seen = { usage: false, logprobs: false }
  for await (const bytes of client.postStream(path, options.body, options)) {
    for (const data of parser.push(bytes)) {
      if (data === '[DONE]') return seen
      const { deltas, usage } = parseChunk(data, { choices: 1, maxPromptTokens: Number.MAX_SAFE_INTEGER })
      seen.usage ||= usage !== null
      seen.logprobs ||= deltas.some(delta => delta.logprobs !== undefined)
    }
  }
  return seen
}

/** Asks the server what it serves with the smallest requests there are. @throws HeuristError ENGINE_UPSTREAM_FAILED, ENGINE_OVERLOADED */
export async function probeUpstream(client: UpstreamClient, wanted: string, signal: AbortSignal): Promise<UpstreamCapabilities> {
  const model = await modelName(client, wanted, signal)
  const messages = [{ role: 'user', content: 'Hi' }]
  const stream = { stream: true, stream_options: { include_usage: true }, max_tokens: 1 }
  const found = { streamUsage: false, logprobs: false }
  const chat = await tries(async () => {
    found.streamUsage = (await probeStream(client, '/chat/completions', { body: { model, messages, ...stream }, signal })).usage
    return true
  })
  const completions = await tries(async () => {
    const { usage } = await probeStream(client, '/completions', { body: { model, prompt: 'Hi', ...stream }, signal })
    found.streamUsage ||= usage
    return true
  })
  const logprobs =
    chat &&
    (await tries(
      async () =>
        (
          await probeStream(client, '/chat/completions', { body: { model, messages, ...stream, logprobs: true, top_logprobs: 1 }, signal })
        ).logprobs,
    ))
  const embeddings = await tries(async () => {
    await client.postJson('/embeddings', { model, input: 'Hi', encoding_format: 'float' }, { signal })
    return true
  })
  return { model, chat, completions, embeddings, ...found, logprobs }
}
