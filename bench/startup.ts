import { newHome, removeHome, startNetwork } from '../test/support/network.ts'
import { residentMb } from './gateway/processes.ts'

export type Startup = {
  readonly firstSeconds: number
  readonly secondSeconds: readonly number[]
  readonly memoryMb: Readonly<Record<string, number>>
}

/** From the start command to the whole first answer of the real model, with all dependencies installed. */
async function startToAnswer(home: string): Promise<{ seconds: number; memoryMb: Record<string, number> }> {
  const startedMs = performance.now()
  const network = await startNetwork(home)
  await network
    .client()
    .chat.completions.create({ model: network.dev().models.chat, messages: [{ role: 'user', content: 'Hello' }], max_tokens: 8 })
  const seconds = (performance.now() - startedMs) / 1000
  const memoryMb = Object.fromEntries(Object.entries(network.dev().pids).map(([role, pid]) => [role, residentMb(pid)]))
  await network.stop()
  return { seconds, memoryMb }
}

export async function measureStartup(repeats: number): Promise<Startup> {
  const home = newHome()
  try {
    const first = await startToAnswer(home)
    const seconds: number[] = []
    for (let i = 0; i < repeats; i++) seconds.push((await startToAnswer(home)).seconds)
    return { firstSeconds: first.seconds, secondSeconds: seconds, memoryMb: first.memoryMb }
  } finally {
    removeHome(home)
  }
}
