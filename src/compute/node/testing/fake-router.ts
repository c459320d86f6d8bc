import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { createSigner, newPrivateKey, recoverSigner, type Signer, systemClock } from '#platform'
import {
  type Address,
  BATCH_HEADER_BYTES,
  bytesToHex,
  createLinkStream,
  decodeBatchHead,
  decodeFrames,
  domainSeparator,
  encodeMessage,
  type Frame,
  jobDomain,
  LINK_MAX_FRAME_BYTES,
  LINK_VERSION,
  NODE_CHALLENGE_TYPE,
  type NodeMessage,
  type PodRecord,
  ROUTER_WELCOME_TYPE,
  type RouterMessage,
  readNodeText,
  typedDataDigest,
} from '#protocol'

export const TEST_CHAIN_ID = 31_337
export const TEST_SETTLEMENT: Address = '0x00000000000000000000000000000000000000aa'

/** One link as the router sees it. */
export type RouterLink = {
  readonly socket: WebSocket
  readonly messages: NodeMessage[]
  readonly frames: Frame[]
  /** Binary messages that came; a batch of frames counts once. */
  binaryMessages: number
  closeCode: number | null
  send(message: RouterMessage): void
}
export type FakeRouterOptions = {
  readonly pods?: readonly PodRecord[]
  /** Asks the node for one replica of each pod, as an autoscaler would; true unless said. */
  readonly loads?: boolean
  readonly heartbeatIntervalMs?: number
  readonly resumeMs?: number
  readonly challenge?: Partial<Extract<RouterMessage, { type: 'challenge' }>>
  /** Signs the welcome in place of the router: an impostor. */
  readonly welcomeSigner?: Signer
  /** Called instead of the welcome; forgets every session otherwise. */
  readonly onAuthenticated?: (link: RouterLink) => void
  readonly port?: number
}

/** The router's side of the link protocol over a real WebSocket server, as small as a test can use it. */
export async function startFakeRouter(options: FakeRouterOptions = {}) {
  const signer = createSigner(newPrivateKey())
  const server = new WebSocketServer({
    port: options.port ?? 0,
    host: '127.0.0.1',
    maxPayload: LINK_MAX_FRAME_BYTES,
    perMessageDeflate: false,
  })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // cast: a TCP server has a port
  const links: RouterLink[] = []
  const separator = domainSeparator(jobDomain(TEST_CHAIN_ID, TEST_SETTLEMENT))
  server.on('connection', socket => links.push(acceptLink(socket, { options, signer, separator })))
  return {
    signer,
    port,
    url: `ws://127.0.0.1:${port}`,
    links,
    separator,
    get link(): RouterLink {
      return links.at(-1)!
    },
    async stop() {
      for (const client of server.clients) client.terminate()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
export type FakeRouter = Awaited<ReturnType<typeof startFakeRouter>>

function acceptLink(socket: WebSocket, context: { options: FakeRouterOptions; signer: Signer; separator: Uint8Array }): RouterLink {
  const { options, signer, separator } = context
  const link: RouterLink = {
    socket,
    messages: [],
    frames: [],
    binaryMessages: 0,
    closeCode: null,
    send(message) {
      if (isWelcome) stream.text(encodeMessage(message))
      else socket.send(encodeMessage(message))
    },
  }
  const stream = createLinkStream({ maxBytes: Number.POSITIVE_INFINITY, full: () => undefined, later: setImmediate })
  let isWelcome = false
  const nonce = bytesToHex(randomBytes(32))
  const challenge = {
    type: 'challenge' as const,
    linkVersion: LINK_VERSION,
    router: signer.address,
    chainId: TEST_CHAIN_ID,
    settlement: TEST_SETTLEMENT,
    nonce,
    expiresAtMs: systemClock.now() + 30_000,
    ...options.challenge,
  }
  socket.on('close', code => {
    link.closeCode = code
  })
  socket.on('error', () => {})
  const hear = (message: NodeMessage): void => {
    link.messages.push(message)
    if (message.type !== 'authenticate') return
    const node = recoverSigner(
      typedDataDigest(separator, NODE_CHALLENGE_TYPE, {
        ...challenge,
        node: helloOf(link),
        role: 'node',
        session: message.resume?.sessionId ?? '',
        generation: message.resume?.generation ?? 0,
      }),
      message.signature,
    )
    if (node !== helloOf(link)) {
      link.send({ type: 'refused', code: 'LINK_UNAUTHORIZED', message: 'bad signature' })
      return
    }
    if (options.onAuthenticated) options.onAuthenticated(link)
    else {
      link.send(welcomeOf(node, challenge, options.welcomeSigner ?? signer, { separator, options }))
      isWelcome = true
      stream.attach(data => socket.send(data), 0)
      if (options.loads ?? true) for (const { podId } of options.pods ?? []) link.send({ type: 'scale', podId, action: 'load' })
    }
  }
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) {
      link.binaryMessages += 1
      stream.take(decodeBatchHead(data), data.length)
      link.frames.push(...decodeFrames(data.subarray(BATCH_HEADER_BYTES)))
      return
    }
    const { head, messages } = readNodeText(data.toString('utf8'))
    if (head) stream.take(head, data.length)
    for (const message of messages()) hear(message)
  })
  link.send(challenge)
  return link
}

function helloOf(link: RouterLink): Address {
  const hello = link.messages.find(message => message.type === 'hello')
  if (hello?.type !== 'hello') throw new Error('the node authenticated before it said hello')
  return hello.nodeId
}

function welcomeOf(
  node: Address,
  challenge: { router: Address; nonce: `0x${string}`; expiresAtMs: number },
  signer: Signer,
  context: { separator: Uint8Array; options: FakeRouterOptions },
): RouterMessage {
  const { router, nonce, expiresAtMs } = challenge
  const digest = typedDataDigest(context.separator, ROUTER_WELCOME_TYPE, { node, router, nonce, expiresAtMs })
  return {
    type: 'welcome',
    sessionId: `session-${nonce.slice(2, 10)}`,
    received: 0,
    resumeMs: context.options.resumeMs ?? 60_000,
    signature: signer.signDigest(digest),
    heartbeatIntervalMs: context.options.heartbeatIntervalMs ?? 5000,
    pods: (context.options.pods ?? []) as PodRecord[], // cast: read only
  }
}

/** Resolves with the first truthy value of `probe`, looked at on every turn of the event loop; fails after `limitMs`. */
export async function until<T>(probe: () => T | null | undefined | false, what = 'the condition', limitMs = 10_000): Promise<T> {
  const deadlineMs = systemClock.now() + limitMs
  for (;;) {
    const value = probe()
    if (value) return value
    if (systemClock.now() > deadlineMs) throw new Error(`waited ${limitMs} ms for ${what}`)
    await new Promise(resolve => setTimeout(resolve, 2))
  }
}
