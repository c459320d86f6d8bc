import type { Router, Sequencer } from '#orchestration'
import type { JobStore } from '#platform'

/**
 * What comes before and after the end of a job is committed. Before: its decisions are on disk, so that no receipt outlives what its decision
 * is replayed from (law R2, ADR 0017). After: the sequencer hears of it, so that a full batch does not wait to be found.
 */
export function orderedJobs(
  jobs: JobStore,
  { router, sequencer }: { readonly router: Pick<Router, 'decisionsStored'>; readonly sequencer: Pick<Sequencer, 'notify'> },
): JobStore {
  return {
    ...jobs,
    async finish(outcome) {
      await router.decisionsStored(outcome.start.jobId)
      await jobs.finish(outcome)
      if (outcome.receipt) sequencer.notify(1)
    },
  }
}
