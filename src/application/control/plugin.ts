import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyPluginAsync } from 'fastify'
import { consoleFiles } from '../console/static.ts'
import { type EconomyDependencies, economyRoutes } from './economy-routes.ts'
import { type FrontendDependencies, frontendRoutes } from './frontend-routes.ts'
import { podRoutes } from './pod-routes.ts'
import {
  accountRoutes,
  auditRoutes,
  type ControlDependencies,
  type ControlOptions,
  jobRoutes,
  networkRoutes,
  sessionRoute,
} from './routes.ts'

/** The control API of console and CLI, as a plugin of the gateway's server. */
export function controlPlugin(
  options: ControlOptions,
  dependencies: ControlDependencies & EconomyDependencies & FrontendDependencies,
): FastifyPluginAsync {
  return async app => {
    networkRoutes(app, options, dependencies)
    jobRoutes(app, dependencies)
    auditRoutes(app, dependencies)
    economyRoutes(app, dependencies)
    frontendRoutes(app, dependencies)
    accountRoutes(app, options, dependencies)
    podRoutes(app, dependencies)
    sessionRoute(app, options)
  }
}

/** The console's files at `/`. */
export function consolePlugin(options: { readonly directory: string }): FastifyPluginAsync {
  return app => consoleFiles(app, options)
}

/** Hands WebSocket upgrades of one path to `take` and closes all others: node links share the gateway's port. */
export function upgradePlugin(path: string, take: (request: IncomingMessage, socket: Duplex, head: Buffer) => void): FastifyPluginAsync {
  return async app => {
    app.server.on('upgrade', (request, socket, head) => {
      if (request.url?.split('?')[0] === path) return take(request, socket, head)
      socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n')
    })
  }
}
