/** The answer that every measured path gives, so that all carry the same bytes: words of two tokens' length. */
export const WORD = ' word'

/** How a request is paced: a prompt that says "paced" gets one token per second, all others full speed. */
export function isPaced(body: string): boolean {
  return body.includes('paced')
}

export function chunk(content: string): string {
  return `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"bench","choices":[{"index":0,"delta":{"content":"${content}"},"logprobs":null,"finish_reason":null}]}\n\n`
}

export const LAST_CHUNK =
  'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"bench","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'

export function completion(tokens: number): string {
  const content = WORD.repeat(tokens)
  return JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'bench',
    choices: [{ index: 0, message: { role: 'assistant', content, refusal: null }, logprobs: null, finish_reason: 'stop' }],
    usage: { prompt_tokens: 8, completion_tokens: tokens, total_tokens: 8 + tokens },
  })
}
