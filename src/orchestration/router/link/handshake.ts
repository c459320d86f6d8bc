import { bytesToHex, LINK_VERSION, type NodeId, type NodeMessage, type RouterMessage } from '#protocol'
import type { LinkErrorCode } from '../errors.ts'
import type { RouterDependencies, RouterOptions } from '../options.ts'
import { type Challenge, isChallengeSigned } from './challenge.ts'

/** Why a link ends, in the words that the peer is sent. */
export type Refusal = readonly [code: LinkErrorCode, message: string]

// Longer-lived challenges would let a stolen signature wait; DESIGN §8 sets a minute.
const MAX_CHALLENGE_MS = 60_000

/** A challenge that only this link can answer. */
export function newChallenge({ challengeMs }: Pick<RouterOptions, 'challengeMs'>, dependencies: RouterDependencies): Challenge {
  const { signer, clock, random } = dependencies
  const expiresAtMs = clock.now() + Math.min(challengeMs, MAX_CHALLENGE_MS)
  return { router: signer.address, nonce: bytesToHex(random(32)), expiresAtMs }
}

export function challengeMessage(challenge: Challenge, { domain }: Pick<RouterDependencies, 'domain'>): RouterMessage {
  return { type: 'challenge', linkVersion: LINK_VERSION, ...challenge, chainId: domain.chainId, settlement: domain.settlement }
}

/** What is wrong with a `hello`; null when nothing is. */
export function helloRefusal(message: Extract<NodeMessage, { type: 'hello' }>, chainId: number): Refusal | null {
  if (message.linkVersion !== LINK_VERSION) {
    const versions = `The node speaks link version ${message.linkVersion}, this router speaks ${LINK_VERSION}.`
    return ['LINK_VERSION', `${versions} Update the ${message.linkVersion < LINK_VERSION ? 'node' : 'router'}.`]
  }
  if (message.chainId === chainId) return null
  return ['LINK_WRONG_CHAIN', `The node is set to chain ${message.chainId}, this router settles on chain ${chainId}.`]
}

/** What is wrong with an `authenticate`; null when `claimed` holds the key that it says it does. */
export function authenticationRefusal(
  message: Extract<NodeMessage, { type: 'authenticate' }>,
  expected: { readonly challenge: Challenge; readonly separator: Uint8Array; readonly claimed: NodeId | null; readonly nowMs: number },
): Refusal | null {
  const { challenge, separator, claimed, nowMs } = expected
  if (claimed === null) return ['LINK_UNEXPECTED', 'The node authenticated before it said hello.']
  if (nowMs > challenge.expiresAtMs) return ['LINK_CHALLENGE_EXPIRED', 'The challenge was answered too late. Connect again.']
  if (message.nonce === challenge.nonce && isChallengeSigned(separator, challenge, { ...message, node: claimed })) return null
  return ['LINK_UNAUTHORIZED', "The challenge of this link was not signed by the node's key."]
}
