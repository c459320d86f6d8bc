import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A way between two processes that can be cut, healed, and cut again after so many bytes. */
export type TcpProxy = {
  readonly port: number
  /** Connections that were made. */
  readonly connections: () => number
  /** Breaks what is open; until `heal` nobody gets through. */
  cut(): void
  heal(): void
  /** Breaks each connection after so many bytes of the answering side or the asking one; null: never. */
  cutAfter(bytes: (() => number) | null): void
  stop(): Promise<void>
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let limit: (() => number) | null = null
  let isCut = false
  let connections = 0

  function carry(from: Socket, to: Socket, spend: (bytes: number) => boolean): void {
    sockets.add(from)
    from.on('data', data => {
      if (spend(data.length)) to.write(data)
    })
    from.on('error', () => undefined)
    from.on('close', () => {
      sockets.delete(from)
      to.destroy()
    })
  }

  const server = createServer(near => {
    if (isCut) return near.destroy()
    connections += 1
    const far = connect(targetPort, '127.0.0.1')
    let leftBytes = limit?.() ?? Number.POSITIVE_INFINITY
    const spend = (bytes: number): boolean => {
      leftBytes -= bytes
      if (leftBytes < 0) for (const socket of [near, far]) socket.resetAndDestroy()
      return leftBytes >= 0
    }
    carry(near, far, spend)
    carry(far, near, spend)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const breakAll = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port, // cast: a TCP server has a port
    connections: () => connections,
    cut() {
      isCut = true
      breakAll()
    },
    heal() {
      isCut = false
    },
    cutAfter(bytes) {
      limit = bytes
    },
    async stop() {
      breakAll()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
