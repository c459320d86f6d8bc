import { WebSocket } from 'ws'
import { createSigner, newPrivateKey, type Signer } from '#platform'
import {
  type Address,
  bytesToHex,
  type ChoiceOutput,
  createLinkStream,
  type Delta,
  domainSeparator,
  encodeFrame,
  encodeMessage,
  type FinishReason,
  groupOf,
  type Hex,
  jobDomain,
  keccakBytes,
  LINK_VERSION,
  type LinkResume,
  type LinkStream,
  type NodeFacts,
  type NodeId,
  type NodeMessage,
  outputHash,
  type PodRecord,
  type RouterMessage,
  readRouterText,
  receiptDigest,
} from '#protocol'
import { signChallenge } from '../link/challenge.ts'

/** What a fake node does with a lease; a promise that rejects fails it. */
export type FakeAnswer = (lease: FakeLease) => unknown

/**
 * A node for tests and benches: speaks the whole link protocol with a real key over a real WebSocket, and computes nothing.
 * `answer` decides what it does with a lease; every step can also be sent by hand, wrongly if a test wants that.
 */
export type FakeNodeOptions = {
  /** WebSocket address of a router's node links. */
  readonly url: string
  readonly chainId: number
  readonly settlement: Address
  /** Pods that the node hosts warm. */
  readonly pods?: readonly PodRecord[]
  readonly slots?: number
  readonly unitsPerSecond?: number
  readonly facts?: Partial<NodeFacts>
  readonly privateKey?: Hex
  /** Default: {@link answerGreeting}. */
  readonly answer?: FakeAnswer
  /** Sign receipts that the router asks for. Default true. */
  readonly autoSign?: boolean
  readonly linkVersion?: number
  /** What one turn says travels together, as a real node does it. Default false: in the order of the calls, one by one. */
  readonly batches?: boolean
  /** Milliseconds between heartbeats; 0 for none. Default 0: tests are short. */
  readonly heartbeatMs?: number
  /** The session that it claims to come back to, and its end of it: what it said there and the router has not. */
  readonly resume?: LinkResume
  readonly stream?: LinkStream
}

type LeaseGrant = Extract<RouterMessage, { type: 'lease' }>

export type FakeLease = {
  readonly grant: LeaseGrant
  /** Reason of the router's `cancel`, once it came. */
  readonly cancelled: () => string | null
  readonly onCancel: Promise<string>
  /** Resolves when the router's credit allows `tokens` more. */
  credit(tokens: number): Promise<void>
  send(delta: Delta): void
  text(text: string, tokens?: number, choice?: number): void
  phase(phase: 'loading' | 'running'): void
  /** Ends the output. Without arguments: honest, `stop` for every choice that was sent. */
  done(claims?: { finish?: { index: number; reason: FinishReason }[]; outputUnits?: number; outputHash?: Hex }): void
  fail(code: string, message: string, retryable?: boolean): void
  decline(reason: string): void
}

export type FakeNode = {
  readonly nodeId: NodeId
  readonly signer: Signer
  readonly socket: WebSocket
  readonly stream: LinkStream
  /** All messages that the router sent. */
  readonly received: readonly RouterMessage[]
  readonly leases: readonly FakeLease[]
  /** Resolves with the first message of a type (past or future), or rejects when the link closes before. */
  next<T extends RouterMessage['type']>(
    type: T,
    where?: (message: Extract<RouterMessage, { type: T }>) => boolean,
  ): Promise<Extract<RouterMessage, { type: T }>>
  send(message: NodeMessage): void
  /** As a batch of the session, once there is one. */
  sendRaw(data: string | Buffer): void
  updateFacts(facts: Partial<NodeFacts>): void
  /** Resolves with close code and reason. */
  readonly closed: Promise<{ code: number; reason: string }>
  close(): Promise<void>
}

/** Three tokens of text for each choice, or one small vector per input. */
export async function answerGreeting(lease: FakeLease): Promise<void> {
  const { kind, body } = lease.grant.request
  if (kind === 'embedding') {
    const inputs = Array.isArray(body.input) && typeof body.input[0] !== 'number' ? body.input.length : 1
    for (let choice = 0; choice < inputs; choice++) {
      lease.send({ choice, tokens: 0, text: '', embedding: Float32Array.from([1, choice, 0.5, -1]) })
    }
    return lease.done()
  }
  const choices = typeof body.n === 'number' ? body.n : 1
  for (let choice = 0; choice < choices; choice++) {
    for (const word of ['Hello', ' from', ' here']) {
      await lease.credit(1)
      lease.text(word, 1, choice)
    }
  }
  lease.done()
}

/** Facts of a CPU node that hosts `pods` warm. */
export function factsHosting(pods: readonly PodRecord[], replica: { slots?: number; unitsPerSecond?: number } = {}): NodeFacts {
  return {
    name: 'fake',
    software: 'fake/1',
    region: '',
    devices: [
      {
        id: 'cpu',
        kind: 'cpu',
        name: 'fake CPU',
        memoryBytes: 2 ** 36,
        computeCapability: 0,
        shareBps: 10_000,
        slots: 64,
        benchmark: null,
      },
    ],
    replicas: pods.map(pod => ({
      podId: pod.podId,
      manifestHash: pod.manifestHash,
      deviceId: 'cpu',
      state: 'warm',
      slots: replica.slots ?? 4,
      unitsPerSecond: replica.unitsPerSecond ?? 100,
    })),
  }
}

type Output = { text: string; toolCalls: Map<number, { id: string; name: string; arguments: string }>; embeddingHash?: Hex }

function collect(outputs: Map<number, Output>, delta: Delta): void {
  const output: Output = outputs.get(delta.choice) ?? { text: '', toolCalls: new Map() }
  outputs.set(delta.choice, output)
  output.text += delta.text
  for (const piece of delta.toolCalls ?? []) {
    const call = output.toolCalls.get(piece.index) ?? { id: '', name: '', arguments: '' }
    output.toolCalls.set(piece.index, {
      id: piece.id ?? call.id,
      name: piece.name ?? call.name,
      arguments: call.arguments + (piece.arguments ?? ''),
    })
  }
  if (!delta.embedding) return
  const { buffer, byteOffset, byteLength } = delta.embedding
  output.embeddingHash = bytesToHex(keccakBytes(new Uint8Array(buffer, byteOffset, byteLength)))
}

function choicesOf(outputs: Map<number, Output>, finish: readonly { index: number; reason: FinishReason }[]): ChoiceOutput[] {
  return finish.map(({ index, reason }) => {
    const empty: Output = { text: '', toolCalls: new Map() }
    const { text, toolCalls, embeddingHash } = outputs.get(index) ?? empty
    const calls = [...toolCalls].sort(([a], [b]) => a - b).map(([, call]) => call)
    return { index, text, toolCalls: calls, finishReason: reason, ...(embeddingHash && { embeddingHash }) }
  })
}

type LeaseState = { readonly lease: FakeLease; addCredit(tokens: number): void; cancel(reason: string): void }

function createFakeLease(grant: LeaseGrant, send: (message: NodeMessage) => void, sendRaw: (data: Buffer) => void): LeaseState {
  const outputs = new Map<number, Output>()
  const { leaseId, fencingToken } = grant
  const waiting: { tokens: number; resolve: () => void }[] = []
  let credit = grant.creditTokens
  let sequence = 0
  let tokens = 0
  let reason: string | null = null
  let resolveCancel: (reason: string) => void = () => {}
  const onCancel = new Promise<string>(resolve => {
    resolveCancel = resolve
  })
  const lease: FakeLease = {
    grant,
    cancelled: () => reason,
    onCancel,
    credit: wanted => {
      if (credit - tokens >= wanted) return Promise.resolve()
      return new Promise(resolve => waiting.push({ tokens: wanted, resolve }))
    },
    send(delta) {
      tokens += delta.tokens
      collect(outputs, delta)
      sendRaw(encodeFrame(grant.channel, sequence++, delta))
    },
    text: (text, count = 1, choice = 0) => lease.send({ choice, tokens: count, text }),
    phase: phase => send({ type: 'phase', leaseId, fencingToken, phase }),
    done(claims = {}) {
      const finish = claims.finish ?? [...outputs.keys()].map(index => ({ index, reason: 'stop' as const }))
      send({
        type: 'done',
        leaseId,
        fencingToken,
        outputHash: claims.outputHash ?? outputHash(choicesOf(outputs, finish)),
        inputUnits: 0,
        outputUnits: claims.outputUnits ?? tokens,
        finish,
      })
    },
    fail: (code, message, retryable = true) => send({ type: 'failed', leaseId, fencingToken, code, message, retryable }),
    decline: why => send({ type: 'declined', leaseId, fencingToken, reason: why }),
  }
  return {
    lease,
    addCredit(more) {
      credit += more
      for (const waiter of waiting.splice(0)) {
        if (credit - tokens >= waiter.tokens) waiter.resolve()
        else waiting.push(waiter)
      }
    },
    cancel(why) {
      reason = why
      resolveCancel(why)
    },
  }
}

type Watcher = { see: (message: RouterMessage) => void; reject: (error: Error) => void }

/** Everything received, and promises for what is yet to come. */
function createInbox() {
  const received: RouterMessage[] = []
  const watchers = new Set<Watcher>()
  const next: FakeNode['next'] = (type, where = () => true) => {
    type Wanted = Extract<RouterMessage, { type: typeof type }>
    const matches = (message: RouterMessage): message is Wanted => message.type === type && where(message as Wanted) // cast: its type was compared
    const past = received.find(matches)
    if (past) return Promise.resolve(past)
    return new Promise((resolve, reject) => {
      const see = (message: RouterMessage): void => {
        if (!matches(message)) return
        watchers.delete(watcher)
        resolve(message)
      }
      const watcher = { see, reject }
      watchers.add(watcher)
    })
  }
  return {
    received,
    next,
    add(message: RouterMessage): void {
      received.push(message)
      for (const watcher of [...watchers]) watcher.see(message)
    },
    end(error: Error): void {
      for (const watcher of watchers) watcher.reject(error)
    },
  }
}

/** One signature for these receipts. */
export function signedMessage(
  signer: Signer,
  separator: Uint8Array,
  members: readonly { readonly leaseId: Hex; readonly fencingToken: number; readonly digest: Uint8Array }[],
): NodeMessage {
  const group = groupOf(
    separator,
    members.map(({ digest }) => digest),
  )
  const leases = members.map(member => ({ ...member, digest: bytesToHex(member.digest) }))
  return { type: 'signed', leases, signature: signer.signDigest(group.digest) }
}

/** What an honest node does with each message of its router. */
function createReactions(options: FakeNodeOptions, signer: Signer, sendRaw: (data: string | Buffer) => void) {
  const separator = domainSeparator(jobDomain(options.chainId, options.settlement))
  const leases: FakeLease[] = []
  const states = new Map<number, LeaseState>()
  const send = (message: NodeMessage): void => sendRaw(encodeMessage(message))
  const answer = options.answer ?? answerGreeting

  function onLease(grant: LeaseGrant): void {
    const state = createFakeLease(grant, send, sendRaw)
    states.set(grant.channel, state)
    leases.push(state.lease)
    Promise.resolve(answer(state.lease)).catch(error => state.lease.fail('FAKE_ANSWER_THREW', String(error)))
  }

  let agreed: { leaseId: Hex; fencingToken: number; digest: Uint8Array }[] = []
  function sign(): void {
    const group = agreed
    agreed = []
    send(signedMessage(signer, separator, group))
  }

  function react(message: RouterMessage): void {
    if (message.type === 'lease') onLease(message)
    else if (message.type === 'credit') states.get(message.channel)?.addCredit(message.tokens)
    else if (message.type === 'cancel') {
      for (const state of states.values()) if (state.lease.grant.leaseId === message.leaseId) state.cancel(message.reason)
    } else if (message.type === 'sign' && options.autoSign !== false) {
      agreed.push({ leaseId: message.leaseId, fencingToken: message.fencingToken, digest: receiptDigest(separator, message.receipt) })
      if (agreed.length === 1) setImmediate(sign)
    }
  }
  return { leases, send, react }
}

/** What the node says: as it is before the welcome, then as batches of the session. */
function speaker(socket: WebSocket, { batches, stream: given }: FakeNodeOptions) {
  const write = (data: string | Uint8Array): void => {
    if (socket.readyState === WebSocket.OPEN) socket.send(data)
  }
  const stream = given ?? createLinkStream({ maxBytes: Number.POSITIVE_INFINITY, full: () => undefined, later: setImmediate })
  let isLinked = false
  return {
    stream,
    sendRaw(data: string | Buffer): void {
      if (!isLinked) write(data)
      else if (typeof data === 'string') stream.text(data)
      else stream.frame(data)
      if (isLinked && !batches) stream.flush()
    },
    begin(received: number): void {
      isLinked = true
      stream.attach(write, received)
    },
  }
}

/** Opens the link without the handshake: for tests that do it wrongly. */
export function openFakeLink(options: FakeNodeOptions): FakeNode {
  const signer = createSigner(options.privateKey ?? newPrivateKey())
  const socket = new WebSocket(options.url, { perMessageDeflate: false })
  const inbox = createInbox()
  const { stream, sendRaw, begin } = speaker(socket, options)
  const { leases, send, react } = createReactions(options, signer, sendRaw)
  const facts = { ...factsHosting(options.pods ?? [], options), ...options.facts }
  const beat = (): void => send({ type: 'heartbeat', sentAtMs: Date.now() })
  const heartbeat = options.heartbeatMs ? setInterval(beat, options.heartbeatMs) : undefined
  const closed = new Promise<{ code: number; reason: string }>(resolve => {
    socket.on('close', (code, reason) => {
      clearInterval(heartbeat)
      resolve({ code, reason: reason.toString() })
      inbox.end(new Error(`the link closed with ${code} ${reason}`))
    })
  })
  socket.on('error', () => {})
  socket.on('message', data => {
    const { head, messages } = readRouterText(data.toString())
    if (head && stream.take(head, String(data).length) !== 'new') return
    for (const message of messages()) {
      if (message.type === 'welcome') begin(message.received)
      inbox.add(message)
      react(message)
    }
  })
  const close = async (): Promise<void> => {
    socket.close()
    await closed
  }
  const updateFacts = (changes: Partial<NodeFacts>): void => send({ type: 'facts', facts: { ...facts, ...changes } })
  const { received, next } = inbox
  return { nodeId: signer.address, signer, socket, stream, received, leases, next, send, sendRaw, updateFacts, closed, close }
}

/** Links and authenticates; resolves when the router has welcomed the node. */
export async function startFakeNode(options: FakeNodeOptions): Promise<FakeNode> {
  const node = openFakeLink(options)
  const challenge = await node.next('challenge')
  const { nodeId, signer } = node
  node.send({ type: 'hello', linkVersion: options.linkVersion ?? LINK_VERSION, nodeId, chainId: options.chainId })
  const separator = domainSeparator(jobDomain(options.chainId, options.settlement))
  const facts = { ...factsHosting(options.pods ?? [], options), ...options.facts }
  const { resume } = options
  const signature = signChallenge(separator, challenge, signer, resume)
  node.send({ type: 'authenticate', nonce: challenge.nonce, signature, facts, ...(resume && { resume }) })
  await node.next('welcome')
  return node
}
