import { WebSocket } from 'ws'
import { type Clock, type Logger, repeat } from '#platform'
import {
  createOutbox,
  DISPATCH_VERSION,
  decodeFrames,
  encodeMessage,
  type GatewayMessage,
  type JobCompletion,
  type JobControl,
  type JobOrder,
  type JobSink,
  messageOf,
  type NodeId,
  type NodeLog,
  type NodeView,
  type NodeWhy,
  type Outbox,
  type PodId,
  parseRouterEvents,
  type RouterEvent,
  type WireOrder,
} from '#protocol'

export type RouterLinkDependencies = {
  readonly clock: Clock
  readonly logger: Logger
  /** The link is gone for good; jobs on it were told to their `onLost`. */
  readonly closed: () => void
}

/** A router tells of its nodes every second. One that says nothing for this many looks stands still, and its jobs begin again elsewhere. */
const SILENT_LOOKS = 10
const LOOK_EVERY_MS = 1_000

type Channel = { readonly sink: JobSink; readonly onLost: () => void }
type Asked = PromiseWithResolvers<unknown>

function wireOrder({ pod, referredNodes, ...order }: JobOrder): WireOrder {
  return { ...order, podId: pod.podId, manifestHash: pod.manifestHash, referredNodes: [...referredNodes] }
}

/** One link to one router in another process. Used once: when it breaks, its jobs are lost to it, and a new link is a new object. */
export class RouterLink {
  readonly #socket: WebSocket
  readonly #outbox: Outbox
  readonly #dependencies: RouterLinkDependencies
  readonly #channels = new Map<number, Channel>()
  readonly #asked = new Map<number, Asked>()
  /** Counted and not timed: a clock that jumps, or a gateway that stood still itself, makes no router silent. */
  #looksSinceHeard = 0
  readonly #stopLooking: () => void
  #next = 0
  #isClosed = false
  nodes: readonly NodeView[] = []

  constructor(options: { readonly url: string; readonly secret: string }, dependencies: RouterLinkDependencies) {
    const url = new URL(options.url)
    url.searchParams.set('version', String(DISPATCH_VERSION))
    this.#dependencies = dependencies
    this.#socket = new WebSocket(url, {
      perMessageDeflate: false,
      handshakeTimeout: 5_000,
      headers: { authorization: `Bearer ${options.secret}` },
    })
    this.#outbox = createOutbox(
      message => this.#socket.readyState === WebSocket.OPEN && this.#socket.send(message),
      dependencies.clock.afterTurn,
    )
    this.#socket.on('message', (data, isBinary) => this.#receive(data as Buffer, isBinary)) // cast: binaryType is the default, nodebuffer
    this.#socket.on('error', error =>
      dependencies.logger.warn({ url: options.url, reason: messageOf(error) }, 'the link to a router broke'),
    )
    this.#socket.on('close', () => this.#closed())
    const failed = (error: unknown): void => dependencies.logger.error({ reason: messageOf(error) }, 'a router could not be given up')
    this.#stopLooking = repeat(dependencies.clock, LOOK_EVERY_MS, () => this.#look(options.url), failed)
  }

  #look(url: string): void {
    this.#looksSinceHeard += 1
    if (this.#looksSinceHeard <= SILENT_LOOKS) return
    this.#dependencies.logger.warn({ url }, 'a router says nothing any more; its link is closed')
    this.#socket.terminate()
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN
  }

  dispatch(order: JobOrder, sink: JobSink, onLost: () => void): JobControl {
    const channel = this.#freeChannel()
    this.#channels.set(channel, { sink, onLost })
    this.#send({ type: 'order', channel, order: wireOrder(order) })
    return {
      cancel: reason => this.#channels.has(channel) && this.#send({ type: 'cancel', channel, reason }),
      grant: tokens => this.#channels.has(channel) && this.#send({ type: 'grant', channel, tokens }),
    }
  }

  why(nodeId: NodeId): Promise<NodeWhy> {
    return this.#ask(id => ({ type: 'why', id, nodeId })) as Promise<NodeWhy> // cast: written by the router's why()
  }

  podLogs(podId: PodId, sinceMs: number): Promise<NodeLog[]> {
    return this.#ask(id => ({ type: 'logs', id, podId, sinceMs })) as Promise<NodeLog[]> // cast: parsed by the event's schema
  }

  #ask(question: (id: number) => GatewayMessage): Promise<unknown> {
    const id = this.#freeChannel()
    const asked: Asked = Promise.withResolvers()
    this.#asked.set(id, asked)
    this.#send(question(id))
    return asked.promise
  }

  close(): void {
    this.#socket.close(1001, 'the gateway is stopping')
    // A router that never answers the close frame must not hold the process.
    this.#dependencies.clock.after(1_000, () => this.#socket.terminate())
  }

  #freeChannel(): number {
    do this.#next = (this.#next + 1) % 0xffff_ffff
    while (this.#channels.has(this.#next) || this.#asked.has(this.#next))
    return this.#next
  }

  #send(message: GatewayMessage): void {
    this.#outbox.text(encodeMessage(message))
  }

  #receive(data: Buffer, isBinary: boolean): void {
    this.#looksSinceHeard = 0
    try {
      if (isBinary) for (const { channel, delta } of decodeFrames(data)) this.#channels.get(channel)?.sink.delta(delta)
      else for (const event of parseRouterEvents(data.toString('utf8'))) this.#onEvent(event)
    } catch (error) {
      this.#dependencies.logger.error({ reason: messageOf(error) }, 'a router sent what can not be read; its link is closed')
      this.#socket.terminate()
    }
  }

  #onEvent(event: RouterEvent): void {
    if (event.type === 'nodes')
      this.nodes = event.nodes as NodeView[] // cast: exact optional members of the facts
    else if (event.type === 'why') this.#answered(event.id, event.why)
    else if (event.type === 'logs') this.#answered(event.id, event.logs)
    else this.#onJobEvent(event)
  }

  #answered(id: number, answer: unknown): void {
    this.#asked.get(id)?.resolve(answer)
    this.#asked.delete(id)
  }

  #onJobEvent(event: Exclude<RouterEvent, { type: 'nodes' | 'why' | 'logs' }>): void {
    const sink = this.#channels.get(event.channel)?.sink
    // Its end was heard before.
    if (!sink) return
    if (event.type === 'completed' || event.type === 'failed') this.#channels.delete(event.channel)
    switch (event.type) {
      case 'decided':
        sink.decided(event.decision as Parameters<JobSink['decided']>[0]) // cast: exact optional members
        break
      case 'leased':
        sink.leased(event.lease)
        break
      case 'loading':
        sink.loading()
        break
      case 'retrying':
        sink.retrying(event.code, event.message)
        break
      case 'completed':
        sink.completed(event.completion as JobCompletion) // cast: exact optional members
        break
      case 'failed':
        sink.failed(event.failure)
    }
  }

  #closed(): void {
    this.#stopLooking()
    if (this.#isClosed) return
    this.#isClosed = true
    const lost = [...this.#channels.values()]
    this.#channels.clear()
    for (const asked of this.#asked.values()) asked.reject(new Error('the link to the router broke'))
    this.#asked.clear()
    this.#outbox.drop()
    this.#dependencies.closed()
    for (const { onLost } of lost) onLost()
  }
}
