import {
  type BackoffOptions,
  type Clock,
  fullJitterMs,
  type Logger,
  NO_PROXY,
  type ProxyOptions,
  type Random,
  type Signer,
} from '#platform'
import {
  createLinkStream,
  type Delta,
  encodeFrame,
  encodeMessage,
  HeuristError,
  LINK_VERSION,
  type LinkResume,
  type LinkStream,
  type LinkText,
  type NodeFacts,
  type NodeMessage,
  type RouterMessage,
} from '#protocol'
import { createDial, type Dial, LinkConnection, type LinkEnd, type LinkWelcome } from './link-connection.ts'
import type { LinkPins } from './link-handshake.ts'

/** Messages of a session. */
export type LinkTraffic = Exclude<RouterMessage, { type: 'challenge' | 'welcome' | 'refused' }>

export type LinkOptions = {
  /** ws:// or wss:// addresses of routers, its own first; asked for at every dial, because routers come and go. Never empty. */
  readonly urls: () => readonly string[]
  readonly pins: LinkPins
  readonly backoff?: BackoffOptions
  readonly handshakeTimeoutMs?: number
  readonly proxies?: ProxyOptions
}
export type LinkHandlers = {
  /** A new session. One that goes on after a cut is not told: nothing of it was lost. */
  up(welcome: LinkWelcome): void
  traffic(message: LinkTraffic): void
  /** The session is over, and what was granted in it. */
  down(reason: string): void
  /** Something is at stake that is worth waiting for its router. */
  holdsLeases(): boolean
}
export type LinkDependencies = {
  readonly signer: Signer
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly facts: () => NodeFacts
  readonly handlers: LinkHandlers
  /** A WebSocket unless given. */
  readonly dial?: Dial
}
export type LinkState = {
  readonly phase: 'stopped' | 'dialing' | 'up' | 'waiting'
  readonly sinceMs: number
  readonly router: string | null
  readonly lastError: string | null
}

const DEFAULT_BACKOFF: BackoffOptions = { baseMs: 250, maxMs: 30_000 }
/** A link must hold this long before the backoff starts again from the bottom; a router that greets and drops is not hammered. */
const STABLE_MS = 5000
/** After these somebody has to act first, so asking often only fills both logs. Other refusals (stopping, full, silent) pass by themselves. */
const LASTING_REFUSALS: ReadonlySet<string> = new Set([
  'LINK_VERSION',
  'LINK_WRONG_CHAIN',
  'LINK_UNAUTHORIZED',
  'LINK_FENCED',
  'LINK_MALFORMED',
  'LINK_UNEXPECTED',
  'LINK_FOREIGN_LEASE',
])
const LASTING_ATTEMPT = 6

/** While a session waits for its router, it is dialled at least this often. */
const RESUME_DELAY_MS = 2000
/** Bytes kept for a router that does not acknowledge them. At half of it leases pause, beyond it the session is given up. */
const MAX_KEPT_BYTES = 8 * 1024 * 1024

type Session = {
  readonly id: string
  readonly url: string
  readonly resumeMs: number
  readonly stream: LinkStream
  generation: number
  /** Set while no connection carries it. */
  cancelWindow: (() => void) | null
}

/** Keeps one link to the router: dials out, proves the key, comes back after a loss; and after a cut goes on where it was. */
export class LinkClient {
  readonly #options: LinkOptions
  readonly #deps: LinkDependencies
  #session: Session | null = null
  #connection: LinkConnection | null = null
  /** The session that the connection under way asked for. */
  #asked: string | null = null
  #state: LinkState
  #attempt = 0
  /** A router that is lost, refuses or does not answer is left for the next; the last one's next is the first. */
  #turn = 0
  #url = ''
  #running = false
  #cancelRedial: () => void = () => {}

  constructor(options: LinkOptions, dependencies: LinkDependencies) {
    this.#options = options
    this.#deps = dependencies
    this.#state = { phase: 'stopped', sinceMs: dependencies.clock.now(), router: null, lastError: null }
  }

  /** The router that was dialled last. */
  get url(): string {
    return this.#url
  }

  get state(): LinkState {
    return this.#state
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    this.#dial()
  }

  stop(): void {
    this.#running = false
    this.#cancelRedial()
    this.#session?.stream.flush()
    this.#connection?.close('The node is stopping.')
    this.#lose('The node is stopping.')
    this.#move('stopped')
  }

  /** Sends, or keeps until the router is back; without a session the message is dropped (a new one starts from fresh facts). */
  send(message: NodeMessage): void {
    this.#session?.stream.text(encodeMessage(message))
  }

  sendDelta(channel: number, sequence: number, delta: Delta): void {
    this.#session?.stream.frame(encodeFrame(channel, sequence, delta))
  }

  /** Resolves when the router has taken most of what was sent before; null when it is not behind. */
  writable(): Promise<void> | null {
    return this.#session?.stream.writable() ?? null
  }

  #move(phase: LinkState['phase'], changes: { router?: string; lastError?: string | null } = {}): void {
    this.#state = { ...this.#state, ...changes, phase, sinceMs: this.#deps.clock.now() }
  }

  #dial(): void {
    this.#move('dialing')
    const { urls, pins, handshakeTimeoutMs = 15_000 } = this.#options
    const known = urls()
    const url = this.#session?.url ?? known[this.#turn % known.length] ?? this.#url
    this.#url = url
    this.#asked = null
    const { signer, clock, facts, dial = createDial(this.#options.proxies ?? NO_PROXY) } = this.#deps
    const connection = new LinkConnection(
      { url, pins, handshakeTimeoutMs },
      {
        signer,
        clock,
        facts,
        dial,
        resume: () => this.#resume(),
        events: {
          welcomed: welcome => this.#welcomed(connection, welcome),
          batch: (batch, bytes) => this.#take(connection, batch, bytes),
          beat: nowMs => this.send({ type: 'heartbeat', sentAtMs: nowMs }),
          down: end => this.#down(end),
        },
      },
    )
    this.#connection = connection
  }

  #resume(): LinkResume | null {
    const session = this.#session
    if (!session) return null
    session.generation += 1
    this.#asked = session.id
    return { sessionId: session.id, generation: session.generation, received: session.stream.received }
  }

  #welcomed(connection: LinkConnection, welcome: LinkWelcome): void {
    const { router, sessionId, received } = welcome
    if (sessionId !== this.#asked) {
      this.#lose('The router does not know the session any more.')
      this.#session = this.#begin(welcome)
    } else if (!this.#session?.stream.canResume(received)) {
      connection.close('The session is over.')
      return
    }
    const { stream, generation, cancelWindow } = this.#session
    cancelWindow?.()
    this.#session.cancelWindow = null
    this.#deps.logger.info({ router, session: sessionId, generation, keptBytes: stream.keptBytes }, 'link to the router is up')
    this.#move('up', { router, lastError: null })
    stream.attach(message => connection.write(message), received)
    if (sessionId !== this.#asked) this.#deps.handlers.up(welcome)
  }

  #begin({ sessionId, resumeMs }: LinkWelcome): Session {
    const full = (): void => this.#giveUp(`The router left ${MAX_KEPT_BYTES} bytes unacknowledged.`)
    const stream = createLinkStream({ maxBytes: MAX_KEPT_BYTES, full, later: this.#deps.clock.afterTurn })
    return { id: sessionId, url: this.#url, resumeMs, stream, generation: 0, cancelWindow: null }
  }

  #take(connection: LinkConnection, { head, messages }: LinkText<RouterMessage>, bytes: number): void {
    const session = this.#session
    if (!session || !head) return
    const kind = session.stream.take(head, bytes)
    if (kind === 'gap') connection.cut(`A batch before number ${head.number} is missing.`)
    if (kind === 'false ack') throw new Error(`The router acknowledged batch ${head.ack}, which was never sent.`)
    if (kind !== 'new') return
    for (const message of messages()) {
      if (message.type === 'challenge' || message.type === 'welcome' || message.type === 'refused') {
        throw new Error(`The router sent "${message.type}" in the middle of a session.`)
      }
      if (this.#session === session) this.#deps.handlers.traffic(message)
    }
  }

  /** The session is over; whatever it held is lost. */
  #lose(reason: string): void {
    const session = this.#session
    if (!session) return
    this.#session = null
    session.cancelWindow?.()
    session.stream.end()
    this.#deps.handlers.down(reason)
  }

  #giveUp(reason: string): void {
    this.#deps.logger.error({ reason }, 'the session with the router is given up')
    if (this.#connection) this.#connection.close(reason)
    else this.#lose(reason)
  }

  /**
   * Whether to wait for this router. Without leases once, because one may have been under way. One that runs nowhere has forgotten its
   * sessions: where others are known, nothing is gained by waiting for it.
   */
  #mayResume({ isCut, isNobodyThere }: LinkEnd, wasUp: boolean): boolean {
    const session = this.#session
    if (!this.#running || !session || !isCut || session.resumeMs === 0) return false
    if (isNobodyThere && this.#options.urls().some(url => url !== session.url)) return false
    return wasUp || this.#deps.handlers.holdsLeases()
  }

  #down(end: LinkEnd): void {
    const { clock } = this.#deps
    const wasUp = this.#state.phase === 'up'
    if (wasUp && clock.now() - this.#state.sinceMs >= STABLE_MS) this.#attempt = 0
    this.#connection = null
    this.#session?.stream.detach()
    if (this.#mayResume(end, wasUp)) this.#wait(this.#session!)
    else {
      this.#turn += 1
      this.#lose(end.reason)
    }
    if (this.#running) this.#redial(end)
  }

  #wait(session: Session): void {
    session.cancelWindow ??= this.#deps.clock.after(session.resumeMs, () => {
      this.#turn += 1
      this.#lose(`The router could not be reached for ${session.resumeMs} ms.`)
    })
  }

  #redial({ reason, code }: LinkEnd): void {
    const { clock, random, logger } = this.#deps
    if (code !== null && LASTING_REFUSALS.has(code)) this.#attempt = Math.max(this.#attempt, LASTING_ATTEMPT)
    const { baseMs, maxMs } = this.#options.backoff ?? DEFAULT_BACKOFF
    const limits = { baseMs, maxMs: this.#session ? Math.min(maxMs, RESUME_DELAY_MS) : maxMs }
    const delayMs = fullJitterMs(this.#attempt, limits, random)
    this.#attempt += 1
    this.#move('waiting', { lastError: code === null ? reason : `${code}: ${reason}` })
    const facts = { url: this.#url, code, reason, retryInMs: delayMs }
    if (code === null || this.#session) logger.warn(facts, this.#session ? 'link to the router is cut' : 'link to the router is down')
    else if (code === 'LINK_VERSION')
      logger.error({ ...facts, ownVersion: LINK_VERSION }, 'the router speaks another link version: update heurist')
    else logger.error(facts, 'the router refused this node')
    this.#cancelRedial = clock.after(delayMs, () => this.#dial())
  }
}

/** `LINK_BAD_URL`: the router address is not a ws:// or wss:// URL. */
export type LinkErrorCode = 'LINK_BAD_URL'

/** @throws HeuristError LINK_BAD_URL */
export function createLinkClient(options: LinkOptions, dependencies: LinkDependencies): LinkClient {
  const bad = options.urls().find(url => !URL.canParse(url) || !/^wss?:$/.test(new URL(url).protocol))
  if (bad !== undefined) {
    throw new HeuristError<LinkErrorCode>('LINK_BAD_URL', `"${bad}" is not a router address. Give one like ws://127.0.0.1:8090/node.`)
  }
  return new LinkClient(options, dependencies)
}
