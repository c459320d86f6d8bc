import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { Clock, Logger } from '#platform'

/** A child process that is started again when it dies, until it is stopped. */
export type SupervisedChild = { readonly pid: () => number; stop(graceMs: number): Promise<void> }

export type ChildOptions = {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly environment: NodeJS.ProcessEnv
  readonly logFile: string
  /** Called with each new pid. */
  readonly onStart: (pid: number) => void
  /** Called when it ended by itself; it is started again. */
  readonly onEnd: (how: string) => void
}

const RESTART_MIN_MS = 250
const RESTART_MAX_MS = 15_000

/** Starts the child and keeps it running: restarts wait longer each time it dies young (crash loops are backed off). */
export function superviseChild(options: ChildOptions, dependencies: { clock: Clock; logger: Logger }): SupervisedChild {
  const { clock, logger } = dependencies
  let child: ChildProcess | null = null
  let stopping = false
  let backoffMs = RESTART_MIN_MS

  const start = (): void => {
    const log = openSync(options.logFile, 'a', 0o600)
    // The IPC channel is the child's sign that we live: when it closes, the child ends itself.
    child = spawn(options.command, [...options.args], { stdio: ['ignore', log, log, 'ipc'], env: options.environment })
    closeSync(log)
    const startedMs = clock.now()
    if (child.pid) options.onStart(child.pid)
    child.once('exit', (code, signal) => {
      if (stopping) return
      backoffMs = clock.now() - startedMs > 60_000 ? RESTART_MIN_MS : Math.min(RESTART_MAX_MS, backoffMs * 2)
      options.onEnd(signal ?? `exit ${code}`)
      logger.warn({ child: options.name, code, signal, backoffMs }, 'a child process ended and will be started again')
      clock.after(backoffMs, () => !stopping && start())
    })
  }
  start()

  return {
    pid: () => child?.pid ?? 0,
    async stop(graceMs) {
      stopping = true
      const running = child
      if (!running || running.exitCode !== null || running.signalCode !== null) return
      const ended = new Promise<void>(resolve => running.once('exit', () => resolve()))
      running.kill('SIGTERM')
      const timer = setTimeout(() => running.kill('SIGKILL'), graceMs)
      await ended
      clearTimeout(timer)
    },
  }
}
