import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { ROOT } from './source.ts'

/** One process of a network whose roles run apart, started as an operator starts it. */
export type RoleProcess = {
  readonly name: string
  readonly pid: number
  output(): string
  /** Resolves at its line `ready`, or at another that the role prints. */
  says(line: RegExp, timeoutMs?: number): Promise<RegExpExecArray>
  readonly ended: Promise<number | null>
  kill(signal: NodeJS.Signals): void
  /** Asks politely and waits for the end. */
  stop(): Promise<number | null>
}

export function startRole(name: string, args: readonly string[], environment: NodeJS.ProcessEnv): RoleProcess {
  const child: ChildProcess = spawn(process.execPath, [join(ROOT, 'src/bin/heurist.ts'), ...args], {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: '1', HEURIST_METRICS_PORT: '0', ...environment },
    // The channel ends the role when the tests end.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let output = ''
  const ended = new Promise<number | null>(resolve => child.once('exit', resolve))
  const waiting = new Set<() => void>()
  const listen = (chunk: Buffer): void => {
    output += chunk.toString()
    for (const look of waiting) look()
  }
  child.stdout?.on('data', listen)
  child.stderr?.on('data', listen)
  return {
    name,
    pid: child.pid ?? 0,
    output: () => output,
    says: (line, timeoutMs = 120_000) =>
      new Promise((resolve, reject) => {
        const fail = (why: string): void => reject(new Error(`${name} ${why} before it said ${line}:\n${output}`))
        const timer = setTimeout(() => fail(`waited ${timeoutMs} ms`), timeoutMs)
        const look = (): void => {
          const found = line.exec(output)
          if (!found) return
          clearTimeout(timer)
          waiting.delete(look)
          resolve(found)
        }
        waiting.add(look)
        void ended.then(code => fail(`ended with ${code}`))
        look()
      }),
    ended,
    kill: signal => void child.kill(signal),
    async stop() {
      child.kill('SIGTERM')
      return ended
    },
  }
}
