import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { messageOf } from '#protocol'
import { detectContainers } from '../container-detect.ts'
import { detectSandbox } from '../detect.ts'
import type { Sandbox, SandboxSupport } from '../sandbox.ts'
import { runScript } from './run.ts'

/** Test support: every kind of isolation of this machine, so that one suite runs over all. */
export type Kind = {
  readonly name: 'bubblewrap' | 'container'
  readonly support: SandboxSupport
  /** Variables and paths that this kind itself puts into a program's world; none is of the host. */
  readonly variables: readonly string[]
  readonly paths: readonly string[]
}

/** What the programs of the tests call. */
const TOOLS = ['sh', 'cat', 'ls', 'id', 'grep', 'tr', 'wc', 'sleep', 'perl', 'echo', 'true', 'mknod', 'mount', 'unshare']
const PERL_FOLDER = /^\/usr\/lib\/[^/]+\/perl-base$/

/** Paths of the libraries that a program is linked with. */
function librariesOf(path: string): string[] {
  try {
    return execFileSync('ldd', [path], { encoding: 'utf8' }).match(/\/[^\s)]+/g) ?? []
  } catch {
    return []
  }
}

function copyInto(root: string, path: string, to = path): void {
  const target = join(root, to)
  if (existsSync(target)) return
  mkdirSync(dirname(target), { recursive: true })
  copyFileSync(realpathSync(path), target)
}

function whereIs(tool: string): string | null {
  return ['/usr/bin', '/bin', '/usr/sbin', '/sbin'].map(folder => join(folder, tool)).find(path => existsSync(path)) ?? null
}

/** An image of this machine's own tools: no registry is needed. Its reference by digest. */
function makeImage(engine: string): string {
  const root = mkdtempSync(join(tmpdir(), 'heurist-image-'))
  try {
    for (const folder of ['tmp', 'pod', 'proc', 'dev', 'sys', 'run']) mkdirSync(join(root, folder))
    // As in every image; runc gives what is mounted there the mode of the folder below.
    chmodSync(join(root, 'tmp'), 0o1777)
    for (const [path, to] of [
      ...TOOLS.map(tool => [whereIs(tool), `/bin/${tool}`] as const),
      [process.execPath, '/usr/local/bin/node'] as const,
    ]) {
      if (path === null) continue
      copyInto(root, path, to)
      for (const library of librariesOf(path)) copyInto(root, library)
    }
    const perl = readdirSync('/usr/lib')
      .map(name => `/usr/lib/${name}/perl-base`)
      .find(path => PERL_FOLDER.test(path) && existsSync(path))
    if (perl) cpSync(perl, join(root, perl), { recursive: true })
    execFileSync('bash', ['-c', 'tar -C "$1" -c . | "$2" import - localhost/heurist-escape:test', 'bash', root, engine], { stdio: 'pipe' })
    return execFileSync(engine, ['image', 'inspect', '--format', '{{index .RepoDigests 0}}', 'localhost/heurist-escape:test'], {
      encoding: 'utf8',
    }).trim()
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

function withImage(sandbox: Sandbox, image: string): Sandbox {
  return { ...sandbox, start: (spec, signal) => sandbox.start({ ...spec, image }, signal) }
}

async function containers(): Promise<SandboxSupport> {
  const support = await detectContainers()
  if (!support.sandbox) return support
  try {
    const sandbox = withImage(support.sandbox, makeImage(support.sandbox.description.split(' ')[0]!))
    // An engine may be installed and its runtime not fit this kernel.
    const { stdout, stderr } = await runScript(sandbox, { sh: 'echo inside' })
    return stdout === 'inside\n' ? { sandbox, problem: null } : { sandbox: null, problem: `no container can be started: ${stderr.trim()}` }
  } catch (error) {
    return { sandbox: null, problem: `no image can be made: ${messageOf(error)}` }
  }
}

const CONTAINER_PATHS = ['/etc/passwd', '/root', '/home', '/var/lib', '/sys/kernel', '/run', '/proc/1/environ']

export async function kindNamed(name: string): Promise<Kind> {
  if (name === 'bubblewrap') return { name, support: await detectSandbox(), variables: [], paths: [] }
  return { name: 'container', support: await containers(), variables: ['HOSTNAME', 'TERM', 'container'], paths: CONTAINER_PATHS }
}
