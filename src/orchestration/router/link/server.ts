import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { LINK_MAX_FRAME_BYTES, type NodeId } from '#protocol'
import { createBudgets } from './budgets.ts'
import { createCloseLog } from './close-log.ts'
import { LinkConnection } from './connection.ts'
import { type LinkSocket, refuse, type SessionContext } from './session.ts'

export type LinkServer = {
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Takes over a link that is open already. */
  accept(link: LinkSocket): void
  /** Links that are open, authenticated or not. */
  count(): number
  /** Closes every link with `LINK_STOPPING`. */
  close(): void
}

/** Accepts node links on any HTTP server: the caller routes `upgrade` events of its path here. */
export function createLinkServer(given: Omit<SessionContext, 'sessions' | 'budgets' | 'noteClose'>): LinkServer {
  const { options, dependencies } = given
  const budgets = createBudgets<NodeId>({ perSecond: options.strayMessagesPerSecond, burst: options.strayMessageBurst }, dependencies.clock)
  const context: SessionContext = {
    ...given,
    sessions: new Map(),
    budgets,
    noteClose: createCloseLog(dependencies.logger, dependencies.clock),
  }
  // No compression: token frames are small, and zlib state costs 300 KB per link.
  const server = new WebSocketServer({ noServer: true, maxPayload: LINK_MAX_FRAME_BYTES, perMessageDeflate: false, clientTracking: false })
  const links = new Set<LinkSocket>()
  /** Links that were not of registered nodes when they were looked at last, oldest first. */
  const strangers = new Map<LinkSocket, LinkConnection>()
  let stopping = false

  /** Strangers must not keep nodes out: in a full router the oldest of them gives way. */
  function makeRoom(newest: LinkSocket): void {
    for (const [link, connection] of strangers) {
      if (links.size <= options.maxLinks || link === newest) return
      strangers.delete(link)
      if (connection.isOfMember) continue
      links.delete(link)
      connection.drop('LINK_FULL', `This router holds ${options.maxLinks} links and has no room for a node that is not registered.`)
    }
  }

  function accept(link: LinkSocket): void {
    const { clock } = dependencies
    const { maxLinks } = options
    links.add(link)
    link.on('close', () => {
      links.delete(link)
      strangers.delete(link)
    })
    makeRoom(link)
    if (stopping) refuse(link, 'LINK_STOPPING', 'This router is shutting down. Connect again later.', clock.after)
    else if (links.size > maxLinks)
      refuse(link, 'LINK_FULL', `This router already holds ${maxLinks} links. Use another router.`, clock.after)
    else strangers.set(link, new LinkConnection(link, context))
  }

  return {
    handleUpgrade(request, socket, head) {
      socket.on('error', () => socket.destroy())
      server.handleUpgrade(request, socket, head, accept)
    },
    accept,
    count: () => links.size,
    close() {
      stopping = true
      for (const link of links) refuse(link, 'LINK_STOPPING', 'This router is shutting down.', context.dependencies.clock.after)
      for (const session of [...context.sessions.values()]) session.end()
      server.close()
    },
  }
}
