import type { Clock, StoredReceipt } from '#platform'

/** Holds grow to this many times the first one. */
const MAX_HOLD_FACTOR = 40

/** What stays out of batches for a while: an account in one asset, or a single receipt. */
export type Holds = {
  isHeld(receipt: StoredReceipt): boolean
  /** Holds for `holdMs`, each further time for twice as long. Answers for how long, in ms. */
  hold(key: string): number
}

export const accountKey = (account: string, asset: string): string => `${account}:${asset}`
export const receiptKey = (receipt: StoredReceipt): string => receipt.jobId

export function createHolds(options: { holdMs: number }, { clock }: { clock: Clock }): Holds {
  const holds = new Map<string, { untilMs: number; holdMs: number }>()
  const live = (key: string): boolean => (holds.get(key)?.untilMs ?? Number.NEGATIVE_INFINITY) > clock.now()
  return {
    isHeld(receipt) {
      const { payer, asset } = receipt.signed.receipt
      return live(accountKey(payer, asset)) || live(receiptKey(receipt))
    },
    hold(key) {
      const holdMs = Math.min((holds.get(key)?.holdMs ?? options.holdMs / 2) * 2, options.holdMs * MAX_HOLD_FACTOR)
      holds.set(key, { untilMs: clock.now() + holdMs, holdMs })
      return holdMs
    },
  }
}
