import { describe, expect, test } from 'vitest'
import { createSigner, newPrivateKey } from '#platform'
import { domainSeparator, jobDomain, LINK_VERSION } from '#protocol'
import { factsHosting } from '../testing/fake-node.ts'
import { signChallenge } from './challenge.ts'
import { authenticationRefusal, helloRefusal } from './handshake.ts'

const separator = domainSeparator(jobDomain(1, `0x${'5'.repeat(40)}`))
const node = createSigner(newPrivateKey())
const challenge = { router: createSigner(newPrivateKey()).address, nonce: `0x${'a'.repeat(64)}`, expiresAtMs: 1000 } as const
const message = {
  type: 'authenticate',
  nonce: challenge.nonce,
  signature: signChallenge(separator, challenge, node),
  facts: factsHosting([]),
} as const
const judge = (changes: Partial<typeof message> = {}, expected: Partial<Parameters<typeof authenticationRefusal>[1]> = {}) =>
  authenticationRefusal({ ...message, ...changes }, { challenge, separator, claimed: node.address, nowMs: 1000, ...expected })?.[0] ?? null

describe('handshake', () => {
  test('default: the holder of the key is let in until the challenge expires', () => {
    expect(judge()).toBeNull()
    expect(judge({}, { nowMs: 1001 })).toBe('LINK_CHALLENGE_EXPIRED')
  })

  test('behavior: everything that was signed counts: key, router, nonce, expiry, chain and contract', () => {
    const other = createSigner(newPrivateKey()).address
    expect(judge({}, { claimed: other })).toBe('LINK_UNAUTHORIZED')
    expect(judge({}, { challenge: { ...challenge, router: other } })).toBe('LINK_UNAUTHORIZED')
    expect(judge({}, { challenge: { ...challenge, expiresAtMs: 2000 } })).toBe('LINK_UNAUTHORIZED')
    expect(judge({}, { challenge: { ...challenge, nonce: `0x${'b'.repeat(64)}` } })).toBe('LINK_UNAUTHORIZED')
    expect(judge({}, { separator: domainSeparator(jobDomain(2, `0x${'5'.repeat(40)}`)) })).toBe('LINK_UNAUTHORIZED')
    expect(judge({}, { claimed: null })).toBe('LINK_UNEXPECTED')
  })

  test('behavior: a version refusal says who should update', () => {
    const hello = { type: 'hello', linkVersion: LINK_VERSION, nodeId: node.address, chainId: 1 } as const
    expect(helloRefusal(hello, 1)).toBeNull()
    expect(helloRefusal({ ...hello, linkVersion: LINK_VERSION - 1 }, 1)?.[1]).toMatch(/Update the node/)
    expect(helloRefusal({ ...hello, linkVersion: LINK_VERSION + 1 }, 1)?.[1]).toMatch(/Update the router/)
  })
})
