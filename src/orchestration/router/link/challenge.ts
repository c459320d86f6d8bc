import { recoverSigner, type Signer } from '#platform'
import {
  type Address,
  type Bytes32,
  type Hex,
  type LinkResume,
  NODE_CHALLENGE_TYPE,
  type NodeId,
  ROUTER_WELCOME_TYPE,
  typedDataDigest,
} from '#protocol'

/** What a router asks a node to sign. The nonce is of this link alone, so a signature can not be used twice. */
export type Challenge = { readonly router: Address; readonly nonce: Bytes32; readonly expiresAtMs: number }

/** The session that the node comes back to; absent: it wants a new one. It is signed for, so that nobody else can ask for it. */
type Resume = Pick<LinkResume, 'sessionId' | 'generation'> | undefined

function challengeMessage(challenge: Challenge, node: NodeId, resume: Resume): Record<string, unknown> {
  const { router, nonce, expiresAtMs } = challenge
  return { node, router, role: 'node', nonce, expiresAtMs, session: resume?.sessionId ?? '', generation: resume?.generation ?? 0 }
}

/** What a node answers a challenge with. */
export function signChallenge(separator: Uint8Array, challenge: Challenge, signer: Signer, resume?: Resume): Hex {
  return signer.signDigest(typedDataDigest(separator, NODE_CHALLENGE_TYPE, challengeMessage(challenge, signer.address, resume)))
}

export type ChallengeAnswer = { readonly node: NodeId; readonly signature: Hex; readonly resume?: Resume }

/** True when `node` signed this very challenge, and for this session, under this chain's domain. */
export function isChallengeSigned(separator: Uint8Array, challenge: Challenge, { node, signature, resume }: ChallengeAnswer): boolean {
  return recoverSigner(typedDataDigest(separator, NODE_CHALLENGE_TYPE, challengeMessage(challenge, node, resume)), signature) === node
}

/** The router's half: proves to the node that it speaks to the holder of the router key, now. */
export function signWelcome(separator: Uint8Array, challenge: Challenge, node: NodeId, signer: Signer): Hex {
  const { nonce, expiresAtMs } = challenge
  return signer.signDigest(typedDataDigest(separator, ROUTER_WELCOME_TYPE, { node, router: signer.address, nonce, expiresAtMs }))
}
