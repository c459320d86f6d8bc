import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../free-port.ts'
import { startWatchdog } from '../../watchdog.ts'

const BINARY = ['nats-server', '/usr/sbin/nats-server'].find(path => spawnSync(path, ['--version']).status === 0)

/** Why there is no server here; undefined where there is one. */
export const NO_NATS_SERVER = BINARY === undefined ? 'nats-server is not installed (Debian: apt-get install nats-server)' : undefined

export type NatsServer = { readonly url: string; restart(): Promise<void>; stop(): Promise<void> }

/** A real server on a port of its own; it ends with this process at the latest. */
export async function startNatsServer(...more: readonly string[]): Promise<NatsServer> {
  const port = await freePort()
  const watchdog = startWatchdog()
  let server: ChildProcess
  const start = async (): Promise<void> => {
    server = spawn(BINARY ?? '', ['--addr', '127.0.0.1', '--port', String(port), ...more], { stdio: 'ignore' })
    if (server.pid !== undefined) watchdog.watch(server.pid)
    while (!(await accepts(port))) await sleep(20)
  }
  const kill = async (): Promise<void> => {
    const ended = once(server, 'exit')
    server.kill('SIGKILL')
    await ended
    if (server.pid !== undefined) watchdog.unwatch(server.pid)
  }
  await start()
  return {
    url: `nats://127.0.0.1:${port}`,
    async restart() {
      await kill()
      await start()
    },
    async stop() {
      await kill()
      await watchdog.stop()
    },
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const connected = await once(socket, 'connect').then(
    () => true,
    () => false,
  )
  socket.destroy()
  return connected
}
