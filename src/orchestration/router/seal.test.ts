import { describe, expect, test } from 'vitest'
import { createSigner, newPrivateKey, recoverMember, type Signer } from '#platform'
import { keccakBytes } from '#protocol'
import { createSealer } from './seal.ts'

const separator = keccakBytes(Buffer.from('a domain'))
const digestOf = (text: string): Uint8Array => keccakBytes(Buffer.from(text))

/** A signer that counts. */
function countingSigner(): { signer: Signer; count: () => number } {
  const inner = createSigner(newPrivateKey())
  let count = 0
  const signDigest = (digest: Uint8Array) => {
    count += 1
    return inner.signDigest(digest)
  }
  return { signer: { address: inner.address, signDigest }, count: () => count }
}

describe('seal', () => {
  test('default: nothing is signed until one is read, and then all of them at once', () => {
    const { signer, count } = countingSigner()
    const sealer = createSealer(signer, separator)
    const digests = ['one', 'two', 'three'].map(digestOf)
    const seals = digests.map(sealer.seal)
    expect(count()).toBe(0)
    for (const [i, seal] of seals.entries()) expect(recoverMember(separator, digests[i]!, seal()), String(i)).toBe(signer.address)
    expect(count()).toBe(1)
    expect(seals[1]!()).toBe(seals[1]!())
    expect(recoverMember(separator, digestOf('later'), sealer.seal(digestOf('later'))())).toBe(signer.address)
    expect(count()).toBe(2)
  })

  test('behavior: what nobody reads is signed too when a group is full, so that nothing piles up', () => {
    const { signer, count } = countingSigner()
    const sealer = createSealer(signer, separator)
    const digests = Array.from({ length: 150 }, (_, i) => digestOf(`message ${i}`))
    const seals = digests.map(sealer.seal)
    expect(count()).toBe(2)
    for (const [i, seal] of seals.entries()) expect(recoverMember(separator, digests[i]!, seal()), String(i)).toBe(signer.address)
    expect(count()).toBe(3)
  })
})
