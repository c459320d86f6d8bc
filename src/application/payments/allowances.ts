import type { Clock, LedgerEvent, LedgerStore, Logger } from '#platform'
import { type Address, type CreditPool, isHeuristError, messageOf } from '#protocol'
import { type AllowanceOwner, allowanceAccount, creditsAccount, creditUnitOf } from './accounts.ts'
import { addPools, EMPTY_POOL, greater, portionOf, subtractPools } from './credit-pool.ts'
import { leaseEvent, returnEvent } from './ledger.ts'

export type AllowanceOptions = {
  readonly owner: AllowanceOwner
  /** Nano-credits leased at a time (default 100 credits). */
  readonly chunkNanoCredits?: bigint
  /** An allowance that nobody used for so long goes back, in ms (default 30,000). */
  readonly idleMs?: number
}

/** Spending money in memory, leased from the ledger in chunks: one commit serves many jobs. */
export type Allowances = {
  /** Sets `credits` of one asset aside, or answers null when the account has too little of it. */
  take(account: Address, asset: Address, credits: bigint): Promise<CreditPool | null>
  /** Ends what was taken: `used` is gone, the rest is free again. */
  settle(account: Address, asset: Address, parts: { readonly taken: CreditPool; readonly used: CreditPool }): void
  /** Free and taken money of this process. */
  inMemory(account: Address, asset: Address): { readonly free: CreditPool; readonly held: CreditPool }
  /** There is new money: the ledger is asked again at once. */
  wake(account: Address, asset: Address): void
  /** Returns everything unused. */
  stop(): Promise<void>
}

type Allowance = {
  free: CreditPool
  held: CreditPool
  usedAtMs: number
  /** Until then the account is known to have nothing more to lease. */
  emptyUntilMs: number
  /** Counts the times that new money was announced. */
  wakes: number
  /** A lease or return under way; one at a time. */
  busy: Promise<unknown> | null
  /** An event whose fate an outage hid. It is written again, under the same id, before anything else. */
  unsure: { readonly event: LedgerEvent; readonly gain: CreditPool } | null
}

const DEFAULT_CHUNK_NANO_CREDITS = 100_000_000_000n
const DEFAULT_IDLE_MS = 30_000
const EMPTY_FOR_MS = 1_000
const OVERDRAWN_TRIES = 5

export function createAllowances(
  options: AllowanceOptions,
  dependencies: { ledger: LedgerStore; clock: Clock; logger: Logger },
): Allowances {
  const { ledger, clock, logger } = dependencies
  const { owner, chunkNanoCredits: chunk = DEFAULT_CHUNK_NANO_CREDITS, idleMs = DEFAULT_IDLE_MS } = options
  const allowances = new Map<string, Allowance>()
  let moves = 0
  let stopped = false
  let cancelSweep = clock.after(idleMs, sweep)

  function allowanceOf(account: Address, asset: Address): Allowance {
    const key = `${account}/${asset}`
    let found = allowances.get(key)
    if (!found) {
      found = { free: EMPTY_POOL, held: EMPTY_POOL, usedAtMs: clock.now(), emptyUntilMs: 0, wakes: 0, busy: null, unsure: null }
      allowances.set(key, found)
    }
    return found
  }

  function exclusively<T>(allowance: Allowance, work: () => Promise<T>): Promise<T> {
    const running = work().finally(() => {
      allowance.busy = null
    })
    allowance.busy = running
    return running
  }

  async function write(allowance: Allowance, event: LedgerEvent, gain: CreditPool): Promise<void> {
    allowance.unsure = { event, gain }
    try {
      await ledger.append([event])
    } catch (error) {
      if (!isHeuristError(error) || !error.retryable) allowance.unsure = null
      throw error
    }
    allowance.unsure = null
    allowance.free = addPools(allowance.free, gain)
  }

  async function settleUnsure(allowance: Allowance): Promise<void> {
    if (allowance.unsure) await write(allowance, allowance.unsure.event, allowance.unsure.gain)
  }

  async function balanceOf(name: string, asset: Address): Promise<CreditPool> {
    const [amount, credits] = await Promise.all([ledger.balance(name, asset), ledger.balance(name, creditUnitOf(asset))])
    return { amount, credits }
  }

  /** Leases enough to make `wanted` free; false when the account does not have it. */
  async function lease(account: Address, asset: Address, wanted: bigint): Promise<boolean> {
    const allowance = allowanceOf(account, asset)
    await settleUnsure(allowance)
    for (let attempt = 1; ; attempt++) {
      const wakes = allowance.wakes
      const { amount, credits } = await balanceOf(creditsAccount(account), asset)
      if (amount === 0n || credits === 0n) {
        // Unless money came while the empty account was being read.
        if (allowance.wakes === wakes) allowance.emptyUntilMs = clock.now() + EMPTY_FOR_MS
        return false
      }
      // Leasing what can not suffice would only shut other processes out of it.
      if (allowance.free.credits + credits < wanted) return false
      const missing = wanted - allowance.free.credits
      const pool = portionOf({ amount, credits }, greater(missing, chunk))
      try {
        await write(allowance, leaseEvent({ owner, account, asset, pool, id: String(++moves), atMs: clock.now() }), pool)
        return true
      } catch (error) {
        // Another process leased in between: look again.
        if (!isHeuristError(error, 'LEDGER_OVERDRAWN') || attempt === OVERDRAWN_TRIES) throw error
      }
    }
  }

  async function giveBack(account: Address, asset: Address): Promise<void> {
    const allowance = allowanceOf(account, asset)
    await settleUnsure(allowance)
    const free = allowance.free
    // Emptied before the first await, so that nobody takes what is on its way back.
    allowance.free = EMPTY_POOL
    try {
      // With nothing held the ledger knows best: it also has what an outage or a crash kept from this memory.
      const pool = allowance.held.credits === 0n ? await balanceOf(allowanceAccount(owner, account), asset) : free
      if (pool.credits === 0n && pool.amount === 0n) return
      await write(allowance, returnEvent({ owner, account, asset, pool, id: String(++moves), atMs: clock.now() }), EMPTY_POOL)
    } catch (error) {
      if (!allowance.unsure) allowance.free = addPools(allowance.free, free)
      throw error
    }
  }

  /** Before the allowance runs dry, so that no job waits for a commit. */
  function refill(account: Address, asset: Address, allowance: Allowance): void {
    if (stopped || allowance.busy || allowance.free.credits * 2n >= chunk || clock.now() < allowance.emptyUntilMs) return
    exclusively(allowance, () => lease(account, asset, allowance.free.credits + 1n)).catch(error => {
      logger.warn({ account, reason: messageOf(error) }, 'an allowance was not refilled')
    })
  }

  async function take(account: Address, asset: Address, credits: bigint): Promise<CreditPool | null> {
    for (;;) {
      // Looked up in every round: an idle allowance may have been given back and dropped meanwhile.
      const allowance = allowanceOf(account, asset)
      allowance.usedAtMs = clock.now()
      const part = portionOf(allowance.free, credits)
      if (part.credits >= credits && part.amount > 0n) {
        allowance.free = subtractPools(allowance.free, part)
        allowance.held = addPools(allowance.held, part)
        refill(account, asset, allowance)
        return part
      }
      if (allowance.busy) {
        await allowance.busy
        continue
      }
      if (stopped || clock.now() < allowance.emptyUntilMs) return null
      if (!(await exclusively(allowance, () => lease(account, asset, credits)))) return null
    }
  }

  function sweep(): void {
    const nowMs = clock.now()
    for (const [key, allowance] of allowances) {
      if (allowance.busy || allowance.held.credits > 0n || nowMs - allowance.usedAtMs < idleMs) continue
      const [account, asset] = key.split('/') as [Address, Address] // cast: made by allowanceOf
      exclusively(allowance, () => giveBack(account, asset)).then(
        () => {
          if (allowance.free.credits === 0n && allowance.held.credits === 0n && !allowance.busy && !allowance.unsure) allowances.delete(key)
        },
        error => logger.warn({ account, reason: messageOf(error) }, 'an idle allowance was not returned yet'),
      )
    }
    cancelSweep = clock.after(idleMs, sweep)
  }

  return {
    take,
    settle(account, asset, { taken, used }) {
      const allowance = allowanceOf(account, asset)
      allowance.held = subtractPools(allowance.held, taken)
      allowance.free = addPools(allowance.free, subtractPools(taken, used))
    },
    inMemory(account, asset) {
      const found = allowances.get(`${account}/${asset}`)
      return { free: found?.free ?? EMPTY_POOL, held: found?.held ?? EMPTY_POOL }
    },
    wake(account, asset) {
      const found = allowances.get(`${account}/${asset}`)
      if (!found) return
      found.emptyUntilMs = 0
      found.wakes++
    },
    async stop() {
      stopped = true
      cancelSweep()
      for (const [key, allowance] of allowances) {
        const [account, asset] = key.split('/') as [Address, Address] // cast: made by allowanceOf
        await allowance.busy?.catch(() => undefined)
        await exclusively(allowance, () => giveBack(account, asset)).catch(error => {
          logger.warn({ account, reason: messageOf(error) }, 'an allowance was not returned; the next start does it')
        })
      }
    },
  }
}
