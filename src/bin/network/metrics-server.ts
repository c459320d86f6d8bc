import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger, Metrics } from '#platform'
import type { Config } from '../config.ts'

/** Prometheus metrics of this process at `/metrics`; on any free port when the wanted one is taken. */
export function serveMetrics({ metricsHost, metricsPort }: Pick<Config, 'metricsHost' | 'metricsPort'>, metrics: Metrics): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url !== '/metrics') return response.writeHead(404).end('metrics are at /metrics\n')
    void metrics.registry.metrics().then(text => response.writeHead(200, { 'content-type': metrics.registry.contentType }).end(text))
  })
  const { promise, resolve, reject } = Promise.withResolvers<Server>()
  server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? server.listen(0, metricsHost) : reject(error)))
  server.once('listening', () => resolve(server))
  server.listen(metricsPort, metricsHost)
  return promise
}

/** The metrics of a node, where its owner asks for them. Answers how to end that. */
export async function serveNodeMetrics(
  { metricsHost, nodeMetricsPort }: Pick<Config, 'metricsHost' | 'nodeMetricsPort'>,
  { metrics, logger }: { readonly metrics: Metrics; readonly logger: Logger },
): Promise<() => void> {
  if (nodeMetricsPort === '') return () => undefined
  const server = await serveMetrics({ metricsHost, metricsPort: nodeMetricsPort }, metrics)
  const { port } = server.address() as AddressInfo // cast: it listens on TCP
  logger.info({ url: `http://${metricsHost}:${port}/metrics` }, 'metrics are served')
  return () => void server.close().closeAllConnections()
}
