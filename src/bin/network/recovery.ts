import type { Clock, Database, JobStart, Logger } from '#platform'
import { bytesToHex, discardReceiptDigest, type JobView, ZERO_BYTES32 } from '#protocol'
import type { DiscardSigner } from './discards.ts'

export type RecoveryDependencies = {
  readonly database: Database
  readonly separator: Uint8Array
  readonly signDiscard: DiscardSigner
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Ends the jobs that a dead process left open: they were never acknowledged, so they failed, cost nothing, and get their
 * discard receipt like any other failed job (laws L2, L3, L5).
 */
export async function endOrphanedJobs(ownerEpoch: string, dependencies: RecoveryDependencies): Promise<number> {
  const orphans = await dependencies.database.jobs.orphaned(ownerEpoch)
  await Promise.all(orphans.map(job => endOrphan(job, ownerEpoch, dependencies)))
  if (orphans.length > 0) dependencies.logger.warn({ jobs: orphans.length }, 'jobs of a process that died were ended as failed')
  return orphans.length
}

function startOf(job: JobView, ownerEpoch: string): JobStart {
  const { jobId, kind, model, podId, payer, frontend, keyId, asset, maxPrice, createdAtMs } = job
  return { jobId, kind, model, podId, payer, frontend, keyId, asset, maxPrice, createdAtMs, ownerEpoch }
}

async function endOrphan(
  job: JobView,
  ownerEpoch: string,
  { database, separator, signDiscard, clock }: RecoveryDependencies,
): Promise<void> {
  const atMs = clock.now()
  const { jobId, podId, payer, attempts } = job
  // The request was never written down: prompts are not stored.
  const signed = signDiscard({ jobId, podId, payer, requestHash: ZERO_BYTES32 }, { attempts, reason: 'ROUTER_INTERRUPTED' })
  await database.jobs.finish({
    start: startOf(job, ownerEpoch),
    state: 'failed',
    nodeId: job.nodeId,
    attempts: job.attempts,
    price: 0n,
    credits: 0n,
    inputUnits: 0,
    outputUnits: 0,
    errorCode: 'ROUTER_INTERRUPTED',
    errorMessage: 'The process that ran this job ended before the job did. Nothing was charged; send it again.',
    finishedAtMs: atMs,
    timeline: [
      ...job.timeline,
      {
        step: 'discarded',
        atMs,
        detail: { reason: 'ROUTER_INTERRUPTED', discardDigest: bytesToHex(discardReceiptDigest(separator, signed.discard)) },
      },
    ],
    decisions: [],
    receipt: null,
    discard: signed,
    ledger: [],
  })
}
