import { recoverSigner, type Signer } from '#platform'
import { type Address, type Bytes32, type Hex, NODE_CHALLENGE_TYPE, type NodeId, ROUTER_WELCOME_TYPE, typedDataDigest } from '#protocol'

/** What a router asks a node to sign. The nonce is of this link alone, so a signature can not be used twice. */
export type Challenge = { readonly router: Address; readonly nonce: Bytes32; readonly expiresAtMs: number }

function challengeMessage(challenge: Challenge, node: NodeId): Record<string, unknown> {
  return { node, router: challenge.router, role: 'node', nonce: challenge.nonce, expiresAtMs: challenge.expiresAtMs }
}

/** What a node answers a challenge with. */
export function signChallenge(separator: Uint8Array, challenge: Challenge, signer: Signer): Hex {
  return signer.signDigest(typedDataDigest(separator, NODE_CHALLENGE_TYPE, challengeMessage(challenge, signer.address)))
}

/** True when `node` signed this very challenge under this chain's domain. */
export function isChallengeSignedBy(separator: Uint8Array, challenge: Challenge, node: NodeId, signature: Hex): boolean {
  return recoverSigner(typedDataDigest(separator, NODE_CHALLENGE_TYPE, challengeMessage(challenge, node)), signature) === node
}

/** The router's half: proves to the node that it speaks to the holder of the router key, now. */
export function signWelcome(separator: Uint8Array, challenge: Challenge, node: NodeId, signer: Signer): Hex {
  const { nonce, expiresAtMs } = challenge
  return signer.signDigest(typedDataDigest(separator, ROUTER_WELCOME_TYPE, { node, router: signer.address, nonce, expiresAtMs }))
}
