import { connect, type Socket } from 'node:net'

/** A bare TCP client: says exactly what a test tells it to and remembers all that it hears. */
export type RawClient = {
  readonly socket: Socket
  /** All bytes heard so far, as text. */
  readonly heard: string
  write(text: string | Buffer): void
  /** Resolves with everything heard when `pattern` has appeared; rejects when the connection ends first. */
  hears(pattern: RegExp): Promise<string>
  /** Resolves when the server has closed the connection. */
  closed: Promise<void>
  destroy(): void
}

export function rawClient(port: number): RawClient {
  const socket = connect(port, '127.0.0.1')
  let heard = ''
  const waiting = new Set<() => void>()
  const tell = () => {
    for (const check of waiting) check()
  }
  let isClosed = false
  const closed = new Promise<void>(resolve => {
    socket.on('close', () => {
      isClosed = true
      tell()
      resolve()
    })
  })
  socket.on('error', () => undefined)
  socket.on('data', bytes => {
    heard += bytes.toString('latin1')
    tell()
  })
  return {
    socket,
    get heard() {
      return heard
    },
    write: text => void socket.write(text),
    hears(pattern) {
      return new Promise((resolve, reject) => {
        const check = () => {
          if (pattern.test(heard)) {
            waiting.delete(check)
            resolve(heard)
          } else if (isClosed) reject(new Error(`closed before ${pattern}; heard: ${heard.slice(0, 500)}`))
        }
        waiting.add(check)
        check()
      })
    },
    closed,
    destroy: () => socket.destroy(),
  }
}

/** One HTTP/1.1 request as text. */
export function httpText(method: string, path: string, body: string, headers: Record<string, string> = {}): string {
  const all = { host: 'localhost', 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)), ...headers }
  return `${method} ${path} HTTP/1.1\r\n${Object.entries(all)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n${body}`
}
