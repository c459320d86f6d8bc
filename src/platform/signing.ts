import { randomBytes } from 'node:crypto'
import secp256k1 from 'secp256k1'
import { type Address, bytesToHex, groupOf, HeuristError, type Hex, hexToBytes, keccakBytes, openMember } from '#protocol'

/** Signs 32-byte digests with one secp256k1 key. The key never leaves the closure. */
export type Signer = { readonly address: Address; signDigest(digest: Uint8Array): Hex }
/** `SIGNING_BAD_KEY`: not 32 bytes of hex or outside the curve's order. */
export type SigningErrorCode = 'SIGNING_BAD_KEY'

export function newPrivateKey(): Hex {
  for (;;) {
    const key = randomBytes(32)
    if (secp256k1.privateKeyVerify(key)) return bytesToHex(key)
  }
}

function addressOfPublicKey(publicKey: Uint8Array): Address {
  return bytesToHex(keccakBytes(publicKey.subarray(1)).subarray(12))
}

/** @throws HeuristError SIGNING_BAD_KEY */
export function createSigner(privateKey: Hex): Signer {
  const key = hexToBytes(privateKey)
  if (key.length !== 32 || !secp256k1.privateKeyVerify(key)) {
    throw new HeuristError<SigningErrorCode>('SIGNING_BAD_KEY', 'A private key must be 32 bytes of hex inside the order of secp256k1.')
  }
  const address = addressOfPublicKey(secp256k1.publicKeyCreate(key, false))
  return {
    address,
    signDigest(digest) {
      const { signature, recid } = secp256k1.ecdsaSign(digest, key)
      return `${bytesToHex(signature)}${(27 + recid).toString(16)}`
    },
  }
}

// Half the curve order: a larger s is the malleated twin of a signature and is refused, as the contracts do.
const HALF_ORDER = Buffer.from('7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0', 'hex')

/** The address that signed `digest`, or null when the signature is not a canonical 65-byte r‖s‖v. */
export function recoverSigner(digest: Uint8Array, signature: Hex): Address | null {
  const bytes = hexToBytes(signature)
  const recid = (bytes[64] ?? 0) - 27
  if (bytes.length !== 65 || (recid !== 0 && recid !== 1)) return null
  if (Buffer.compare(bytes.subarray(32, 64), HALF_ORDER) > 0) return null
  try {
    return addressOfPublicKey(secp256k1.ecdsaRecover(bytes.subarray(0, 64), recid, digest, false))
  } catch {
    return null
  }
}

/** Signs all digests at once: one member signature for each, in their order. @throws RangeError as `groupOf` */
export function signGroup(signer: Signer, separator: Uint8Array, digests: readonly Uint8Array[]): Hex[] {
  const group = groupOf(separator, digests)
  const signature = signer.signDigest(group.digest)
  return digests.map((_, position) => group.member(position, signature))
}

/** A group of one. */
export function signAlone(signer: Signer, separator: Uint8Array, digest: Uint8Array): Hex {
  const group = groupOf(separator, [digest])
  return group.member(0, signer.signDigest(group.digest))
}

/** The address that signed the group to which `digest` belongs, or null when `member` is not a well-formed part of one. */
export function recoverMember(separator: Uint8Array, digest: Uint8Array, member: Hex): Address | null {
  const opened = openMember(separator, digest, member)
  return opened && recoverSigner(opened.digest, opened.signature)
}
