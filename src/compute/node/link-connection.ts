import { type RawData, WebSocket } from 'ws'
import { type Clock, type ProxyOptions, type Signer, tunnelTo } from '#platform'
import {
  type Address,
  encodeMessage,
  LINK_MAX_FRAME_BYTES,
  LINK_VERSION,
  type LinkResume,
  type LinkText,
  messageOf,
  type NodeFacts,
  type NodeMessage,
  type PodRecord,
  type RouterMessage,
  readRouterText,
} from '#protocol'
import { answerChallenge, type Challenge, isWelcomeSigned, type LinkPins, linkSeparator, objectionToChallenge } from './link-handshake.ts'

export type LinkWelcome = {
  readonly sessionId: string
  readonly router: Address
  /** Last batch of this node that the router has of the session. */
  readonly received: number
  /** How long the router keeps the session after a cut, in ms. */
  readonly resumeMs: number
  /** EIP-712 domain separator of everything signed on this link. */
  readonly separator: Uint8Array
  readonly pods: readonly PodRecord[]
}
/** Why a connection ended. */
export type LinkEnd = {
  readonly reason: string
  /** The router's refusal code when it refused. */
  readonly code: string | null
  /** The session may go on over another connection. */
  readonly isCut: boolean
  /** Nobody listens at the address. */
  readonly isNobodyThere: boolean
}

export type ConnectionEvents = {
  welcomed(welcome: LinkWelcome): void
  /** A batch of the session. */
  batch(batch: LinkText<RouterMessage>, bytes: number): void
  /** It is time for a sign of life. */
  beat(nowMs: number): void
  /** Once per connection. */
  down(end: LinkEnd): void
}
/** What a link asks of its WebSocket. */
export type NodeSocket = Pick<WebSocket, 'on' | 'send' | 'close' | 'terminate' | 'ping' | 'readyState'>
/** Opens a connection to a router. */
export type Dial = (url: string, options: { readonly handshakeTimeoutMs: number }) => NodeSocket
/** Dials by WebSocket, through a tunnel where the machine's network asks for one. */
export function createDial(proxies: ProxyOptions): Dial {
  return (url, { handshakeTimeoutMs }) =>
    new WebSocket(url, {
      perMessageDeflate: false,
      maxPayload: LINK_MAX_FRAME_BYTES,
      handshakeTimeout: handshakeTimeoutMs,
      agent: tunnelTo(url, proxies),
    })
}

export type ConnectionOptions = { readonly url: string; readonly pins: LinkPins; readonly handshakeTimeoutMs: number }
export type ConnectionDependencies = {
  readonly signer: Signer
  readonly clock: Clock
  readonly facts: () => NodeFacts
  /** The session to go on with, asked for when the router's challenge is here; null: a new one. */
  readonly resume: () => LinkResume | null
  readonly events: ConnectionEvents
  readonly dial: Dial
}

/** A router's wish is bounded: neither a flood of heartbeats nor a link that nobody notices to be dead. */
const HEARTBEAT_MIN_MS = 50
const HEARTBEAT_MAX_MS = 60_000
/** Intervals without a sign of life after which the connection counts as dead. */
const SILENT_INTERVALS = 3
/** Refusals of a connection that leave its session alone. */
const PASSING_REFUSALS: ReadonlySet<string> = new Set(['LINK_SILENT', 'LINK_GAP', 'LINK_FULL', 'LINK_CHALLENGE_EXPIRED'])

/** One WebSocket from dial to close: challenge, welcome, heartbeats, and the batches of a session that may outlive it. Used once. */
export class LinkConnection {
  readonly #options: ConnectionOptions
  readonly #deps: ConnectionDependencies
  readonly #socket: NodeSocket
  #challenge: Challenge | null = null
  #isUp = false
  #isDown = false
  #isNobodyThere = false
  #why: { reason: string; isCut: boolean } | null = null
  #lastHeardMs: number
  #cancelTimer: () => void

  constructor(options: ConnectionOptions, dependencies: ConnectionDependencies) {
    this.#options = options
    this.#deps = dependencies
    this.#lastHeardMs = dependencies.clock.now()
    this.#socket = dependencies.dial(options.url, options)
    this.#cancelTimer = dependencies.clock.after(options.handshakeTimeoutMs, () => this.cut('The router did not finish the handshake.'))
    this.#listen()
  }

  write(message: Uint8Array | string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(message)
  }

  /** Ends the session with it. */
  close(reason: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.close(1000, reason.slice(0, 100))
    else this.#socket.terminate()
    // A peer that never answers the close frame must not hold the socket.
    this.#deps.clock.after(2000, () => this.#socket.terminate())
    this.#finish({ reason, code: null, isCut: false })
  }

  /** Nothing comes through any more: the session may go on over another connection. */
  cut(reason: string): void {
    this.#why ??= { reason, isCut: true }
    this.#socket.terminate()
    this.#finish({ ...this.#why, code: null })
  }

  #say(message: NodeMessage): void {
    this.write(encodeMessage(message))
  }

  #listen(): void {
    const socket = this.#socket
    socket.on('open', () => {
      this.#say({ type: 'hello', linkVersion: LINK_VERSION, nodeId: this.#deps.signer.address, chainId: this.#options.pins.chainId })
    })
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary))
    socket.on('pong', () => this.#heard())
    socket.on('ping', () => this.#heard())
    socket.on('error', error => {
      const code = 'code' in error ? String(error.code) : ''
      this.#isNobodyThere = code === 'ECONNREFUSED'
      // A violation of the WebSocket protocol is no accident of the network.
      this.#why ??= { reason: error.message, isCut: !code.startsWith('WS_ERR_') }
    })
    socket.on('close', (code, text) => {
      const said = text.length > 0 ? ` ${text.toString('utf8')}` : ''
      this.#finish({ code: null, ...(this.#why ?? { reason: `The router closed the link (${code}${said}).`, isCut: true }) })
    })
  }

  #heard(): void {
    this.#lastHeardMs = this.#deps.clock.now()
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#isDown) return
    this.#heard()
    try {
      if (isBinary) throw new Error('The router sent binary data; only a node does that.')
      const text = String(data)
      const batch = readRouterText(text)
      if (!batch.head) for (const message of batch.messages()) this.#handle(message)
      else if (this.#isUp) this.#deps.events.batch(batch, text.length)
      else throw new Error('The router sent a batch before it proved who it is.')
    } catch (error) {
      this.close(messageOf(error))
    }
  }

  #handle(message: RouterMessage): void {
    if (message.type === 'refused') this.#refused(message.code, message.message)
    else if (message.type === 'challenge') this.#answer(message)
    else if (message.type === 'welcome') this.#welcome(message)
    else throw new Error(`The router sent "${message.type}" outside of the batches of a session.`)
  }

  #refused(code: string, message: string): void {
    this.#socket.close(1000)
    this.#finish({ reason: message, code, isCut: PASSING_REFUSALS.has(code) })
  }

  #answer(challenge: Challenge): void {
    if (this.#challenge) throw new Error('The router sent a second challenge on one link.')
    const objection = objectionToChallenge(challenge, this.#options.pins, this.#deps.clock.now())
    if (objection !== null) throw new Error(objection)
    this.#challenge = challenge
    this.#say(answerChallenge(challenge, this.#deps.signer, { facts: this.#deps.facts(), resume: this.#deps.resume() }))
  }

  #welcome(welcome: Extract<RouterMessage, { type: 'welcome' }>): void {
    const challenge = this.#challenge
    if (!challenge || this.#isUp) throw new Error('The router sent a welcome that does not follow its challenge.')
    if (!isWelcomeSigned(welcome, challenge, this.#deps.signer.address)) {
      throw new Error(`The welcome is not signed by router ${challenge.router}. Somebody else may be answering at this address.`)
    }
    this.#isUp = true
    this.#cancelTimer()
    this.#scheduleHeartbeat(Math.min(HEARTBEAT_MAX_MS, Math.max(HEARTBEAT_MIN_MS, welcome.heartbeatIntervalMs)))
    const { sessionId, received, resumeMs } = welcome
    const pods = welcome.pods as readonly PodRecord[] // cast: the schema's output is a pod record
    this.#deps.events.welcomed({ sessionId, received, resumeMs, router: challenge.router, separator: linkSeparator(challenge), pods })
  }

  #scheduleHeartbeat(intervalMs: number): void {
    this.#cancelTimer = this.#deps.clock.after(intervalMs, () => {
      const nowMs = this.#deps.clock.now()
      if (nowMs - this.#lastHeardMs > SILENT_INTERVALS * intervalMs) {
        this.cut(`The router was silent for ${SILENT_INTERVALS} heartbeats.`)
        return
      }
      this.#deps.events.beat(nowMs)
      // The pong is the router's sign of life; a router need not answer heartbeats otherwise.
      if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping()
      this.#scheduleHeartbeat(intervalMs)
    })
  }

  #finish(end: Omit<LinkEnd, 'isNobodyThere'>): void {
    if (this.#isDown) return
    this.#isDown = true
    this.#isUp = false
    this.#cancelTimer()
    this.#deps.events.down({ ...end, isNobodyThere: this.#isNobodyThere })
  }
}
