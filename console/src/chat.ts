import { ApiError, authorization } from './api.ts'

export type Message = { role: 'system' | 'user' | 'assistant'; content: string }
export type Usage = { prompt_tokens: number; completion_tokens: number }
export type Answer = { jobId: string | null; usage: Usage | null; firstTokenMs: number | null; totalMs: number }
export type Settings = { model: string; temperature: number; maxTokens: number; seed: number | null }

type Chunk = { choices?: { delta?: { content?: string } }[]; usage?: Usage | null; error?: { message: string } }

/** Streams one chat answer; `onText` gets each piece as it arrives. @throws ApiError with the gateway's own words */
export async function streamChat(
  messages: readonly Message[],
  settings: Settings,
  onText: (text: string) => void,
  signal: AbortSignal,
): Promise<Answer> {
  const startedMs = performance.now()
  const response = await fetch('/v1/chat/completions', {
    method: 'POST',
    headers: { ...authorization(), 'content-type': 'application/json' },
    body: JSON.stringify({
      model: settings.model,
      messages,
      stream: true,
      stream_options: { include_usage: true },
      temperature: settings.temperature,
      max_tokens: settings.maxTokens,
      ...(settings.seed !== null && { seed: settings.seed }),
    }),
    signal,
  })
  if (!response.ok || !response.body) {
    const body = (await response.json().catch(() => null)) as { error?: { message?: string } } | null
    throw new ApiError(response.status, body?.error?.message ?? `The gateway answered ${response.status}.`)
  }
  let usage: Usage | null = null
  let firstTokenMs: number | null = null
  for await (const chunk of events(response.body)) {
    if (chunk.error) throw new ApiError(502, chunk.error.message)
    const text = chunk.choices?.[0]?.delta?.content
    if (text) {
      firstTokenMs ??= performance.now() - startedMs
      onText(text)
    }
    usage = chunk.usage ?? usage
  }
  return { jobId: response.headers.get('x-heurist-job-id'), usage, firstTokenMs, totalMs: performance.now() - startedMs }
}

async function* events(body: ReadableStream<Uint8Array>): AsyncGenerator<Chunk> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let buffer = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    buffer += decoder.decode(value, { stream: true })
    const lines = buffer.split('\n')
    buffer = lines.pop() ?? ''
    for (const line of lines) {
      if (line.startsWith('data: ') && line !== 'data: [DONE]') yield JSON.parse(line.slice(6)) as Chunk
    }
  }
}
