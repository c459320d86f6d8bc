import { createServer } from 'node:http'
import { Pool } from 'undici'

/** The yardstick: a bare reverse proxy on undici's lowest interface, in the same runtime as ours. No auth, no metering, no receipt. */
const pool = new Pool(process.argv[2] ?? '', { connections: 4096 })
const server = createServer((request, response) => {
  pool.dispatch(
    { path: request.url ?? '/', method: 'POST', headers: { 'content-type': 'application/json' }, body: request },
    {
      onRequestStart: () => undefined,
      onResponseStart: (_controller, status, headers) => void response.writeHead(status, headers as Record<string, string>), // cast: plain headers of our upstream
      onResponseData: (_controller, data) => void response.write(data),
      onResponseEnd: () => void response.end(),
      onResponseError: () => void response.destroy(),
    },
  )
})
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as { port: number }).port })) // cast: a TCP server has a port
