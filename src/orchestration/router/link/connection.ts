import {
  BATCH_HEADER_BYTES,
  decodeBatchHead,
  decodeFrames,
  encodeMessage,
  isHeuristError,
  type NodeId,
  type NodeMessage,
  readNodeText,
} from '#protocol'
import type { LinkErrorCode } from '../errors.ts'
import { type Challenge, signWelcome } from './challenge.ts'
import { authenticationRefusal, challengeMessage, helloRefusal, newChallenge, type Refusal } from './handshake.ts'
import { type Carrier, LinkSession, type LinkSocket, refuse, type SessionContext } from './session.ts'

// Facts of a node with 64 devices and 256 replicas have about 130 KB.
const MAX_GREETING_BYTES = 256 * 1024
// A signature to recover and one to make: about as much as handling so many messages.
const GREETING_COST = 20
/** The close code of a node that ends its session; after any other it may come back. */
const GOODBYE = 1000

type Authenticate = Extract<NodeMessage, { type: 'authenticate' }>

function tooOften(nodeId: NodeId): Refusal {
  return ['LINK_RATE_LIMITED', `Node ${nodeId} linked too often, or sent too much that belongs to no live lease. Wait a moment.`]
}

/**
 * One socket from the first byte to the last: challenge at once, then `hello` and `authenticate`, then the batches of a session, which
 * outlives it. Everything a peer sends is hostile until proven otherwise; a violation ends this link and nothing else.
 */
export class LinkConnection implements Carrier {
  #phase: 'challenged' | 'greeted' | 'linked' | 'closed' = 'challenged'
  readonly #socket: LinkSocket
  readonly #context: SessionContext
  readonly #challenge: Challenge
  #claimed: NodeId | null = null
  #session: LinkSession | null = null
  #cancelTimer: () => void

  constructor(socket: LinkSocket, context: SessionContext) {
    const { options, dependencies } = context
    const { clock } = dependencies
    this.#socket = socket
    this.#context = context
    this.#challenge = newChallenge(options, dependencies)
    this.#cancelTimer = clock.after(this.#challenge.expiresAtMs - clock.now(), () =>
      this.drop('LINK_CHALLENGE_EXPIRED', 'No signed challenge came in time. Connect again.'),
    )
    this.#listen()
    socket.send(encodeMessage(challengeMessage(this.#challenge, dependencies)))
  }

  /** True once it carries a node that the chain knows. */
  get isOfMember(): boolean {
    return this.#session !== null && this.#context.dependencies.standing(this.#session.nodeId)?.registered === true
  }

  write(message: Uint8Array | string): void {
    if (this.#phase !== 'closed') this.#socket.send(message)
  }

  /** Closes this connection and says why; its session may go on over another one. */
  drop(code: LinkErrorCode, message: string): void {
    if (this.#phase === 'closed') return
    const { dependencies, countClose, noteClose } = this.#context
    countClose(code)
    noteClose(code, this.#claimed, message)
    refuse(this.#socket, code, message, dependencies.clock.after)
    this.#close()
  }

  /** A violation: it ends the session too. */
  #violated(code: LinkErrorCode, message: string): void {
    if (this.#session) this.#session.close(code, message)
    else this.drop(code, message)
  }

  #close(): void {
    if (this.#phase === 'closed') return
    this.#phase = 'closed'
    this.#cancelTimer()
    this.#session?.cut(this)
  }

  #listen(): void {
    const socket = this.#socket
    socket.on('message', (data, isBinary) => this.#onMessage(data as Buffer, isBinary)) // cast: binaryType is the default, nodebuffer
    socket.on('error', error => {
      // ws reports violations of the WebSocket protocol itself (oversized, malformed) here. Any other error is a cut.
      const code = 'code' in error ? String(error.code) : ''
      if (!code.startsWith('WS_ERR_')) return
      const isOversized = code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'
      this.#violated(isOversized ? 'LINK_TOO_LARGE' : 'LINK_MALFORMED', `The link broke: ${error.message}.`)
    })
    socket.on('close', code => {
      if (code === GOODBYE && this.#phase !== 'closed') this.#session?.end()
      this.#close()
    })
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    if (this.#phase === 'closed') return
    try {
      const refusal = this.#session ? this.#onBatch(this.#session, data, isBinary) : this.#onGreeting(data, isBinary)
      if (refusal) this.#violated(...refusal)
    } catch (error) {
      if (!isHeuristError(error, 'LINK_MALFORMED') && !isHeuristError(error, 'FRAME_MALFORMED')) throw error
      this.#violated('LINK_MALFORMED', error.message)
    }
  }

  #onGreeting(data: Buffer, isBinary: boolean): Refusal | null {
    if (isBinary) return ['LINK_UNEXPECTED', 'The node sent output before it was authenticated.']
    if (data.length > MAX_GREETING_BYTES) return ['LINK_TOO_LARGE', `A greeting may have ${MAX_GREETING_BYTES} bytes.`]
    const { head, messages } = readNodeText(data.toString('utf8'))
    if (head) return ['LINK_UNEXPECTED', 'The node sent a batch before it was authenticated.']
    const [message] = messages()
    if (message?.type === 'hello' && this.#phase === 'challenged') return this.#onHello(message)
    if (message?.type === 'authenticate') return this.#onAuthenticate(message)
    return ['LINK_UNEXPECTED', `The node sent "${message?.type}" before it was authenticated.`]
  }

  #onBatch(session: LinkSession, data: Buffer, isBinary: boolean): Refusal | null {
    session.heard()
    if (isBinary) {
      const isNew = session.take(decodeBatchHead(data), data.length)
      if (isNew) this.#context.events.frames(session, decodeFrames(data.subarray(BATCH_HEADER_BYTES)), data.length)
      return null
    }
    if (!session.mayRead(data.length)) return null
    const { head, messages } = readNodeText(data.toString('utf8'))
    if (!head) return this.#onUnnumbered(messages())
    if (!session.take(head, data.length)) return null
    for (const message of messages()) {
      if (this.#phase === 'closed') return null
      const refusal = session.on(message)
      if (refusal) return refusal
    }
    return null
  }

  #onUnnumbered([message]: readonly NodeMessage[]): Refusal {
    return ['LINK_UNEXPECTED', `The node sent "${message?.type}" outside of the batches of its session.`]
  }

  #onHello(message: Extract<NodeMessage, { type: 'hello' }>): Refusal | null {
    const refusal = helloRefusal(message, this.#context.dependencies.domain.chainId)
    if (refusal) return refusal
    // Before its signature costs anything. Who claims a key of others here is refused in their place, and they are not charged.
    if (this.#context.budgets.isSpent(message.nodeId)) return tooOften(message.nodeId)
    this.#claimed = message.nodeId
    this.#phase = 'greeted'
    return null
  }

  #onAuthenticate(message: Authenticate): Refusal | null {
    const { separator, dependencies, sessions, budgets } = this.#context
    const claimed = this.#phase === 'greeted' ? this.#claimed : null
    const refusal = authenticationRefusal(message, { challenge: this.#challenge, separator, claimed, nowMs: dependencies.clock.now() })
    if (refusal || claimed === null) return refusal
    const known = sessions.get(claimed)
    if (!budgets.take(claimed, GREETING_COST)) {
      known?.close(...tooOften(claimed))
      return tooOften(claimed)
    }
    if (!message.resume || known?.sessionId !== message.resume.sessionId) return this.#begin(claimed, message)
    return known.objectionTo(message.resume) ?? this.#resume(known, message)
  }

  #begin(nodeId: NodeId, { facts }: Authenticate): null {
    const { sessions, events } = this.#context
    const session = new LinkSession(nodeId, this.#context)
    this.#linked(session)
    sessions.get(nodeId)?.close('LINK_FENCED', `Node ${nodeId} opened a newer link.`)
    sessions.set(nodeId, session)
    events.joined(session, facts)
    session.carryBy(this, 0)
    return null
  }

  #resume(session: LinkSession, { facts, resume }: Authenticate): null {
    this.#linked(session)
    session.resume(this, resume!)
    this.#context.events.resumed(session, facts)
    return null
  }

  #linked(session: LinkSession): void {
    const { options, dependencies } = this.#context
    const { heartbeatIntervalMs, resumeMs } = options
    const { sessionId, nodeId, received } = session
    this.#phase = 'linked'
    this.#session = session
    session.heard()
    this.#watchHeartbeat(session)
    const signature = signWelcome(this.#context.separator, this.#challenge, nodeId, dependencies.signer)
    const pods = [...this.#context.pods()]
    this.#socket.send(encodeMessage({ type: 'welcome', sessionId, received, resumeMs, signature, heartbeatIntervalMs, pods }))
  }

  /** One timer that looks back, instead of one that every message would have to move. */
  #watchHeartbeat(session: LinkSession): void {
    const { clock } = this.#context.dependencies
    const { heartbeatTimeoutMs } = this.#context.options
    this.#cancelTimer()
    this.#cancelTimer = clock.after(heartbeatTimeoutMs, () => {
      const silentMs = clock.now() - session.lastSeenAtMs
      if (silentMs >= heartbeatTimeoutMs) this.drop('LINK_SILENT', `The node was silent for ${silentMs} ms.`)
      else this.#watchHeartbeat(session)
    })
  }
}
