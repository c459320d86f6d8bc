import type { WebSocket } from 'ws'
import {
  type BatchHead,
  bytesToHex,
  createLinkStream,
  encodeMessage,
  type Frame,
  type LinkResume,
  type LinkStream,
  type LogLine,
  type NodeFacts,
  type NodeId,
  type NodeMessage,
  type PodRecord,
} from '#protocol'
import type { LinkErrorCode } from '../errors.ts'
import type { RouterDependencies, RouterOptions } from '../options.ts'
import type { Budgets } from './budgets.ts'
import type { CloseLog } from './close-log.ts'
import type { Refusal } from './handshake.ts'

/** What a link asks of its WebSocket; a network that is not HTTP gives its own. */
export type LinkSocket = Pick<WebSocket, 'on' | 'once' | 'send' | 'close' | 'terminate' | 'readyState' | 'OPEN' | 'bufferedAmount'>

/** Messages about a lease; the rest of the link protocol ends here. */
export type LeaseMessage = Extract<NodeMessage, { leaseId: unknown }>
export type SignedMessage = Extract<NodeMessage, { type: 'signed' }>

/** An authenticated node, over one connection after the other: a cut does not end it while the node holds leases. */
export type Session = {
  readonly sessionId: string
  readonly nodeId: NodeId
  readonly connectedAtMs: number
  readonly lastSeenAtMs: number
  /** Since when no connection carries it; null while one does. */
  readonly cutAtMs: number | null
  /** Leaves at the end of the turn, or when the node is back. */
  send(text: string): void
  /** Counts a message, or so many bytes of one, that belongs to no live lease; too many end the session. */
  countStray(bytes?: number): void
  close(code: LinkErrorCode, message: string): void
  /** The node is not expected any more. */
  end(): void
}

/** One connection, as its session sees it. */
export type Carrier = {
  write(message: Uint8Array | string): void
  /** Closes it and says why; the session may go on over another one. */
  drop(code: LinkErrorCode, message: string): void
}

export type SessionEvents = {
  joined(session: Session, facts: NodeFacts): void
  facts(session: Session, facts: NodeFacts): void
  logs(session: Session, id: number, lines: readonly LogLine[]): void
  leaseMessage(session: Session, message: LeaseMessage): void
  signed(session: Session, message: SignedMessage): void
  /** `bytes`: of the message that they came in. */
  frames(session: Session, frames: readonly Frame[], bytes: number): void
  /** Leases that the node of this session holds now. */
  openLeases(session: Session): number
  /** One of them is live: something is lost when the session ends. */
  isNeeded(session: Session): boolean
  /** Its connection is gone, and it is waited for. */
  cut(session: Session): void
  resumed(session: Session, facts: NodeFacts): void
  /** Once per session that joined. */
  left(session: Session): void
}

export type SessionContext = {
  readonly options: RouterOptions
  readonly dependencies: RouterDependencies
  readonly separator: Uint8Array
  readonly events: SessionEvents
  /** One per node key. */
  readonly sessions: Map<NodeId, LinkSession>
  readonly budgets: Budgets<NodeId>
  readonly noteClose: CloseLog
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
  LINK_GAP: 4410,
  LINK_TOO_LARGE: 4413,
  LINK_RATE_LIMITED: 4429,
  LINK_SLOW: 4429,
  LINK_FULL: 4503,
  LINK_STOPPING: 4503,
}
// Parsing or sending 4 KB costs about as much as handling a message.
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

export class LinkSession implements Session {
  readonly sessionId: string
  readonly connectedAtMs: number
  readonly nodeId: NodeId
  lastSeenAtMs: number
  cutAtMs: number | null = null
  readonly #context: SessionContext
  readonly #stream: LinkStream
  #connection: Carrier | null = null
  #generation = 0
  #isOver = false
  #cancelWindow: () => void = () => {}

  constructor(nodeId: NodeId, context: SessionContext) {
    const { options, dependencies } = context
    const { clock, random } = dependencies
    this.nodeId = nodeId
    this.#context = context
    this.sessionId = bytesToHex(random(16)).slice(2)
    this.connectedAtMs = clock.now()
    this.lastSeenAtMs = this.connectedAtMs
    const full = (): void => this.close('LINK_SLOW', `The node left ${this.#stream.keptBytes} bytes unacknowledged.`)
    this.#stream = createLinkStream({ maxBytes: options.maxSendBufferBytes, full, later: clock.afterTurn })
  }

  /** Last batch of the node that was taken. */
  get received(): number {
    return this.#stream.received
  }

  send(text: string): void {
    this.#stream.text(text)
  }

  countStray(bytes = 0): void {
    this.#charge(1 + bytes / LARGE_TEXT_BYTES)
  }

  /** False when that was too much, and ended the session. */
  #charge(cost: number): boolean {
    if (this.#context.budgets.take(this.nodeId, cost)) return true
    this.close('LINK_RATE_LIMITED', 'The node sent too many messages that belong to no live lease.')
    return false
  }

  close(code: LinkErrorCode, message: string): void {
    const connection = this.#connection
    this.#connection = null
    connection?.drop(code, message)
    this.end()
  }

  end(): void {
    if (this.#isOver) return
    const { sessions, events } = this.#context
    this.#isOver = true
    this.#connection = null
    this.#cancelWindow()
    this.#stream.end()
    if (sessions.get(this.nodeId) === this) sessions.delete(this.nodeId)
    events.left(this)
  }

  /** The node may come back while it holds leases: for so long they run on, and it is given no others. */
  cut(connection: Carrier): void {
    if (this.#isOver || this.#connection !== connection) return
    const { events, options, dependencies } = this.#context
    this.#connection = null
    this.#stream.detach()
    if (options.resumeMs === 0 || !events.isNeeded(this)) {
      this.end()
      return
    }
    this.cutAtMs = dependencies.clock.now()
    this.#cancelWindow = dependencies.clock.after(options.resumeMs, () => this.end())
    events.cut(this)
  }

  /** What speaks against going on with the session as the node, which has proved its key, wants it; null when nothing does. */
  objectionTo({ generation, received }: LinkResume): Refusal | null {
    if (generation <= this.#generation) return ['LINK_FENCED', `Node ${this.nodeId} resumed this session over a newer connection.`]
    if (!this.#stream.canResume(received)) return ['LINK_UNEXPECTED', `The node says that it has ${received} batches of this session.`]
    // What is sent again costs like what is heard.
    const mayResume = this.#charge(this.#stream.keptBytes / LARGE_TEXT_BYTES)
    return mayResume ? null : ['LINK_RATE_LIMITED', 'The node came back to its session too often.']
  }

  /** The node is back. A connection that is still open is the older one. */
  resume(connection: Carrier, { generation, received }: LinkResume): void {
    const older = this.#connection
    this.#connection = null
    this.#generation = generation
    older?.drop('LINK_FENCED', 'The node resumed its session over a newer connection.')
    this.cutAtMs = null
    this.#cancelWindow()
    this.carryBy(connection, received)
  }

  carryBy(connection: Carrier, received: number): void {
    this.#connection = connection
    this.#stream.attach(message => connection.write(message), received)
  }

  heard(): void {
    this.lastSeenAtMs = this.#context.dependencies.clock.now()
  }

  /** Paid before it is parsed, by size: a few huge texts cost as much as many small ones. Each open lease brings one of its own. */
  mayRead(bytes: number): boolean {
    const freeBytes = LARGE_TEXT_BYTES + LEASE_TEXT_BYTES * this.#context.events.openLeases(this)
    return bytes < freeBytes || this.#charge((bytes - freeBytes) / LARGE_TEXT_BYTES + 1)
  }

  /** True when the batch is the next one. One that is known was sent again; after a gap the node must send again what is missing. */
  take(head: BatchHead, bytes: number): boolean {
    const kind = this.#stream.take(head, bytes)
    if (kind === 'gap') this.#connection?.drop('LINK_GAP', `A batch before number ${head.number} is missing. Connect again and resume.`)
    else if (kind === 'false ack') this.close('LINK_UNEXPECTED', `The node acknowledged batch ${head.ack}, which was never sent.`)
    else if (kind === 'known') this.countStray()
    return kind === 'new'
  }

  on(message: NodeMessage): Refusal | null {
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
}
