import { privateKeyToAccount } from 'viem/accounts'
import { describe, expect, test } from 'vitest'
import { hexToBytes, keccakBytes } from '#protocol'
import { createSigner, newPrivateKey, recoverMember, recoverSigner, signAlone, signGroup } from './signing.ts'

const digest = keccakBytes(Buffer.from('a digest'))

describe('signing', () => {
  test('behavior: address and signature are those of another implementation', async () => {
    const key = newPrivateKey()
    const account = privateKeyToAccount(key)
    const signer = createSigner(key)
    expect(signer.address).toBe(account.address.toLowerCase())
    expect(signer.signDigest(digest)).toBe(await account.sign({ hash: `0x${Buffer.from(digest).toString('hex')}` }))
  })

  test('behavior: a signature names its signer, and another digest another one', () => {
    const signer = createSigner(newPrivateKey())
    const signature = signer.signDigest(digest)
    expect(recoverSigner(digest, signature)).toBe(signer.address)
    expect(recoverSigner(keccakBytes(Buffer.from('another')), signature)).not.toBe(signer.address)
  })

  test('error: malleated, short, zero and wrong-v signatures are nobody', () => {
    const signature = createSigner(newPrivateKey()).signDigest(digest)
    const bytes = hexToBytes(signature)
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
    const s = BigInt(`0x${Buffer.from(bytes.subarray(32, 64)).toString('hex')}`)
    const malleated =
      `0x${Buffer.from(bytes.subarray(0, 32)).toString('hex')}${(order - s).toString(16).padStart(64, '0')}${bytes[64] === 27 ? '1c' : '1b'}` as const
    for (const bad of [
      malleated,
      signature.slice(0, 130),
      `0x${'00'.repeat(65)}`,
      `${signature.slice(0, -2)}1d`,
      `${signature.slice(0, -2)}00`,
    ] as const) {
      expect(recoverSigner(digest, bad as `0x${string}`), bad).toBeNull() // cast: wrong on purpose
    }
  })

  test('error: a key outside the curve is refused with what to do', () => {
    for (const bad of [`0x${'00'.repeat(32)}`, `0x${'ff'.repeat(32)}`, '0x12'] as const) expect(() => createSigner(bad)).toThrow(/32 bytes/)
  })

  test('behavior: one signature stands for each member of its group and for nobody else', () => {
    const separator = keccakBytes(Buffer.from('a domain'))
    const signer = createSigner(newPrivateKey())
    const digests = ['one', 'two', 'three', 'four', 'five'].map(text => keccakBytes(Buffer.from(text)))
    const members = signGroup(signer, separator, digests)
    expect(new Set(members.map(member => member.slice(0, 132))).size).toBe(1)
    for (const [i, member] of members.entries()) {
      expect(recoverMember(separator, digests[i]!, member), String(i)).toBe(signer.address)
      expect(recoverMember(separator, digest, member), String(i)).not.toBe(signer.address)
    }
    expect(recoverMember(separator, digest, signAlone(signer, separator, digest))).toBe(signer.address)
    expect(recoverMember(separator, digest, signer.signDigest(digest)), 'a bare signature is no member').toBeNull()
  })
})
