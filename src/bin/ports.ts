import { once } from 'node:events'
import { createServer } from 'node:net'

/** `wanted`, or 0 (any) when another program listens there. What else is wrong with the address is said by who listens on it. */
export async function portOrAny(host: string, wanted: number): Promise<number> {
  if (wanted === 0) return 0
  const server = createServer().listen(wanted, host)
  try {
    await once(server, 'listening')
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EADDRINUSE' ? 0 : wanted // cast: listen fails with system errors
  }
  server.close()
  await once(server, 'close')
  return wanted
}
