import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const ROOT = resolve(import.meta.dirname, '../..')
const TICKS_PER_SECOND = 100

/** CPU seconds (user and system) of a process so far, from /proc. */
export function cpuSeconds(pid: number): number {
  return cpuOf(`/proc/${pid}/stat`)
}

function cpuOf(file: string): number {
  const fields = readFileSync(file, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** The same of its main thread alone: what one event loop spends, without collector, compiler and worker threads. */
export function mainThreadCpuSeconds(pid: number): number {
  return cpuOf(`/proc/${pid}/task/${pid}/stat`)
}

/** Resident memory in MB. */
export function residentMb(pid: number): number {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(line?.[1] ?? 0) / 1024
}

/** A run that fails half way leaves none of them behind. */
function endWithUs(child: ChildProcess): ChildProcess {
  process.once('exit', () => child.kill())
  return child
}

/** Starts a bench program and waits for the facts that it sends when it is up. */
export async function startProgram<T>(file: string, args: readonly string[]): Promise<{ child: ChildProcess; facts: T }> {
  // Under the flags of this process, which are the product's (scripts/setup.mjs): no proxy is slower for another collector.
  const parameters = [...process.execArgv, join(ROOT, 'bench/gateway', file), ...args]
  const child = endWithUs(spawn(process.execPath, parameters, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }))
  const facts = await new Promise<T>((done, fail) => {
    child.once('message', message => done(message as T)) // cast: our own programs
    child.once('exit', code => fail(new Error(`${file} ended with ${code} before it was up`)))
  })
  return { child, facts }
}

/** Resolves when something answers HTTP on the port. */
export async function answers(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const isUp = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    )
    if (isUp) return
    await new Promise(done => setTimeout(done, 50))
  }
  throw new Error(`nothing answers on port ${port}`)
}

/** Starts any Node program and waits until its port answers. */
export async function startServer(args: readonly string[], port: number): Promise<ChildProcess> {
  const child = endWithUs(spawn(process.execPath, [...process.execArgv, ...args], { stdio: 'ignore' }))
  await answers(port)
  return child
}
