import type { ApiKeyRecord } from '#platform'
import { HeuristError } from '#protocol'
import type { KeyBudgetExceeded, PaymentErrorCode } from './types.ts'

/** What keys with a budget have spent and hold now, in nano-credits. */
export type KeyBudgets = {
  /** @throws HeuristError PAYMENT_KEY_BUDGET_EXCEEDED */
  reserve(key: ApiKeyRecord, credits: bigint): void
  /** Ends a reservation of which `spent` was charged. */
  settle(key: ApiKeyRecord, reserved: bigint, spent: bigint): void
}

const REMEMBERED_KEYS = 10_000

export function createKeyBudgets(): KeyBudgets {
  const usage = new Map<string, { spent: bigint; held: bigint }>()

  const usageOf = (key: ApiKeyRecord): { spent: bigint; held: bigint } => {
    const known = usage.get(key.keyId)
    if (known) {
      // The record may be newer (other processes spend, too) or older than what happened here.
      if (key.spent > known.spent) known.spent = key.spent
      return known
    }
    const fresh = { spent: key.spent, held: 0n }
    if (usage.size >= REMEMBERED_KEYS) forgetUnused(usage)
    usage.set(key.keyId, fresh)
    return fresh
  }

  return {
    reserve(key, credits) {
      if (key.budget === null) return
      const used = usageOf(key)
      if (used.spent + used.held + credits > key.budget) throw exceeded(key, key.budget, used, credits)
      used.held += credits
    },
    settle(key, reserved, spent) {
      if (key.budget === null) return
      const used = usageOf(key)
      used.held -= reserved
      used.spent += spent
    },
  }
}

/** Keys without a running job are read from their record again when they come back. */
function forgetUnused(usage: Map<string, { held: bigint }>): void {
  for (const [keyId, { held }] of usage) if (held === 0n) usage.delete(keyId)
}

function exceeded(key: ApiKeyRecord, budget: bigint, used: { spent: bigint; held: bigint }, needed: bigint): HeuristError {
  return new HeuristError<PaymentErrorCode, KeyBudgetExceeded>(
    'PAYMENT_KEY_BUDGET_EXCEEDED',
    `The API key ${key.prefix}… has used up its budget. Raise it by creating a key with a larger one, or wait until running jobs end.`,
    { payload: { keyId: key.keyId, budget, spent: used.spent, held: used.held, needed } },
  )
}
