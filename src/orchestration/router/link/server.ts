import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { LINK_MAX_FRAME_BYTES } from '#protocol'
import { LinkSession, refuse, type SessionContext } from './session.ts'

export type LinkServer = {
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Links that are open, authenticated or not. */
  count(): number
  /** Closes every link with `LINK_STOPPING`. */
  close(): void
}

/** Accepts node links on any HTTP server: the caller routes `upgrade` events of its path here. */
export function createLinkServer(context: SessionContext): LinkServer {
  // No compression: token frames are small, and zlib state costs 300 KB per link.
  const server = new WebSocketServer({ noServer: true, maxPayload: LINK_MAX_FRAME_BYTES, perMessageDeflate: false, clientTracking: true })
  let stopping = false
  return {
    handleUpgrade(request, socket, head) {
      socket.on('error', () => socket.destroy())
      server.handleUpgrade(request, socket, head, link => {
        const { clock } = context.dependencies
        if (stopping) return refuse(link, 'LINK_STOPPING', 'This router is shutting down. Connect again later.', clock.after)
        if (server.clients.size > context.options.maxLinks) {
          return refuse(link, 'LINK_FULL', `This router already holds ${context.options.maxLinks} links. Use another router.`, clock.after)
        }
        new LinkSession(link, context)
      })
    },
    count: () => server.clients.size,
    close() {
      stopping = true
      for (const link of server.clients) refuse(link, 'LINK_STOPPING', 'This router is shutting down.', context.dependencies.clock.after)
      server.close()
    },
  }
}
