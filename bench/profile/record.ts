import { WebSocket } from 'ws'

/** A CPU profile as V8 writes it (`.cpuprofile`), the parts that are read here. Times in µs. */
export type CpuProfile = {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
    readonly children?: readonly number[]
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

const SAMPLE_EVERY_US = 250

/** The address under which a process that got SIGUSR1 lets itself be inspected. */
async function inspectorOf(pid: number, port: number): Promise<string> {
  process.kill(pid, 'SIGUSR1')
  for (let tries = 0; tries < 100; tries++) {
    const list = await fetch(`http://127.0.0.1:${port}/json`).then(
      answer => answer.json() as Promise<{ webSocketDebuggerUrl: string }[]>, // cast: Node's inspector
      () => [],
    )
    if (list[0]) return list[0].webSocketDebuggerUrl
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  throw new Error(`process ${pid} opened no inspector on port ${port}`)
}

type Call = (method: string, params?: object) => Promise<unknown>

async function connect(url: string): Promise<{ call: Call; close(): void }> {
  const socket = new WebSocket(url, { maxPayload: 2 ** 30 })
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  const waiting = new Map<number, (result: unknown) => void>()
  socket.on('message', data => {
    const { id, result } = JSON.parse(String(data)) as { id?: number; result?: unknown } // cast: the inspector's protocol
    if (id !== undefined) waiting.get(id)?.(result)
  })
  let last = 0
  const call: Call = (method, params = {}) =>
    new Promise(resolve => {
      last += 1
      waiting.set(last, resolve)
      socket.send(JSON.stringify({ id: last, method, params }))
    })
  return { call, close: () => socket.close() }
}

/** Profiles the main thread of a process while `work` runs. The process was started with `--inspect-port=<port>`. */
export async function recordProfile(pid: number, port: number, work: () => Promise<unknown>): Promise<CpuProfile> {
  const { call, close } = await connect(await inspectorOf(pid, port))
  await call('Profiler.enable')
  await call('Profiler.setSamplingInterval', { interval: SAMPLE_EVERY_US })
  await call('Profiler.start')
  await work()
  const { profile } = (await call('Profiler.stop')) as { profile: CpuProfile } // cast: the inspector's protocol
  close()
  return profile
}
