import { formatUnits } from '#protocol'
import type { FinishedJob } from './job.ts'

/** The `heurist` member of an answer: who did it, what it cost, and the receipt that proves it. */
export function receiptMember(job: FinishedJob): { job_id: string; node_id: string; cost_credits: string; receipt: string } {
  return { job_id: job.jobId, node_id: job.nodeId, cost_credits: formatUnits(job.credits, 9), receipt: job.receiptDigest }
}
