import { recoverSigner, type Signer } from '#platform'
import {
  type Address,
  domainSeparator,
  jobDomain,
  LINK_VERSION,
  type LinkResume,
  NODE_CHALLENGE_TYPE,
  type NodeFacts,
  type NodeMessage,
  ROUTER_WELCOME_TYPE,
  type RouterMessage,
  typedDataDigest,
} from '#protocol'

export type Challenge = Extract<RouterMessage, { type: 'challenge' }>
export type Welcome = Extract<RouterMessage, { type: 'welcome' }>

/** What a node insists on; `null` accepts what the router says (and logs it). */
export type LinkPins = { readonly chainId: number; readonly settlement: Address | null; readonly router: Address | null }

/** A longer validity than this asks for a signature that could be kept and used later. */
const MAX_CHALLENGE_LIFE_MS = 10 * 60_000

/** Why the node will not answer `challenge`, with what to do; null when all is well. */
export function objectionToChallenge(challenge: Challenge, pins: LinkPins, nowMs: number): string | null {
  if (challenge.linkVersion !== LINK_VERSION) return versionAdvice(challenge.linkVersion)
  if (challenge.chainId !== pins.chainId) {
    return `The router works for chain ${challenge.chainId}, this node for chain ${pins.chainId}. Check the router address and the chain in the node's settings.`
  }
  if (pins.settlement !== null && challenge.settlement !== pins.settlement.toLowerCase()) {
    return `The router names settlement contract ${challenge.settlement}, this node expects ${pins.settlement}. Check which deployment the node belongs to.`
  }
  if (pins.router !== null && challenge.router !== pins.router.toLowerCase()) {
    return `The router is ${challenge.router}, this node is pinned to ${pins.router}. Check the router address or change the pin.`
  }
  if (challenge.expiresAtMs - nowMs > MAX_CHALLENGE_LIFE_MS) {
    return 'The router asked for a signature that stays valid for more than 10 minutes. Check the clocks of both machines.'
  }
  if (/^0x0+$/.test(challenge.nonce)) return 'The router sent a challenge without randomness (nonce 0). Do not trust this router.'
  return null
}

/** Says both versions and who has to update. */
export function versionAdvice(routerVersion: number): string {
  const older = routerVersion > LINK_VERSION ? 'this node' : 'the router'
  return `The router speaks link version ${routerVersion}, this node speaks version ${LINK_VERSION}. Update ${older}.`
}

export function linkSeparator(challenge: Challenge): Uint8Array {
  return domainSeparator(jobDomain(challenge.chainId, challenge.settlement))
}

/** Proves that the node holds its hot key; role, router and session are part of what is signed, so it is of no use elsewhere. */
export function answerChallenge(
  challenge: Challenge,
  signer: Signer,
  { facts, resume }: { readonly facts: NodeFacts; readonly resume: LinkResume | null },
): NodeMessage {
  const { router, nonce, expiresAtMs } = challenge
  const { sessionId: session, generation } = resume ?? { sessionId: '', generation: 0 }
  const message = { node: signer.address, router, role: 'node', nonce, expiresAtMs, session, generation }
  const signature = signer.signDigest(typedDataDigest(linkSeparator(challenge), NODE_CHALLENGE_TYPE, message))
  return { type: 'authenticate', nonce, signature, facts, ...(resume && { resume }) }
}

/** True when the welcome was signed by the router that sent the challenge, for this node and this nonce. */
export function isWelcomeSigned(welcome: Welcome, challenge: Challenge, nodeId: Address): boolean {
  const { router, nonce, expiresAtMs } = challenge
  const digest = typedDataDigest(linkSeparator(challenge), ROUTER_WELCOME_TYPE, { node: nodeId, router, nonce, expiresAtMs })
  return recoverSigner(digest, welcome.signature) === router
}
