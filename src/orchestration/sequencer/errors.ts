export type SequencerErrorCode =
  /** A receipt can not be part of any batch: its split does not add up, its asset or a role is unknown. */
  | 'SEQUENCER_BAD_RECEIPT'
  /** The chain has a batch that this sequencer did not form; it stops rather than build on a foreign history. */
  | 'SEQUENCER_FOREIGN_BATCH'
  /** The batches of the database do not link to each other; it stops. */
  | 'SEQUENCER_BROKEN_HISTORY'
