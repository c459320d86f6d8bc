import { describe, expect, test } from 'vitest'
import { contractErrorsAbi } from '#protocol'
import { WORDS } from './errors.ts'

type ErrorEntry = { readonly name: string; readonly inputs: readonly { readonly type: string }[] }
const ENTRIES = contractErrorsAbi as readonly ErrorEntry[] // cast: only errors are in it

/** Told to other contracts, to a deployer, or to nobody: no command of ours can bring one about. */
const UNSAID = [
  'Compounder_NotCompounder',
  'DevUsd_NotADevChain',
  'RefundPot_NotSlasher',
  'RestakeAdapter_NotAllocationManager',
  'RestakeAdapter_NotRegistry',
  'RestakeAdapter_NotSlasher',
  'RestakeAdapter_WrongSet',
  'SimulatedRestaking_BadWad',
  'SimulatedRestaking_NotADevChain',
  'SimulatedRestaking_NotAuthorised',
  'SimulatedRestaking_NotMember',
  'SimulatedRestaking_NotSlashable',
  'Slasher_UnexpectedCoins',
  'ValidatorRegistry_NotSlasher',
  'Vesting_NotFactory',
  'VotingPower_OtherClock',
]

/** A value of the type, as a decoded refusal carries it. */
function sample(type: string): unknown {
  if (type === 'address') return `0x${'a1'.repeat(20)}`
  if (type.startsWith('bytes')) return `0x${'b2'.repeat(32)}`
  return /^uint8$/.test(type) ? 1 : 1_800_000_000n
}

describe('the words of refusals', () => {
  test.each(Object.keys(WORDS).filter(name => name !== 'Error'))(
    'behavior: %s is an error of the contracts and becomes a sentence',
    name => {
      const entry = ENTRIES.find(known => known.name === name)
      expect(entry, 'an error that no contract has').toBeDefined()
      const words = WORDS[name]?.((entry?.inputs ?? []).map(({ type }) => sample(type))) ?? ''
      expect(words).toMatch(/^[A-Z0-9].*\.$/)
      expect(words).not.toMatch(/undefined|NaN|null|1800000000\d/)
    },
  )

  test('behavior: every error of our own that a command can meet has words', () => {
    const ours = ENTRIES.map(({ name }) => name).filter(name => name.includes('_'))
    expect(ours.length).toBeGreaterThan(100)
    expect(ours.filter(name => WORDS[name] === undefined).sort()).toEqual(UNSAID)
  })

  test('behavior: amounts of HEU and times are told as people say them', () => {
    expect(WORDS.NodeRegistry_UnbondTooMuch?.([1n, 2n * 10n ** 18n, 10n ** 18n])).toBe(
      'Node 1 has 1 HEU of collateral, 2 HEU can not leave.',
    )
    expect(WORDS.Slasher_StillJailed?.([1n, 1_800_000_000n])).toBe('Node 1 is jailed until 2027-01-15 08:00:00 UTC (chain time).')
    expect(WORDS.Slasher_StillJailed?.([1n, 2n ** 64n - 1n])).toBe('Node 1 is jailed until the end of time.')
    expect(WORDS.CreditVault_CapExpired?.([`0x${'a1'.repeat(20)}`, '0x', 0n])).toMatch(/was never set\. Sign a new cap\.$/)
  })
})
