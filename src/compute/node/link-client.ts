import { type BackoffOptions, type Clock, fullJitterMs, type Logger, type Random, type Signer } from '#platform'
import { type Delta, HeuristError, LINK_VERSION, type NodeFacts, type NodeMessage } from '#protocol'
import type { LinkPins } from './link-handshake.ts'
import { type Dial, dialWebSocket, LinkSession, type LinkTraffic, type LinkWelcome } from './link-session.ts'

export type LinkOptions = {
  /** ws:// or wss:// addresses of routers, its own first; asked for at every dial, because routers come and go. Never empty. */
  readonly urls: () => readonly string[]
  readonly pins: LinkPins
  readonly backoff?: BackoffOptions
  readonly handshakeTimeoutMs?: number
}
export type LinkHandlers = {
  up(welcome: LinkWelcome): void
  traffic(message: LinkTraffic): void
  down(reason: string): void
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

/** Keeps one link to the router: dials out, proves the key, comes back after a loss. */
export class LinkClient {
  readonly #options: LinkOptions
  readonly #deps: LinkDependencies
  #session: LinkSession | null = null
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
    this.#session?.close('The node is stopping.')
    this.#session = null
    this.#move('stopped')
  }

  /** Sends when the link is up; otherwise the message is dropped (a new link starts from fresh facts). */
  send(message: NodeMessage): void {
    if (this.#session?.isUp) this.#session.send(message)
  }

  sendDelta(channel: number, sequence: number, delta: Delta): void {
    if (this.#session?.isUp) this.#session.sendDelta(channel, sequence, delta)
  }

  writable(): Promise<void> | null {
    return this.#session?.writable() ?? null
  }

  #move(phase: LinkState['phase'], changes: { router?: string; lastError?: string | null } = {}): void {
    this.#state = { ...this.#state, ...changes, phase, sinceMs: this.#deps.clock.now() }
  }

  #dial(): void {
    this.#move('dialing')
    const { urls, pins, handshakeTimeoutMs = 15_000 } = this.#options
    const known = urls()
    const url = known[this.#turn % known.length] ?? this.#url
    this.#url = url
    const { signer, clock, logger, facts, dial = dialWebSocket } = this.#deps
    const events = {
      up: (welcome: LinkWelcome) => this.#up(welcome),
      traffic: (message: LinkTraffic) => this.#deps.handlers.traffic(message),
      down: (reason: string, code: string | null) => this.#down(reason, code),
    }
    this.#session = new LinkSession({ url, pins, handshakeTimeoutMs }, { signer, clock, logger, facts, events, dial })
  }

  #up(welcome: LinkWelcome): void {
    this.#move('up', { router: welcome.router, lastError: null })
    this.#deps.logger.info({ router: welcome.router, session: welcome.sessionId, pods: welcome.pods.length }, 'link to the router is up')
    this.#deps.handlers.up(welcome)
  }

  #down(reason: string, code: string | null): void {
    const { clock, random, logger, handlers } = this.#deps
    const wasUp = this.#state.phase === 'up'
    if (wasUp && clock.now() - this.#state.sinceMs >= STABLE_MS) this.#attempt = 0
    this.#turn += 1
    this.#session = null
    if (wasUp) handlers.down(reason)
    if (!this.#running) return
    if (code !== null && LASTING_REFUSALS.has(code)) this.#attempt = Math.max(this.#attempt, LASTING_ATTEMPT)
    const delayMs = fullJitterMs(this.#attempt, this.#options.backoff ?? DEFAULT_BACKOFF, random)
    this.#attempt += 1
    this.#move('waiting', { lastError: code === null ? reason : `${code}: ${reason}` })
    const facts = { url: this.#url, code, reason, retryInMs: delayMs }
    if (code === null) logger.warn(facts, 'link to the router is down')
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
