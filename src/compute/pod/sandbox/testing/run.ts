import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NO_DEVICE, type Sandbox, type SandboxExit, type SandboxLimits, type SandboxProcess, type SandboxSpec } from '../sandbox.ts'

/** Test support: programs in a sandbox, told as scripts. */
export const LIMITS: SandboxLimits = {
  memoryBytes: 256 * 2 ** 20,
  processes: 64,
  openFiles: 256,
  tmpBytes: 8 * 2 ** 20,
  cpuSeconds: 60,
}

export type Script = { readonly node: string } | { readonly perl: string } | { readonly sh: string }
export type RunOptions = Partial<Omit<SandboxSpec, 'argv' | 'files'>> & { readonly signal?: AbortSignal }
export type Outcome = SandboxExit & { readonly stdout: string; readonly stderr: string }

function argvOf(script: Script): { argv: string[]; text: string } {
  if ('node' in script) return { argv: ['node', 'program.mjs'], text: script.node }
  if ('perl' in script) return { argv: ['perl', 'program.mjs'], text: script.perl }
  return { argv: ['/bin/sh', 'program.mjs'], text: script.sh }
}

/** Starts a script as /pod/program.mjs. */
export async function startScript(sandbox: Sandbox, script: Script, options: RunOptions = {}): Promise<SandboxProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'heurist-pod-'))
  const { argv, text } = argvOf(script)
  const from = join(folder, 'program.mjs')
  writeFileSync(from, text)
  const { signal = AbortSignal.timeout(60_000), ...rest } = options
  const spec = {
    argv,
    image: null,
    files: [{ from, to: '/pod/program.mjs' }],
    environment: {},
    hasNetwork: false,
    hasSocket: false,
    device: NO_DEVICE,
    limits: LIMITS,
    ...rest,
  }
  const program = await sandbox.start(spec, signal)
  void program.exited.then(() => rmSync(folder, { recursive: true, force: true }))
  return program
}

function gather(stream: SandboxProcess['stdout']): Promise<string> {
  let text = ''
  stream.setEncoding('utf8').on('data', piece => {
    text += piece
  })
  return new Promise(resolve => stream.once('close', () => resolve(text)))
}

/** Runs a script to its end. */
export async function runScript(sandbox: Sandbox, script: Script, options: RunOptions = {}): Promise<Outcome> {
  const program = await startScript(sandbox, script, options)
  program.stdin.end()
  const [stdout, stderr, exit] = await Promise.all([gather(program.stdout), gather(program.stderr), program.exited])
  return { ...exit, stdout, stderr }
}
