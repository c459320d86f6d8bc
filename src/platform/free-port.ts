import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Below every system's range of ephemeral ports (Linux from 32768, macOS and Windows from 49152). A server that may be started
 * again on its port must not lie inside it: the first connection that anybody opens while the server is away can be given its
 * port, even a client's own attempt to reach it (a TCP self-connect), and the server finds it taken.
 */
const LOWEST = 20_000
const HIGHEST = 32_767
const ATTEMPTS = 200

/**
 * `wanted` when it is free on loopback, else one that stays free while its server is down.
 * @param wanted 0: any
 * @throws Error when none was found
 */
export async function freePort(wanted = 0): Promise<number> {
  if (wanted !== 0 && (await isFree(wanted))) return wanted
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST + 1))
    if (await isFree(port)) return port
  }
  throw new Error(`no free port on 127.0.0.1 between ${LOWEST} and ${HIGHEST}`)
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  server.listen(port, '127.0.0.1')
  const bound = await once(server, 'listening').then(
    () => true,
    () => false,
  )
  if (!bound) return false
  server.close()
  await once(server, 'close')
  return true
}
