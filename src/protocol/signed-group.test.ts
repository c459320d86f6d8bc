import { hashTypedData } from 'viem'
import { describe, expect, test } from 'vitest'
import type { Hex } from './ids.ts'
import { bytesToHex, keccakBytes } from './keccak.ts'
import { GROUP_TYPE, groupOf, MAX_GROUP, openMember } from './signed-group.ts'
import { domainSeparator, jobDomain } from './typed-data.ts'

const domain = jobDomain(31_337, `0x${'a'.repeat(40)}`)
const separator = domainSeparator(domain)
const signature: Hex = `0x${'5c'.repeat(65)}`
const digestsOf = (count: number): Uint8Array[] => Array.from({ length: count }, (_, i) => keccakBytes(Buffer.from(`message ${i}`)))

function flipped(hex: Hex, at: number): Hex {
  const digit = (Number.parseInt(hex[at]!, 16) ^ 1).toString(16)
  return `${hex.slice(0, at)}${digit}${hex.slice(at + 1)}` as Hex // cast: one hex digit for another
}

describe('signed group', () => {
  test.each([1, 2, 3, 5, 8, 13, 64, 100])('default: each of %i members leads back to what was signed', count => {
    const digests = digestsOf(count)
    const group = groupOf(separator, digests)
    for (const [position, digest] of digests.entries()) {
      const opened = openMember(separator, digest, group.member(position, signature))
      expect(opened && bytesToHex(opened.digest), String(position)).toBe(bytesToHex(group.digest))
      expect(opened?.signature, String(position)).toBe(signature)
    }
  })

  test('behavior: a group of one has an empty proof, and its digest is that of another EIP-712 implementation', () => {
    const [digest] = digestsOf(1)
    const group = groupOf(separator, [digest!])
    expect(group.member(0, signature)).toBe(`${signature}00000001`)
    const types = { Group: GROUP_TYPE.fields.map(([name, type]) => ({ name, type })) }
    const message = { root: bytesToHex(digest!), count: 1 }
    expect(bytesToHex(group.digest)).toBe(hashTypedData({ domain, types, primaryType: 'Group', message }))
  })

  test('error: another member, another domain, or a flipped digit of count and proof leads elsewhere or nowhere', () => {
    const digests = digestsOf(11)
    const group = groupOf(separator, digests)
    const member = group.member(4, signature)
    const leadsTo = (digest: Uint8Array, text: Hex, domainBytes = separator): string | null => {
      const opened = openMember(domainBytes, digest, text)
      return opened && bytesToHex(opened.digest)
    }
    const signed = bytesToHex(group.digest)
    expect(leadsTo(digests[4]!, member)).toBe(signed)
    expect(leadsTo(digests[5]!, member)).not.toBe(signed)
    expect(leadsTo(digests[4]!, member, domainSeparator(jobDomain(1, `0x${'a'.repeat(40)}`)))).not.toBe(signed)
    for (let at = 2 + 130; at < member.length; at++) expect(leadsTo(digests[4]!, flipped(member, at)), String(at)).not.toBe(signed)
  })

  test('error: an inner node does not pass for a member, whatever it claims', () => {
    const digests = digestsOf(4)
    const group = groupOf(separator, digests)
    const member = group.member(0, signature)
    const inner = keccakBytes(Buffer.concat([digests[0]!, digests[1]!].toSorted(Buffer.compare)))
    const shorter = `${member.slice(0, 2 + 138)}${member.slice(2 + 138 + 64)}` as Hex // cast: whole words were cut out
    expect(openMember(separator, inner, shorter)).toBeNull()
  })

  test('error: no members, too many, and texts of a wrong length are refused', () => {
    expect(() => groupOf(separator, [])).toThrow(RangeError)
    expect(() => groupOf(separator, digestsOf(MAX_GROUP + 1))).toThrow(RangeError)
    const member = groupOf(separator, digestsOf(2)).member(0, signature)
    const bad = ['0x', signature, `${signature}00000000`, `${signature}00000002`, member.slice(0, -1), member.slice(0, -2), `${member}00`]
    const proof = 'ab'.repeat(32)
    const huge = [`${signature}ffffffff${proof.repeat(32)}`, `${signature}00000001${proof}`, `${signature}00000003${proof.repeat(3)}`]
    for (const text of [...bad, ...huge, `${member.slice(0, -2)}zz`]) {
      expect(openMember(separator, digestsOf(2)[0]!, text as Hex), text).toBeNull() // cast: wrong on purpose
    }
  })
})
