import type { Counter, Gauge, Histogram } from 'prom-client'
import type { Metrics } from '#platform'

export type SequencerMetrics = {
  readonly jobs: Counter
  readonly batches: Counter
  readonly gas: Counter
  readonly lost: Counter
  readonly dissolved: Counter
  readonly failures: Counter
  readonly held: Gauge
  readonly lastBatch: Gauge
  readonly settleSeconds: Histogram
}

/** @param oldestSeconds age of the oldest receipt that is in no confirmed batch, as known now */
export function createSequencerMetrics(metrics: Metrics, oldestSeconds: () => number): SequencerMetrics {
  const oldestReceipt = metrics.gauge(
    'heurist_sequencer_oldest_receipt_seconds',
    'Age of the oldest receipt that waits for its batch to be confirmed; 0 without one.',
  )
  const scraped = oldestReceipt as { collect?: () => void } // cast: prom-client reads this member when it is scraped
  scraped.collect = () => oldestReceipt.set(oldestSeconds())
  return {
    jobs: metrics.counter('heurist_sequencer_jobs_total', 'Jobs settled on the chain.'),
    batches: metrics.counter('heurist_sequencer_batches_total', 'Batches confirmed on the chain.'),
    gas: metrics.counter('heurist_sequencer_gas_total', 'Gas used by confirmed batches.'),
    lost: metrics.counter('heurist_sequencer_lost_batches_total', 'Confirmed batches that the chain lost and that were posted again.'),
    dissolved: metrics.counter('heurist_sequencer_dissolved_batches_total', 'Stored batches that the chain refused for good.'),
    failures: metrics.counter('heurist_sequencer_failures_total', 'Steps that failed, by error code.', ['code']),
    held: metrics.gauge('heurist_sequencer_held_receipts', 'Receipts kept out of batches because the chain refuses them.'),
    lastBatch: metrics.gauge('heurist_sequencer_last_batch', 'Number of the last confirmed batch.'),
    settleSeconds: metrics.histogram('heurist_sequencer_settle_seconds', 'Time from forming a batch to its confirmation.', {
      buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300],
    }),
  }
}
