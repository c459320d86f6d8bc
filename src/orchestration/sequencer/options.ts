import type { BatchStore, Chain, Clock, Logger, Metrics, Signer } from '#platform'
import type { OrganicRule } from './organic.ts'

export type SequencerOptions = OrganicRule & {
  /** A batch is formed when so many receipts wait … */
  readonly maxJobs: number
  /** … or the oldest has waited so long, in ms. */
  readonly maxAgeMs: number
  /** Debit and credit rows of one batch at most: it must fit a block (a first-time row costs about 28,000 gas). */
  readonly maxRows: number
  /** How often chain and receipts are looked at while nothing happens, in ms. */
  readonly pollMs: number
  /** First pause after a failure, in ms; it doubles up to `maxBackoffMs`. */
  readonly backoffMs: number
  readonly maxBackoffMs: number
  /** How long receipts that the chain refuses (their payer's balance or cap does not cover them) stay out, in ms. */
  readonly holdMs: number
  /** What a compute unit costs on the network, in wei of HEU: units count in the emission's report only as far as they are paid (ADR 0015). */
  readonly weiPerUnit: bigint
}

export const DEFAULT_SEQUENCER_OPTIONS: SequencerOptions = {
  maxJobs: 1_000,
  maxAgeMs: 2_000,
  maxRows: 800,
  pollMs: 500,
  backoffMs: 250,
  maxBackoffMs: 15_000,
  holdMs: 15_000,
  // About 2 USD for an hour of 80 GiB, at 0.1 USD per HEU.
  weiPerUnit: 70_000_000n,
  countsOpenRoutes: false,
}

export type SequencerDependencies = {
  readonly batches: BatchStore
  readonly chain: Chain
  /** Holds the sequencer role of the settlement contract and HEU for gas. */
  readonly signer: Signer
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
}
