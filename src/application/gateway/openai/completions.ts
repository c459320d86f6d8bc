import type { TokenLogprob } from '#protocol'
import type { AnswerHead, ChunkFormat, Collected } from '../answer.ts'
import { usageOf } from '../answer.ts'
import type { FinishedJob } from '../job.ts'
import { receiptMember } from '../receipt-member.ts'

/** The completions endpoint knows three reasons; a tool call can not happen there. */
function reasonOf(reason: string): 'stop' | 'length' | 'content_filter' {
  return reason === 'length' || reason === 'content_filter' ? reason : 'stop'
}

/** Log probabilities in this endpoint's older shape; offsets count characters from the start of the choice's text. */
export function legacyLogprobs(entries: readonly TokenLogprob[], firstOffset: number) {
  let offset = firstOffset
  const textOffset = entries.map(({ token }) => {
    const here = offset
    offset += token.length
    return here
  })
  return {
    tokens: entries.map(entry => entry.token),
    token_logprobs: entries.map(entry => entry.logprob),
    top_logprobs: entries.map(entry => Object.fromEntries(entry.top_logprobs.map(top => [top.token, top.logprob]))),
    text_offset: textOffset,
  }
}

/** `text_completion` of a finished job. */
export function completionAnswer(head: AnswerHead, job: FinishedJob, collected: Collected) {
  return {
    id: head.id,
    object: 'text_completion',
    created: head.createdSeconds,
    model: head.model,
    choices: job.choices.map(choice => {
      const entries = collected.logprobs.get(choice.index)
      return {
        index: choice.index,
        text: choice.text,
        logprobs: entries ? legacyLogprobs(entries, 0) : null,
        finish_reason: reasonOf(choice.finishReason),
      }
    }),
    usage: usageOf(job),
    system_fingerprint: head.fingerprint,
    heurist: receiptMember(job),
  }
}

/** `text_completion` events. */
export function completionChunks(head: AnswerHead, includeUsage: boolean): ChunkFormat {
  const { id, createdSeconds, model, fingerprint } = head
  const prefix = `data: ${JSON.stringify({ id, object: 'text_completion', created: createdSeconds, model, system_fingerprint: fingerprint }).slice(0, -1)},"choices":[`
  const suffix = includeUsage ? '],"usage":null}\n\n' : ']}\n\n'
  const lengths = new Map<number, number>()

  function chunk(index: number, text: string, logprobs: string, finishReason: string): string {
    return `${prefix}{"index":${index},"text":${JSON.stringify(text)},"logprobs":${logprobs},"finish_reason":${finishReason}}${suffix}`
  }

  return {
    piece({ choice, text, logprobs }) {
      if (text === '' && !logprobs) return ''
      const offset = lengths.get(choice) ?? 0
      lengths.set(choice, offset + text.length)
      return chunk(choice, text, logprobs ? JSON.stringify(legacyLogprobs(logprobs, offset)) : 'null', 'null')
    },
    tail(job) {
      let text = ''
      for (const { index, finishReason } of job.choices) text += chunk(index, '', 'null', `"${reasonOf(finishReason)}"`)
      if (!includeUsage) return `${text}: heurist ${JSON.stringify(receiptMember(job))}\n\n`
      return `${text}${prefix}],"usage":${JSON.stringify(usageOf(job))},"heurist":${JSON.stringify(receiptMember(job))}}\n\n`
    },
  }
}
