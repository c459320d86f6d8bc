import { describe, expect, test } from 'vitest'
import { contractErrorsAbi } from '#protocol'
import { ECONOMY_WORDS } from './economy-words.ts'

type ErrorEntry = { readonly name: string; readonly inputs: readonly { readonly type: string }[] }

/** A value of the type, as a decoded refusal carries it. */
function sample(type: string): unknown {
  if (type === 'address') return `0x${'a1'.repeat(20)}`
  if (type.startsWith('bytes')) return `0x${'b2'.repeat(32)}`
  return /^uint8$/.test(type) ? 1 : 1_800_000_000n
}

describe('ECONOMY_WORDS', () => {
  const entries = contractErrorsAbi as readonly ErrorEntry[] // cast: only errors are in it
  test.each(Object.keys(ECONOMY_WORDS))('behavior: %s is an error of the contracts and becomes a sentence', name => {
    const entry = entries.find(known => known.name === name)
    expect(entry, 'an error that no contract has').toBeDefined()
    const words = ECONOMY_WORDS[name]?.((entry?.inputs ?? []).map(({ type }) => sample(type))) ?? ''
    expect(words).toMatch(/^[A-Z0-9].*\.$/)
    expect(words).not.toMatch(/undefined|NaN|null|1800000000\d/)
  })
})
