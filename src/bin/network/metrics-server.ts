import { createServer, type Server } from 'node:http'
import type { Metrics } from '#platform'
import type { Config } from '../config.ts'

/** Prometheus metrics of this process at `/metrics`; on any free port when the wanted one is taken. */
export function serveMetrics(config: Config, metrics: Metrics): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url !== '/metrics') return response.writeHead(404).end('metrics are at /metrics\n')
    void metrics.registry.metrics().then(text => response.writeHead(200, { 'content-type': metrics.registry.contentType }).end(text))
  })
  const { promise, resolve, reject } = Promise.withResolvers<Server>()
  server.once('error', (error: NodeJS.ErrnoException) =>
    error.code === 'EADDRINUSE' ? server.listen(0, config.metricsHost) : reject(error),
  )
  server.once('listening', () => resolve(server))
  server.listen(config.metricsPort, config.metricsHost)
  return promise
}
