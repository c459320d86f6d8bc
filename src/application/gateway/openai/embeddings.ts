import type { AnswerHead, Collected } from '../answer.ts'
import type { FinishedJob } from '../job.ts'
import { receiptMember } from '../receipt-member.ts'

/** The vector's float32 values, little-endian, in base64: what the official clients ask for by themselves. */
export function toBase64(vector: Float32Array): string {
  const bytes = Buffer.alloc(4 * vector.length)
  for (let i = 0; i < vector.length; i++) bytes.writeFloatLE(vector[i]!, 4 * i)
  return bytes.toString('base64')
}

/** `list` of embeddings in the order of the inputs. */
export function embeddingAnswer(head: AnswerHead, job: FinishedJob, collected: Collected, encoding: 'float' | 'base64') {
  const vectors = [...collected.vectors].sort(([a], [b]) => a - b)
  return {
    object: 'list',
    data: vectors.map(([index, vector]) => ({
      object: 'embedding',
      index,
      embedding: encoding === 'base64' ? toBase64(vector) : Array.from(vector),
    })),
    model: head.model,
    usage: { prompt_tokens: job.units.inputUnits, total_tokens: job.units.inputUnits },
    heurist: receiptMember(job),
  }
}
