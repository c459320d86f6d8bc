import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI from 'openai'
import { type DevFile, devFileSchema } from '../../src/bin/dev-file.ts'
import { ROOT } from './source.ts'

/** A network started as a customer starts it: `npm start`'s script, its own home folder, free ports. */
export type Network = {
  readonly home: string
  readonly child: ChildProcess
  /** Everything that the start printed. */
  output(): string
  dev(): DevFile
  client(apiKey?: string): OpenAI
  /** Runs a CLI command against this network. */
  cli(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }>
  /** Asks politely and waits for the end. Resolves with the exit code. */
  stop(): Promise<number | null>
}

export function newHome(): string {
  return mkdtempSync(join(tmpdir(), 'heurist-e2e-'))
}

export function removeHome(home: string): void {
  rmSync(home, { recursive: true, force: true })
}

function environmentFor(home: string, extra: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    ...process.env,
    HEURIST_HOME: home,
    HEURIST_GATEWAY_PORT: '0',
    HEURIST_CHAIN_PORT: '0',
    HEURIST_METRICS_PORT: '0',
    NO_COLOR: '1',
    ...extra,
  }
}

/** Resolves at the line `ready`; rejects with all output when the start ends before it. */
export async function startNetwork(home: string, extra: NodeJS.ProcessEnv = {}): Promise<Network> {
  const environment = environmentFor(home, extra)
  const child = spawn(process.execPath, [join(ROOT, 'scripts/start.mjs')], {
    cwd: ROOT,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  await new Promise<void>((resolve, reject) => {
    const listen = (chunk: Buffer): void => {
      output += chunk.toString()
      if (/^ready$/m.test(output)) resolve()
    }
    child.stdout.on('data', listen)
    child.stderr.on('data', listen)
    child.once('exit', code => reject(new Error(`the network ended with ${code} before it was ready:\n${output}`)))
  })
  const dev = (): DevFile => devFileSchema.parse(JSON.parse(readFileSync(join(home, 'dev.json'), 'utf8')))
  return {
    home,
    child,
    output: () => output,
    dev,
    client: apiKey => new OpenAI({ baseURL: dev().gatewayUrl, apiKey: apiKey ?? dev().apiKey, maxRetries: 0 }),
    cli: (...args) => runCli(environment, args),
    stop: () => stopChild(child),
  }
}

/** Runs a CLI command in a home folder without a network of this test. */
export function cliIn(home: string, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return runCli(environmentFor(home, {}), args)
}

/** Runs one CLI command to its end. */
export function runCli(environment: NodeJS.ProcessEnv, args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise(resolve => {
    execFile(
      process.execPath,
      [join(ROOT, 'src/bin/heurist.ts'), ...args],
      { cwd: ROOT, env: environment, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => {
        const code = error ? (typeof error.code === 'number' ? error.code : 1) : 0
        resolve({ code, stdout, stderr })
      },
    )
  })
}

function stopChild(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode)
  const ended = new Promise<number | null>(resolve => child.once('exit', resolve))
  child.kill('SIGINT')
  return ended
}

/** Polls until `probe` gives a value; fails with `what` after the time. */
export async function eventually<T>(what: string, probe: () => Promise<T | null | undefined | false>, timeoutMs = 30_000): Promise<T> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const value = await probe()
    if (value) return value
    if (Date.now() > deadline) throw new Error(`gave up waiting for: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // A zombie still answers; it is no process that does anything.
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
