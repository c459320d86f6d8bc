import type { ChoiceOutput, Delta, TokenLogprob, ToolCallDelta } from '#protocol'
import type { AnswerHead, ChunkFormat, Collected } from '../answer.ts'
import { usageOf } from '../answer.ts'
import type { FinishedJob } from '../job.ts'
import { receiptMember } from '../receipt-member.ts'

function logprobsOf(entries: readonly TokenLogprob[] | undefined) {
  return entries ? { content: entries, refusal: null } : null
}

function messageOfChoice({ text, toolCalls }: ChoiceOutput) {
  const calls = toolCalls.map(call => ({ id: call.id, type: 'function', function: { name: call.name, arguments: call.arguments } }))
  return {
    role: 'assistant',
    content: text === '' && calls.length > 0 ? null : text,
    refusal: null,
    ...(calls.length > 0 && { tool_calls: calls }),
  }
}

/** `chat.completion` of a finished job. */
export function chatAnswer(head: AnswerHead, job: FinishedJob, collected: Collected) {
  return {
    id: head.id,
    object: 'chat.completion',
    created: head.createdSeconds,
    model: head.model,
    choices: job.choices.map(choice => ({
      index: choice.index,
      message: messageOfChoice(choice),
      logprobs: logprobsOf(collected.logprobs.get(choice.index)),
      finish_reason: choice.finishReason,
    })),
    usage: usageOf(job),
    system_fingerprint: head.fingerprint,
    heurist: receiptMember(job),
  }
}

function toolCallPiece({ index, id, name, arguments: args }: ToolCallDelta) {
  return {
    index,
    ...(id !== undefined && { id, type: 'function' }),
    function: { ...(name !== undefined && { name }), arguments: args ?? '' },
  }
}

/** `chat.completion.chunk` events. Written as text around the two members that change: this is the cost of every token. */
export function chatChunks(head: AnswerHead, includeUsage: boolean): ChunkFormat {
  const { id, createdSeconds, model, fingerprint } = head
  const prefix = `data: ${JSON.stringify({ id, object: 'chat.completion.chunk', created: createdSeconds, model, system_fingerprint: fingerprint }).slice(0, -1)},"choices":[`
  // With usage asked for, every chunk but the last says null.
  const suffix = includeUsage ? '],"usage":null}\n\n' : ']}\n\n'
  const started = new Set<number>()

  function chunk(index: number, delta: string, logprobs: string, finishReason: string): string {
    return `${prefix}{"index":${index},"delta":${delta},"logprobs":${logprobs},"finish_reason":${finishReason}}${suffix}`
  }

  function begin(index: number): string {
    if (started.has(index)) return ''
    started.add(index)
    return chunk(index, '{"role":"assistant","content":"","refusal":null}', 'null', 'null')
  }

  return {
    piece(delta: Delta): string {
      const head = begin(delta.choice)
      const logprobs = delta.logprobs ? JSON.stringify(logprobsOf(delta.logprobs)) : 'null'
      if (delta.toolCalls && delta.toolCalls.length > 0) {
        const calls = { ...(delta.text !== '' && { content: delta.text }), tool_calls: delta.toolCalls.map(toolCallPiece) }
        return head + chunk(delta.choice, JSON.stringify(calls), logprobs, 'null')
      }
      // Half of a multi-byte character: nothing to show yet.
      if (delta.text === '' && !delta.logprobs) return head
      return head + chunk(delta.choice, `{"content":${JSON.stringify(delta.text)}}`, logprobs, 'null')
    },
    tail(job) {
      let text = ''
      for (const { index, finishReason } of job.choices) text += begin(index) + chunk(index, '{}', 'null', `"${finishReason}"`)
      if (!includeUsage) return `${text}: heurist ${JSON.stringify(receiptMember(job))}\n\n`
      return `${text}${prefix}],"usage":${JSON.stringify(usageOf(job))},"heurist":${JSON.stringify(receiptMember(job))}}\n\n`
    },
  }
}
