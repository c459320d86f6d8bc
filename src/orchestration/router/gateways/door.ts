import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { repeat } from '#platform'
import { DISPATCH_VERSION, keccakBytes, messageOf } from '#protocol'
import { type DoorDependencies, GatewayConnection } from './connection.ts'

/** Lets the gateways of this operator in. */
export type GatewayDoor = {
  /** Takes over an upgrade request. The caller has matched the path. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  close(): void
}

const TELL_NODES_MS = 1_000
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024

/** Of one length, so that the comparison takes the same time for every guess. */
function isSame(secret: string, given: string): boolean {
  return timingSafeEqual(keccakBytes(Buffer.from(secret)), keccakBytes(Buffer.from(given)))
}

function refusalOf(request: IncomingMessage, secret: string): string | null {
  const version = new URL(request.url ?? '/', 'ws://router').searchParams.get('version')
  if (!isSame(`Bearer ${secret}`, request.headers.authorization ?? '')) return '401 Unauthorized'
  if (version !== String(DISPATCH_VERSION)) return `426 Upgrade Required (this router speaks version ${DISPATCH_VERSION}, not ${version})`
  return null
}

export function createGatewayDoor({ secret }: { readonly secret: string }, dependencies: DoorDependencies): GatewayDoor {
  const { clock, logger } = dependencies
  const server = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false })
  const connections = new Set<GatewayConnection>()
  const tellNodes = (): void => {
    for (const connection of connections) connection.tellNodes()
  }
  const stopTelling = repeat(clock, TELL_NODES_MS, tellNodes, error =>
    logger.error({ reason: messageOf(error) }, 'the gateways could not be told of the nodes; they are told again'),
  )
  return {
    handleUpgrade(request, socket, head) {
      socket.on('error', () => socket.destroy())
      const refusal = refusalOf(request, secret)
      if (refusal !== null) {
        logger.warn({ from: request.socket.remoteAddress, refusal }, 'a gateway was refused')
        socket.end(`HTTP/1.1 ${refusal}\r\nconnection: close\r\n\r\n`)
        return
      }
      server.handleUpgrade(request, socket, head, link => {
        const connection = new GatewayConnection(link, dependencies)
        connections.add(connection)
        link.once('close', () => connections.delete(connection))
      })
    },
    close() {
      stopTelling()
      for (const link of server.clients) link.close(1001, 'ROUTER_STOPPING')
      server.close()
    },
  }
}
