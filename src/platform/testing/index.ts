import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'

/**
 * A forward proxy as networks have them that let nothing out by itself: CONNECT for tunnels, whole addresses for plain HTTP, a password.
 * Only it knows where names under `.test` are: here.
 */
export type HttpProxy = {
  readonly url: string
  /** What was asked for, in order: "CONNECT host:port" or "GET http://…". */
  readonly asked: readonly string[]
  stop(): Promise<void>
}

const knownHere = (text: string): string => text.replace(/[\w.]+\.test\b/, '127.0.0.1')

export async function startHttpProxy({ password }: { readonly password?: string } = {}): Promise<HttpProxy> {
  const asked: string[] = []
  const sockets = new Set<Socket>()
  const isWelcome = (header: string | undefined): boolean =>
    password === undefined || header === `Basic ${Buffer.from(`node:${password}`).toString('base64')}`
  const server = createServer((incoming, answer) => {
    asked.push(`${incoming.method} ${incoming.url}`)
    const { 'proxy-authorization': authorization, ...headers } = incoming.headers
    if (!isWelcome(authorization)) return void answer.writeHead(407).end()
    const onward = request(knownHere(incoming.url ?? ''), { method: incoming.method, headers, agent: false }, reply => {
      answer.writeHead(reply.statusCode ?? 502, reply.headers)
      reply.pipe(answer)
    })
    onward.on('error', () => answer.destroy())
    incoming.pipe(onward)
  })
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('connect', (incoming, near: Socket, head: Buffer) => {
    asked.push(`CONNECT ${incoming.url}`)
    if (!isWelcome(incoming.headers['proxy-authorization'])) return near.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
    const { hostname, port } = new URL(`tcp://${incoming.url}`)
    const far = connect(Number(port), knownHere(hostname), () => {
      near.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      far.write(head)
      near.pipe(far).pipe(near)
    })
    for (const socket of [near, far])
      socket.on('error', () => undefined).on('close', () => [near, far].forEach(other => void other.destroy()))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // cast: a TCP server has a port
  return {
    url: `http://${password === undefined ? '' : `node:${password}@`}127.0.0.1:${port}`,
    asked,
    async stop() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
