import type { WebSocket } from 'ws'
import type { Clock, Logger } from '#platform'
import {
  type Bytes32,
  createOutbox,
  encodeFrame,
  encodeMessage,
  type GatewayMessage,
  type JobControl,
  type JobId,
  type JobSink,
  messageOf,
  type Outbox,
  type PodId,
  type PodRecord,
  parseGatewayMessages,
  type RouterEvent,
  type SignedDiscardReceipt,
  type WireOrder,
} from '#protocol'
import type { Router } from '../router.ts'

/** What the door and its connections need of their router. */
export type DoorDependencies = {
  readonly router: Pick<Router, 'dispatch' | 'decisionsStored' | 'nodes' | 'why' | 'podLogs'>
  /** The pod of this version; null when this router has not heard of it. */
  readonly podOf: (podId: PodId, manifestHash: Bytes32) => PodRecord | null
  /** Reads the pods again. */
  readonly refreshPods: () => Promise<void>
  readonly signDiscard: (order: WireOrder, facts: { readonly attempts: number; readonly reason: string }) => SignedDiscardReceipt
  readonly clock: Clock
  readonly logger: Logger
}

type Order = Extract<GatewayMessage, { type: 'order' }>

const POD_UNKNOWN = 'ROUTER_POD_UNKNOWN'

/** One gateway's link to this router: its orders in, what happens to them out. When it breaks, its jobs are cancelled. */
export class GatewayConnection {
  readonly #socket: WebSocket
  readonly #dependencies: DoorDependencies
  readonly #outbox: Outbox
  readonly #jobs = new Map<number, JobControl>()

  constructor(socket: WebSocket, dependencies: DoorDependencies) {
    this.#socket = socket
    this.#dependencies = dependencies
    this.#outbox = createOutbox(message => socket.readyState === socket.OPEN && socket.send(message), dependencies.clock.afterTurn)
    socket.on('message', (data, isBinary) => this.#receive(data as Buffer, isBinary)) // cast: binaryType is the default, nodebuffer
    socket.on('error', error => dependencies.logger.warn({ reason: messageOf(error) }, 'the link of a gateway broke'))
    socket.on('close', () => this.#lost())
    this.tellNodes()
  }

  tellNodes(): void {
    this.#send({ type: 'nodes', nodes: this.#dependencies.router.nodes() as Extract<RouterEvent, { type: 'nodes' }>['nodes'] }) // cast: readonly lists
  }

  #send(event: RouterEvent): void {
    this.#outbox.text(encodeMessage(event))
  }

  #receive(data: Buffer, isBinary: boolean): void {
    try {
      if (isBinary) throw new Error('a gateway sends no frames')
      for (const message of parseGatewayMessages(data.toString('utf8'))) this.#onMessage(message)
    } catch (error) {
      this.#dependencies.logger.error({ reason: messageOf(error) }, 'a gateway sent what can not be read; its link is closed')
      this.#socket.close(4400, 'DISPATCH_MALFORMED')
    }
  }

  #onMessage(message: GatewayMessage): void {
    if (message.type === 'order') this.#onOrder(message)
    else if (message.type === 'cancel') this.#jobs.get(message.channel)?.cancel(message.reason)
    else if (message.type === 'grant') this.#jobs.get(message.channel)?.grant(message.tokens)
    else if (message.type === 'why') this.#send({ type: 'why', id: message.id, why: this.#dependencies.router.why(message.nodeId) })
    else void this.#tellLogs(message)
  }

  /** Never rejects: the router leaves out who does not answer. */
  async #tellLogs({ id, podId, sinceMs }: Extract<GatewayMessage, { type: 'logs' }>): Promise<void> {
    const logs = await this.#dependencies.router.podLogs(podId, sinceMs)
    this.#send({ type: 'logs', id, logs: logs as Extract<RouterEvent, { type: 'logs' }>['logs'] }) // cast: readonly lists
  }

  #onOrder(message: Order): void {
    const { podOf } = this.#dependencies
    const { podId, manifestHash } = message.order
    if (podOf(podId, manifestHash)) this.#dispatch(message)
    else this.#dispatchLater(message)
  }

  /** The gateway knows a version of the pod of which this router has not heard yet. */
  #dispatchLater(message: Order): void {
    const { channel, order } = message
    let cancelReason: string | null = null
    const cancel = (reason: string): void => {
      cancelReason = reason
    }
    this.#jobs.set(channel, { cancel, grant: () => undefined })
    const again = (): void => {
      // The link broke meanwhile.
      if (!this.#jobs.has(channel)) return
      if (this.#dependencies.podOf(order.podId, order.manifestHash)) this.#dispatch(message)
      else this.#refuse(message)
      if (cancelReason !== null) this.#jobs.get(channel)?.cancel(cancelReason)
    }
    this.#dependencies.refreshPods().then(again, again)
  }

  #refuse({ channel, order }: Order): void {
    const text = `This router does not know version ${order.manifestHash} of pod ${order.podId} yet. Send the job again.`
    const signedDiscard = this.#dependencies.signDiscard(order, { attempts: 0, reason: POD_UNKNOWN })
    const facts = { retryAfterMs: 1_000, param: null, startedOutput: false, attempts: 0, signedDiscard }
    this.#jobs.delete(channel)
    this.#send({ type: 'failed', channel, failure: { code: POD_UNKNOWN, message: text, ...facts } })
  }

  #dispatch({ channel, order }: Order): void {
    const pod = this.#dependencies.podOf(order.podId, order.manifestHash)
    if (!pod) throw new Error('the pod was known a moment ago')
    const whole = { ...order, pod, referredNodes: new Set(order.referredNodes) }
    this.#jobs.set(channel, this.#dependencies.router.dispatch(whole, this.#sinkOf(channel, order)))
  }

  #sinkOf(channel: number, { jobId }: WireOrder): JobSink {
    let sequence = 0
    return {
      decided: decision => this.#send({ type: 'decided', channel, decision }),
      leased: lease => this.#send({ type: 'leased', channel, lease }),
      loading: () => this.#send({ type: 'loading', channel }),
      retrying: (code, message) => this.#send({ type: 'retrying', channel, code, message }),
      // This router lives: it says nothing of the kind about itself.
      undecided: () => undefined,
      delta: delta => this.#outbox.frame(encodeFrame(channel, sequence++, delta)),
      completed: completion =>
        this.#end(channel, jobId, { type: 'completed', channel, completion: { ...completion, choices: completion.choices as never } }), // cast: readonly lists
      failed: failure => this.#end(channel, jobId, { type: 'failed', channel, failure }),
    }
  }

  /** Its decisions are on disk before the gateway hears of the end (law R2, ADR 0017). */
  #end(channel: number, jobId: JobId, event: RouterEvent): void {
    const { router, logger } = this.#dependencies
    router.decisionsStored(jobId).then(
      () => {
        this.#jobs.delete(channel)
        this.#send(event)
      },
      error => {
        // Nobody may settle a job whose decision can not be replayed: the gateway takes this router for lost, and charges nothing.
        logger.error({ jobId, reason: messageOf(error) }, 'the decisions of a job could not be stored')
        this.#socket.close(4500, 'ROUTER_JOURNAL_LOST')
      },
    )
  }

  #lost(): void {
    this.#outbox.drop()
    for (const control of this.#jobs.values()) control.cancel('its gateway went away')
    this.#jobs.clear()
  }
}
