import type { WebSocket } from 'ws'
import {
  bytesToHex,
  decodeFrames,
  encodeMessage,
  type Frame,
  isHeuristError,
  LINK_VERSION,
  type NodeFacts,
  type NodeId,
  type NodeMessage,
  type PodRecord,
  parseNodeMessage,
  type RouterMessage,
} from '#protocol'
import type { LinkErrorCode } from '../errors.ts'
import type { RouterDependencies, RouterOptions } from '../options.ts'
import { type Challenge, isChallengeSignedBy, signWelcome } from './challenge.ts'
import { createRateLimit } from './rate-limit.ts'

/** Messages about a lease; the rest of the link protocol ends here. */
export type LeaseMessage = Extract<NodeMessage, { leaseId: unknown }>

/** One authenticated link. */
export type Session = {
  readonly sessionId: string
  readonly nodeId: NodeId
  readonly connectedAtMs: number
  readonly lastSeenAtMs: number
  send(text: string): void
  /** Counts a message that belongs to no live lease; too many close the link. */
  countStray(): void
  close(code: LinkErrorCode, message: string): void
}

export type SessionEvents = {
  joined(session: Session, facts: NodeFacts): void
  facts(session: Session, facts: NodeFacts): void
  leaseMessage(session: Session, message: LeaseMessage): void
  frames(session: Session, frames: readonly Frame[]): void
  /** Once per socket; `session` is null when it never authenticated. */
  closed(session: Session | null): void
}

export type SessionContext = {
  readonly options: RouterOptions
  readonly dependencies: RouterDependencies
  readonly separator: Uint8Array
  readonly events: SessionEvents
  readonly pods: () => readonly PodRecord[]
  readonly countClose: (code: LinkErrorCode) => void
}

/** WebSocket close codes of the private range, by what an operator should do about them. */
const CLOSE_CODES: Record<LinkErrorCode, number> = {
  LINK_VERSION: 4400,
  LINK_WRONG_CHAIN: 4400,
  LINK_UNEXPECTED: 4400,
  LINK_MALFORMED: 4400,
  LINK_UNAUTHORIZED: 4401,
  LINK_FOREIGN_LEASE: 4403,
  LINK_CHALLENGE_EXPIRED: 4408,
  LINK_SILENT: 4408,
  LINK_FENCED: 4409,
  LINK_TOO_LARGE: 4413,
  LINK_RATE_LIMITED: 4429,
  LINK_SLOW: 4429,
  LINK_FULL: 4503,
  LINK_STOPPING: 4503,
}
// A peer that does not finish the closing handshake is cut; ws itself waits 30 s.
const CLOSE_WAIT_MS = 1000

/** Says why, closes, and makes sure that the socket goes away. */
export function refuse(socket: WebSocket, code: LinkErrorCode, message: string, after: RouterDependencies['clock']['after']): void {
  if (socket.readyState === socket.OPEN) socket.send(encodeMessage({ type: 'refused', code, message }))
  socket.on('error', () => socket.terminate())
  socket.close(CLOSE_CODES[code], code)
  const cancel = after(CLOSE_WAIT_MS, () => socket.terminate())
  socket.once('close', cancel)
}

/**
 * Drives one socket from the first byte to the last: challenge at once, then `hello` and `authenticate`, then lease traffic.
 * Everything a peer sends is hostile until proven otherwise; a violation closes this link and nothing else.
 */
export function runSession(socket: WebSocket, context: SessionContext): void {
  const { options, dependencies, separator, events } = context
  const { clock, random, signer, domain, logger } = dependencies
  const challenge: Challenge = {
    router: signer.address,
    nonce: bytesToHex(random(32)),
    expiresAtMs: clock.now() + Math.min(options.challengeMs, 60_000),
  }
  let claimed: NodeId | null = null
  let session: Session | null = null
  let lastSeenAtMs = clock.now()
  let closing = false
  const allowStray = createRateLimit({ perSecond: options.strayMessagesPerSecond, burst: options.strayMessageBurst }, clock.now())
  let cancelTimer = clock.after(Math.min(options.challengeMs, 60_000), () =>
    close('LINK_CHALLENGE_EXPIRED', `No signed challenge came within ${options.challengeMs} ms.`),
  )

  function close(code: LinkErrorCode, message: string): void {
    if (closing) return
    closing = true
    cancelTimer()
    context.countClose(code)
    logger.warn({ code, nodeId: session?.nodeId ?? claimed }, message)
    refuse(socket, code, message, clock.after)
    leave()
  }

  function leave(): void {
    const left = session
    session = null
    closing = true
    events.closed(left)
  }

  function send(text: string): void {
    if (closing) return
    socket.send(text)
    if (socket.bufferedAmount > options.maxSendBufferBytes) {
      close('LINK_SLOW', `The node left ${socket.bufferedAmount} bytes unread.`)
    }
  }

  function watchHeartbeat(): void {
    cancelTimer = clock.after(options.heartbeatTimeoutMs, () => {
      const silentMs = clock.now() - lastSeenAtMs
      if (silentMs >= options.heartbeatTimeoutMs) close('LINK_SILENT', `The node was silent for ${silentMs} ms.`)
      else watchHeartbeat()
    })
  }

  function hello(message: Extract<NodeMessage, { type: 'hello' }>): void {
    if (message.linkVersion !== LINK_VERSION) {
      const detail = `The node speaks link version ${message.linkVersion}, this router speaks ${LINK_VERSION}.`
      return close('LINK_VERSION', `${detail} Update the ${message.linkVersion < LINK_VERSION ? 'node' : 'router'}.`)
    }
    if (message.chainId !== domain.chainId) {
      return close('LINK_WRONG_CHAIN', `The node is set to chain ${message.chainId}, this router settles on chain ${domain.chainId}.`)
    }
    claimed = message.nodeId
  }

  function authenticate(message: Extract<NodeMessage, { type: 'authenticate' }>): void {
    if (claimed === null) return close('LINK_UNEXPECTED', 'The node authenticated before it said hello.')
    if (clock.now() > challenge.expiresAtMs) return close('LINK_CHALLENGE_EXPIRED', 'The challenge was answered too late. Connect again.')
    if (message.nonce !== challenge.nonce || !isChallengeSignedBy(separator, challenge, claimed, message.signature)) {
      return close('LINK_UNAUTHORIZED', "The challenge of this link was not signed by the node's key.")
    }
    cancelTimer()
    watchHeartbeat()
    const joined: Session = {
      sessionId: bytesToHex(random(8)).slice(2),
      nodeId: claimed,
      connectedAtMs: clock.now(),
      get lastSeenAtMs() {
        return lastSeenAtMs
      },
      send,
      countStray,
      close,
    }
    session = joined
    events.joined(joined, message.facts)
    send(
      encodeMessage({
        type: 'welcome',
        sessionId: joined.sessionId,
        signature: signWelcome(separator, challenge, claimed, signer),
        heartbeatIntervalMs: options.heartbeatIntervalMs,
        pods: [...context.pods()],
      }),
    )
  }

  function countStray(): void {
    if (!allowStray(clock.now())) close('LINK_RATE_LIMITED', 'The node sent too many messages that belong to no live lease.')
  }

  function onText(text: string): void {
    const message = parseNodeMessage(text)
    if (session === null) {
      if (message.type === 'hello' && claimed === null) return hello(message)
      if (message.type === 'authenticate') return authenticate(message)
      return close('LINK_UNEXPECTED', `The node sent "${message.type}" before it was authenticated.`)
    }
    if ('leaseId' in message) return events.leaseMessage(session, message)
    countStray()
    if (session === null) return
    if (message.type === 'facts') events.facts(session, message.facts)
    else if (message.type !== 'heartbeat') close('LINK_UNEXPECTED', `The node sent "${message.type}" on an authenticated link.`)
  }

  function onMessage(data: Buffer, isBinary: boolean): void {
    if (closing) return
    lastSeenAtMs = clock.now()
    try {
      if (!isBinary) onText(data.toString('utf8'))
      else if (session === null) close('LINK_UNEXPECTED', 'The node sent output before it was authenticated.')
      else events.frames(session, decodeFrames(data))
    } catch (error) {
      if (!isHeuristError(error, 'LINK_MALFORMED') && !isHeuristError(error, 'FRAME_MALFORMED')) throw error
      close('LINK_MALFORMED', error.message)
    }
  }

  socket.on('message', onMessage)
  // ws reports protocol violations (oversized or malformed WebSocket frames) here and then closes by itself.
  socket.on('error', error => {
    const isOversized = 'code' in error && error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'
    close(isOversized ? 'LINK_TOO_LARGE' : 'LINK_MALFORMED', `The link broke: ${error.message}.`)
  })
  socket.on('close', () => {
    cancelTimer()
    if (!closing) leave()
  })
  send(
    encodeMessage({
      type: 'challenge',
      linkVersion: LINK_VERSION,
      router: challenge.router,
      chainId: domain.chainId,
      settlement: domain.settlement,
      nonce: challenge.nonce,
      expiresAtMs: challenge.expiresAtMs,
    } satisfies RouterMessage),
  )
}
