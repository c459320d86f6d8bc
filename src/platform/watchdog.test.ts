import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { startWatchdog } from './watchdog.ts'

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function sleeper(): { child: ChildProcess; pid: number } {
  const child = spawn('/bin/sh', ['-c', 'while :; do sleep 0.05; done'], { stdio: 'ignore' })
  children.push(child)
  return { child, pid: child.pid ?? 0 }
}

/** A parent that watches one sleeper per trap (a trap makes it deaf to polite signals), lets one more go, tells their pids and waits to be killed. */
async function parentOf(traps: readonly string[]): Promise<{ parent: ChildProcess; pids: number[] }> {
  const script = `
    import { spawn } from 'node:child_process'
    import { startWatchdog } from ${JSON.stringify(fileURLToPath(new URL('./watchdog.ts', import.meta.url)))}
    const watchdog = startWatchdog({ graceMs: 300 })
    const pids = ${JSON.stringify(traps)}.map(trap => {
      const { pid } = spawn('/bin/sh', ['-c', trap + '; while :; do sleep 0.05; done'], { stdio: 'ignore', detached: true })
      watchdog.watch(pid, 'SIGTERM')
      return pid
    })
    const let_go = spawn('/bin/sh', ['-c', 'while :; do sleep 0.05; done'], { stdio: 'ignore', detached: true })
    watchdog.watch(let_go.pid)
    watchdog.unwatch(let_go.pid)
    console.log([...pids, let_go.pid].join(' '))
    setInterval(() => {}, 1000)`
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(parent)
  const line = await new Promise<string>(resolve => parent.stdout?.once('data', data => resolve(String(data))))
  return { parent, pids: line.trim().split(' ').map(Number) }
}

describe.skipIf(process.platform === 'win32')('startWatchdog', () => {
  test('behavior: kill -9 of the parent ends what is watched, the deaf too, and nothing else', async () => {
    const { parent, pids } = await parentOf([':', "trap '' TERM INT"])
    const [polite = 0, deaf = 0, letGo = 0] = pids
    expect(pids.every(isAlive)).toBe(true)
    parent.kill('SIGKILL')
    await vi.waitFor(() => expect([polite, deaf].some(isAlive)).toBe(false), 10_000)
    expect(isAlive(letGo)).toBe(true)
    process.kill(letGo, 'SIGKILL')
  })

  test('behavior: stop ends what is still watched', async () => {
    const watchdog = startWatchdog({ graceMs: 2_000 })
    const { child, pid } = sleeper()
    watchdog.watch(pid)
    const ended = new Promise(resolve => child.once('exit', (_code, signal) => resolve(signal)))
    await watchdog.stop()
    expect(await ended).toBe('SIGTERM')
  })

  test('behavior: with nothing left to watch it stops at once', async () => {
    const watchdog = startWatchdog()
    const { pid } = sleeper()
    watchdog.watch(pid, 'SIGINT')
    watchdog.unwatch(pid)
    await watchdog.stop()
    await watchdog.stop()
    expect(isAlive(pid)).toBe(true)
  })

  test('behavior: a killed watchdog is replaced and knows whom to watch', async () => {
    const watchdog = startWatchdog({ graceMs: 2_000 })
    const { child, pid } = sleeper()
    watchdog.watch(pid)
    const first = watchdog.pid
    process.kill(first ?? 0, 'SIGKILL')
    await vi.waitFor(() => expect(watchdog.pid).not.toBe(first))
    const ended = new Promise(resolve => child.once('exit', (_code, signal) => resolve(signal)))
    await watchdog.stop()
    expect(await ended).toBe('SIGTERM')
  })
})
