import type { AnswerHead, ChunkFormat } from '../answer.ts'
import type { FinishedJob } from '../job.ts'
import { receiptMember } from '../receipt-member.ts'

type Usage = { readonly jobs: number; readonly output_units: number; readonly output_bytes: number }

function usageOf({ units, choices }: FinishedJob): Usage {
  const bytes = choices.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)
  return { jobs: units.inputUnits, output_units: units.outputUnits, output_bytes: bytes }
}

/** What the program wrote; `finish_reason` is `length` when it was cut at the bound. */
export function commandAnswer(head: AnswerHead, job: FinishedJob) {
  return {
    id: head.id,
    object: 'job',
    created: head.createdSeconds,
    model: head.model,
    output: job.choices.map(({ text }) => text).join(''),
    finish_reason: job.choices[0]?.finishReason ?? 'stop',
    usage: usageOf(job),
    heurist: receiptMember(job),
  }
}

/** `job.chunk` events: pieces of output, then the end with what it cost. */
export function commandChunks({ id, createdSeconds, model }: AnswerHead): ChunkFormat {
  const event = (members: object): string =>
    `data: ${JSON.stringify({ id, object: 'job.chunk', created: createdSeconds, model, ...members })}\n\n`
  return {
    piece: ({ text }) => (text === '' ? '' : event({ output: text })),
    tail: job =>
      event({ output: '', finish_reason: job.choices[0]?.finishReason ?? 'stop', usage: usageOf(job), heurist: receiptMember(job) }),
  }
}
