import { z } from 'zod'
import { taken } from '../back-pressure.ts'
import type { EngineResult, RunOptions } from '../engine.ts'
import { type UpstreamClient, upstreamBroken } from './http.ts'

const embeddingsSchema = z.looseObject({
  data: z.array(z.looseObject({ index: z.number().int().min(0).nullish(), embedding: z.union([z.array(z.number()).min(1), z.base64()]) })),
  usage: z.looseObject({ prompt_tokens: z.number().int().min(0) }),
})

function vectorOf(value: number[] | string): Float32Array {
  if (typeof value !== 'string') return Float32Array.from(value)
  const bytes = Uint8Array.from(Buffer.from(value, 'base64'))
  if (bytes.length === 0 || bytes.length % 4 !== 0) throw upstreamBroken('an embedding is not a whole number of float32')
  return new Float32Array(bytes.buffer)
}

/** Embeddings of the upstream, one delta per input in the order of the inputs. */
export async function embedUpstream(
  client: UpstreamClient,
  body: unknown,
  options: RunOptions & { readonly inputs: number; readonly maxPromptTokens: number },
): Promise<EngineResult> {
  const result = embeddingsSchema.safeParse(await client.postJson('/embeddings', body, options))
  if (!result.success) throw upstreamBroken('its embeddings have a wrong shape or no usage', result.error)
  const { data, usage } = result.data
  const vectors = new Map(data.map((item, i) => [item.index ?? i, vectorOf(item.embedding)]))
  const width = vectors.get(0)?.length
  if (usage.prompt_tokens > options.inputs * options.maxPromptTokens)
    throw upstreamBroken(`it reports ${usage.prompt_tokens} prompt tokens`)
  for (let choice = 0; choice < options.inputs; choice++) {
    const embedding = vectors.get(choice)
    if (!embedding || embedding.length !== width || !embedding.every(Number.isFinite))
      throw upstreamBroken(`the embedding of input ${choice} is missing or wrong`)
    await taken(options.emit({ choice, tokens: 0, text: '', embedding }), options.signal)
  }
  return { finish: [], inputUnits: usage.prompt_tokens, outputUnits: 0 }
}
