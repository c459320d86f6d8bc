import type { WebSocket } from 'ws'
import {
  bytesToHex,
  createOutbox,
  decodeFrames,
  encodeMessage,
  type Frame,
  isHeuristError,
  type LogLine,
  type NodeFacts,
  type NodeId,
  type NodeMessage,
  type Outbox,
  type PodRecord,
  parseNodeMessages,
  ZERO_ADDRESS,
} from '#protocol'
import type { LinkErrorCode } from '../errors.ts'
import type { RouterDependencies, RouterOptions } from '../options.ts'
import { type Challenge, signWelcome } from './challenge.ts'
import { authenticationRefusal, challengeMessage, helloRefusal, newChallenge, type Refusal } from './handshake.ts'
import { createRateLimit } from './rate-limit.ts'

/** What a link asks of its WebSocket; a network that is not HTTP gives its own. */
export type LinkSocket = Pick<WebSocket, 'on' | 'once' | 'send' | 'close' | 'terminate' | 'readyState' | 'OPEN' | 'bufferedAmount'>

/** Messages about a lease; the rest of the link protocol ends here. */
export type LeaseMessage = Extract<NodeMessage, { leaseId: unknown }>
export type SignedMessage = Extract<NodeMessage, { type: 'signed' }>

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
  logs(session: Session, id: number, lines: readonly LogLine[]): void
  leaseMessage(session: Session, message: LeaseMessage): void
  signed(session: Session, message: SignedMessage): void
  frames(session: Session, frames: readonly Frame[]): void
  /** Leases that the node of this session holds now. */
  openLeases(session: Session): number
  /** Once per session that joined. */
  left(session: Session): void
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
// Facts of a node with 64 devices and 256 replicas have about 130 KB.
const MAX_GREETING_BYTES = 256 * 1024
// Parsing 4 KB costs about as much as handling a message.
const LARGE_TEXT_BYTES = 4096
// A lease's `done` and its place in a `signed` have about 600 bytes.
const LEASE_TEXT_BYTES = 1024
// A peer that does not finish the closing handshake is cut; ws itself waits 30 s.
const CLOSE_WAIT_MS = 1000

/** Says why, closes, and makes sure that the socket goes away. */
export function refuse(socket: LinkSocket, code: LinkErrorCode, message: string, after: RouterDependencies['clock']['after']): void {
  if (socket.readyState === socket.OPEN) socket.send(encodeMessage({ type: 'refused', code, message }))
  socket.on('error', () => socket.terminate())
  socket.close(CLOSE_CODES[code], code)
  const cancel = after(CLOSE_WAIT_MS, () => socket.terminate())
  socket.once('close', cancel)
}

/**
 * One socket from the first byte to the last: challenge at once, then `hello` and `authenticate`, then lease traffic.
 * Everything a peer sends is hostile until proven otherwise; a violation closes this link and nothing else.
 */
export class LinkSession implements Session {
  readonly sessionId: string
  readonly connectedAtMs: number
  nodeId: NodeId = ZERO_ADDRESS
  lastSeenAtMs: number
  #phase: 'challenged' | 'greeted' | 'linked' | 'closed' = 'challenged'
  readonly #socket: LinkSocket
  readonly #context: SessionContext
  readonly #challenge: Challenge
  readonly #allowStray: (nowMs: number, cost: number) => boolean
  readonly #outbox: Outbox
  #cancelTimer: () => void

  constructor(socket: LinkSocket, context: SessionContext) {
    const { options, dependencies } = context
    const { clock, random } = dependencies
    this.#socket = socket
    this.#context = context
    this.#outbox = createOutbox(text => this.#write(text), clock.afterTurn)
    this.sessionId = bytesToHex(random(8)).slice(2)
    this.connectedAtMs = clock.now()
    this.lastSeenAtMs = this.connectedAtMs
    this.#challenge = newChallenge(options, dependencies)
    this.#allowStray = createRateLimit({ perSecond: options.strayMessagesPerSecond, burst: options.strayMessageBurst }, this.connectedAtMs)
    this.#cancelTimer = clock.after(this.#challenge.expiresAtMs - this.connectedAtMs, () =>
      this.close('LINK_CHALLENGE_EXPIRED', 'No signed challenge came in time. Connect again.'),
    )
    this.#listen()
    this.send(encodeMessage(challengeMessage(this.#challenge, dependencies)))
  }

  /** Leaves at the end of the turn with all that the turn says: under load one system call carries many jobs. */
  send(text: string): void {
    if (this.#phase !== 'closed') this.#outbox.text(text)
  }

  #write(message: Uint8Array | string): void {
    if (this.#phase === 'closed') return
    this.#socket.send(message)
    const { bufferedAmount } = this.#socket
    if (bufferedAmount > this.#context.options.maxSendBufferBytes) this.close('LINK_SLOW', `The node left ${bufferedAmount} bytes unread.`)
  }

  countStray(): void {
    this.#charge(1)
  }

  #charge(cost: number): void {
    if (this.#allowStray(this.#context.dependencies.clock.now(), cost)) return
    this.close('LINK_RATE_LIMITED', 'The node sent too many messages that belong to no live lease.')
  }

  close(code: LinkErrorCode, message: string): void {
    if (this.#phase === 'closed') return
    const { dependencies, countClose } = this.#context
    countClose(code)
    dependencies.logger.warn({ code, nodeId: this.nodeId }, message)
    refuse(this.#socket, code, message, dependencies.clock.after)
    this.#leave()
  }

  #listen(): void {
    const socket = this.#socket
    socket.on('message', (data, isBinary) => this.#onMessage(data as Buffer, isBinary)) // cast: binaryType is the default, nodebuffer
    // ws reports violations of the WebSocket protocol itself (oversized, malformed) here.
    socket.on('error', error => {
      const isOversized = 'code' in error && error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'
      this.close(isOversized ? 'LINK_TOO_LARGE' : 'LINK_MALFORMED', `The link broke: ${error.message}.`)
    })
    socket.on('close', () => this.#leave())
  }

  #leave(): void {
    if (this.#phase === 'closed') return
    const wasLinked = this.#phase === 'linked'
    this.#phase = 'closed'
    this.#cancelTimer()
    if (wasLinked) this.#context.events.left(this)
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    if (this.#phase === 'closed') return
    this.lastSeenAtMs = this.#context.dependencies.clock.now()
    try {
      const refusal = isBinary ? this.#onFrames(data) : this.#onText(data)
      if (refusal) this.close(...refusal)
    } catch (error) {
      if (!isHeuristError(error, 'LINK_MALFORMED') && !isHeuristError(error, 'FRAME_MALFORMED')) throw error
      this.close('LINK_MALFORMED', error.message)
    }
  }

  #onFrames(data: Buffer): Refusal | null {
    if (this.#phase !== 'linked') return ['LINK_UNEXPECTED', 'The node sent output before it was authenticated.']
    this.#context.events.frames(this, decodeFrames(data))
    return null
  }

  #onText(data: Buffer): Refusal | null {
    const isLinked = this.#phase === 'linked'
    if (!isLinked && data.length > MAX_GREETING_BYTES) return ['LINK_TOO_LARGE', `A greeting may have ${MAX_GREETING_BYTES} bytes.`]
    // Paid before it is parsed, by size: a few huge texts cost as much as many small ones. Each open lease brings one of its own.
    const freeBytes = LARGE_TEXT_BYTES + (isLinked ? LEASE_TEXT_BYTES * this.#context.events.openLeases(this) : 0)
    if (data.length >= freeBytes) this.#charge((data.length - freeBytes) / LARGE_TEXT_BYTES + 1)
    for (const message of parseNodeMessages(data.toString('utf8'))) {
      if (this.#phase === 'closed') return null
      const refusal = this.#onMessageOf(message)
      if (refusal) return refusal
    }
    return null
  }

  #onMessageOf(message: NodeMessage): Refusal | null {
    if (this.#phase === 'linked') return this.#onLinked(message)
    if (message.type === 'hello' && this.#phase === 'challenged') return this.#onHello(message)
    if (message.type === 'authenticate') return this.#onAuthenticate(message)
    return ['LINK_UNEXPECTED', `The node sent "${message.type}" before it was authenticated.`]
  }

  #onHello(message: Extract<NodeMessage, { type: 'hello' }>): Refusal | null {
    const refusal = helloRefusal(message, this.#context.dependencies.domain.chainId)
    if (refusal) return refusal
    this.nodeId = message.nodeId
    this.#phase = 'greeted'
    return null
  }

  #onAuthenticate(message: Extract<NodeMessage, { type: 'authenticate' }>): Refusal | null {
    const { separator, dependencies, events, options, pods } = this.#context
    const claimed = this.#phase === 'greeted' ? this.nodeId : null
    const challenge = this.#challenge
    const refusal = authenticationRefusal(message, { challenge, separator, claimed, nowMs: dependencies.clock.now() })
    if (refusal) return refusal
    this.#phase = 'linked'
    this.#watchHeartbeat()
    events.joined(this, message.facts)
    const { heartbeatIntervalMs } = options
    const signature = signWelcome(separator, challenge, this.nodeId, dependencies.signer)
    this.send(encodeMessage({ type: 'welcome', sessionId: this.sessionId, signature, heartbeatIntervalMs, pods: [...pods()] }))
    return null
  }

  #onLinked(message: NodeMessage): Refusal | null {
    const { events } = this.#context
    if ('leaseId' in message) {
      events.leaseMessage(this, message)
      return null
    }
    if (message.type === 'signed') {
      events.signed(this, message)
      return null
    }
    this.countStray()
    if (message.type === 'facts') events.facts(this, message.facts)
    else if (message.type === 'logs') events.logs(this, message.id, message.lines)
    else if (message.type !== 'heartbeat') return ['LINK_UNEXPECTED', `The node sent "${message.type}" on an authenticated link.`]
    return null
  }

  /** One timer that looks back, instead of one that every message would have to move. */
  #watchHeartbeat(): void {
    const { clock } = this.#context.dependencies
    const { heartbeatTimeoutMs } = this.#context.options
    this.#cancelTimer()
    this.#cancelTimer = clock.after(heartbeatTimeoutMs, () => {
      const silentMs = clock.now() - this.lastSeenAtMs
      if (silentMs >= heartbeatTimeoutMs) this.close('LINK_SILENT', `The node was silent for ${silentMs} ms.`)
      else this.#watchHeartbeat()
    })
  }
}
