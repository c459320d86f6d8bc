import { describe, expect, test } from 'vitest'
import { createSigner, newPrivateKey, silentLogger, systemClock } from '#platform'
import { ZERO_ADDRESS } from '#protocol'
import { ensureRegistered, type NodeRegistration } from './registration.ts'

const signer = createSigner(newPrivateKey())

/** A registry in memory that fails as often as it is told. */
function registry(failures: { read?: number; register?: number; forgets?: number } = {}) {
  const state = { registered: false, registrations: 0, reads: 0 }
  let { read = 0, register = 0, forgets = 0 } = failures
  const registration: NodeRegistration = {
    async read() {
      state.reads += 1
      if (read-- > 0) throw new Error('the chain does not answer')
      const { registered } = state
      return { registered, jailed: false, owner: ZERO_ADDRESS, collateral: registered ? 10n : 0n, minimumCollateral: 10n }
    },
    async register() {
      state.registrations += 1
      if (register-- > 0) throw new Error('insufficient funds')
      state.registered = forgets-- <= 0
    },
  }
  return { registration, state }
}

const run = (registration: NodeRegistration, signal = new AbortController().signal) =>
  ensureRegistered({ registration, signer, clock: systemClock, random: () => 0, logger: silentLogger }, signal)

describe('ensureRegistered', () => {
  test('default: registers once, and not again at the next start', async () => {
    const { registration, state } = registry()
    expect(await run(registration)).toMatchObject({ registered: true, collateral: 10n })
    await run(registration)
    expect(state.registrations).toBe(1)
  })

  test('behavior: goes on trying while the chain is down, the owner has no funds, or the transaction is not seen', async () => {
    const { registration, state } = registry({ read: 2, register: 2, forgets: 1 })
    expect(await run(registration)).toMatchObject({ registered: true })
    expect(state.registrations).toBe(4)
  })

  test('error: ends when the node stops', async () => {
    const stop = new AbortController()
    const { registration } = registry({ read: Number.POSITIVE_INFINITY })
    const work = ensureRegistered({ registration, signer, clock: systemClock, random: () => 0.9, logger: silentLogger }, stop.signal)
    stop.abort(new Error('stopping'))
    await expect(work).rejects.toThrow('stopping')
  })
})
