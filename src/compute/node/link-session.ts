import { type RawData, WebSocket } from 'ws'
import type { Clock, Logger, Signer } from '#platform'
import {
  type Address,
  createOutbox,
  type Delta,
  encodeFrame,
  encodeMessage,
  LINK_MAX_FRAME_BYTES,
  LINK_VERSION,
  messageOf,
  type NodeFacts,
  type NodeMessage,
  type Outbox,
  type PodRecord,
  parseRouterMessages,
  type RouterMessage,
} from '#protocol'
import { answerChallenge, type Challenge, isWelcomeSigned, type LinkPins, linkSeparator, objectionToChallenge } from './link-handshake.ts'

/** Messages of a link that is up. */
export type LinkTraffic = Exclude<RouterMessage, { type: 'challenge' | 'welcome' | 'refused' }>
export type LinkWelcome = {
  readonly sessionId: string
  readonly router: Address
  /** EIP-712 domain separator of everything signed on this link. */
  readonly separator: Uint8Array
  readonly heartbeatIntervalMs: number
  readonly pods: readonly PodRecord[]
}

export type SessionEvents = {
  up(welcome: LinkWelcome): void
  traffic(message: LinkTraffic): void
  /** Once per session. `code` is the router's refusal code when it refused. */
  down(reason: string, code: string | null): void
}
/** What a link asks of its WebSocket. */
export type NodeSocket = Pick<WebSocket, 'on' | 'send' | 'close' | 'terminate' | 'ping' | 'readyState' | 'bufferedAmount'>
/** Opens a connection to a router. */
export type Dial = (url: string, options: { readonly handshakeTimeoutMs: number }) => NodeSocket
export const dialWebSocket: Dial = (url, { handshakeTimeoutMs }) =>
  new WebSocket(url, { perMessageDeflate: false, maxPayload: LINK_MAX_FRAME_BYTES, handshakeTimeout: handshakeTimeoutMs })

export type SessionOptions = { readonly url: string; readonly pins: LinkPins; readonly handshakeTimeoutMs: number }
export type SessionDependencies = {
  readonly signer: Signer
  readonly clock: Clock
  readonly logger: Logger
  readonly facts: () => NodeFacts
  readonly events: SessionEvents
  readonly dial: Dial
}

/** Unsent bytes beyond which a producer must wait: a stalled socket must not turn into unbounded memory. */
const MAX_UNSENT_BYTES = 4 * 1024 * 1024
/** A router's wish is bounded: neither a flood of heartbeats nor a link that nobody notices to be dead. */
const HEARTBEAT_MIN_MS = 50
const HEARTBEAT_MAX_MS = 60_000
/** Intervals without a sign of life after which the link counts as dead. */
const SILENT_INTERVALS = 3

/** One WebSocket from dial to close: challenge, welcome, heartbeats, batched output. Used once; a new link is a new session. */
export class LinkSession {
  readonly #options: SessionOptions
  readonly #deps: SessionDependencies
  readonly #socket: NodeSocket
  readonly #outbox: Outbox
  readonly #waiting: (() => void)[] = []
  #challenge: Challenge | null = null
  #isUp = false
  #isDown = false
  #refusal: { code: string | null; reason: string } | null = null
  #lastHeardMs: number
  #cancelTimer: () => void

  constructor(options: SessionOptions, dependencies: SessionDependencies) {
    this.#options = options
    this.#deps = dependencies
    this.#lastHeardMs = dependencies.clock.now()
    this.#socket = dependencies.dial(options.url, options)
    this.#outbox = createOutbox(message => this.#write(message), dependencies.clock.afterTurn)
    this.#cancelTimer = dependencies.clock.after(options.handshakeTimeoutMs, () => this.close('The router did not finish the handshake.'))
    this.#listen()
  }

  get isUp(): boolean {
    return this.#isUp
  }

  send(message: NodeMessage): void {
    this.#outbox.text(encodeMessage(message))
  }

  sendDelta(channel: number, sequence: number, delta: Delta): void {
    this.#outbox.frame(encodeFrame(channel, sequence, delta))
  }

  /** Resolves when the socket has taken what was sent before; null when it is not behind. */
  writable(): Promise<void> | null {
    if (this.#isDown || this.#socket.bufferedAmount <= MAX_UNSENT_BYTES) return null
    return new Promise(resolve => this.#waiting.push(resolve))
  }

  /** Sends what is batched, then closes. */
  close(reason: string): void {
    this.#refusal ??= { code: null, reason }
    this.#outbox.flush()
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.close(1000, reason.slice(0, 100))
    else this.#socket.terminate()
    // A peer that never answers the close frame must not hold the session.
    this.#deps.clock.after(2000, () => this.#socket.terminate())
    this.#finish(reason, null)
  }

  #listen(): void {
    const socket = this.#socket
    socket.on('open', () => {
      this.send({ type: 'hello', linkVersion: LINK_VERSION, nodeId: this.#deps.signer.address, chainId: this.#options.pins.chainId })
    })
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary))
    socket.on('pong', () => this.#heard())
    socket.on('ping', () => this.#heard())
    socket.on('error', error => {
      this.#refusal ??= { code: null, reason: error.message }
    })
    socket.on('close', (code, text) => {
      const { reason, code: refusalCode } = this.#refusal ?? {
        code: null,
        reason: `The router closed the link (${code}${text.length > 0 ? ` ${text.toString('utf8')}` : ''}).`,
      }
      this.#finish(reason, refusalCode)
    })
  }

  #heard(): void {
    this.#lastHeardMs = this.#deps.clock.now()
  }

  #write(message: Uint8Array | string): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return
    this.#socket.send(message, () => {
      if (this.#socket.bufferedAmount <= MAX_UNSENT_BYTES) this.#release()
    })
  }

  #release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#isDown) return
    this.#heard()
    try {
      if (isBinary) throw new Error('The router sent binary data; only a node does that.')
      for (const message of parseRouterMessages(String(data))) if (!this.#isDown) this.#handle(message)
    } catch (error) {
      this.close(messageOf(error))
    }
  }

  #handle(message: RouterMessage): void {
    if (message.type === 'refused') this.#refuse(message.code, message.message)
    else if (message.type === 'challenge') this.#answer(message)
    else if (message.type === 'welcome') this.#welcome(message)
    else if (this.#isUp) this.#deps.events.traffic(message)
    else throw new Error(`The router sent "${message.type}" before it proved who it is.`)
  }

  #refuse(code: string, message: string): void {
    this.#refusal = { code, reason: message }
    this.#socket.close(1000)
    this.#finish(message, code)
  }

  #answer(challenge: Challenge): void {
    if (this.#challenge) throw new Error('The router sent a second challenge on one link.')
    const objection = objectionToChallenge(challenge, this.#options.pins, this.#deps.clock.now())
    if (objection !== null) throw new Error(objection)
    this.#challenge = challenge
    this.send(answerChallenge(challenge, this.#deps.signer, this.#deps.facts()))
  }

  #welcome(welcome: Extract<RouterMessage, { type: 'welcome' }>): void {
    const challenge = this.#challenge
    if (!challenge || this.#isUp) throw new Error('The router sent a welcome that does not follow its challenge.')
    if (!isWelcomeSigned(welcome, challenge, this.#deps.signer.address)) {
      throw new Error(`The welcome is not signed by router ${challenge.router}. Somebody else may be answering at this address.`)
    }
    this.#isUp = true
    this.#cancelTimer()
    const heartbeatIntervalMs = Math.min(HEARTBEAT_MAX_MS, Math.max(HEARTBEAT_MIN_MS, welcome.heartbeatIntervalMs))
    this.#scheduleHeartbeat(heartbeatIntervalMs)
    const { sessionId, pods } = welcome
    this.#deps.events.up({ sessionId, router: challenge.router, separator: linkSeparator(challenge), heartbeatIntervalMs, pods })
  }

  #scheduleHeartbeat(intervalMs: number): void {
    this.#cancelTimer = this.#deps.clock.after(intervalMs, () => {
      const nowMs = this.#deps.clock.now()
      if (nowMs - this.#lastHeardMs > SILENT_INTERVALS * intervalMs) {
        this.#refusal ??= { code: null, reason: `The router was silent for ${SILENT_INTERVALS} heartbeats.` }
        this.#socket.terminate()
        return
      }
      this.send({ type: 'heartbeat', sentAtMs: nowMs })
      // The pong is the router's sign of life; a router need not answer heartbeats otherwise.
      if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping()
      this.#scheduleHeartbeat(intervalMs)
    })
  }

  #finish(reason: string, code: string | null): void {
    if (this.#isDown) return
    this.#isDown = true
    this.#isUp = false
    this.#cancelTimer()
    this.#outbox.drop()
    this.#release()
    this.#deps.events.down(reason, code)
  }
}
