import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** What the programs of the tests call. */
const TOOLS = ['sh', 'cat', 'ls', 'id', 'grep', 'tr', 'wc', 'sleep', 'perl', 'echo', 'true', 'mknod', 'mount', 'unshare']
const FOLDERS = ['tmp', 'pod', 'proc', 'dev', 'sys', 'run']

type Copy = { readonly from: string; readonly to: string }

/** Paths of the libraries that a program is linked with. */
function librariesOf(path: string): string[] {
  try {
    return execFileSync('ldd', [path], { encoding: 'utf8' }).match(/\/[^\s)]+/g) ?? []
  } catch {
    return []
  }
}

function whereIs(tool: string): string | null {
  return ['/usr/bin', '/bin', '/usr/sbin', '/sbin'].map(folder => join(folder, tool)).find(path => existsSync(path)) ?? null
}

function perlFolder(): string | null {
  const folders = readdirSync('/usr/lib').map(name => `/usr/lib/${name}/perl-base`)
  return folders.find(path => existsSync(path)) ?? null
}

/** Everything that goes into the image, each path once. */
function copies(): Copy[] {
  const programs = TOOLS.map(tool => ({ from: whereIs(tool), to: `/bin/${tool}` }))
  const byTarget = new Map<string, string>([[`/usr/local/bin/node`, process.execPath]])
  for (const { from, to } of programs) if (from !== null) byTarget.set(to, from)
  for (const from of [...byTarget.values()]) for (const library of librariesOf(from)) byTarget.set(library, library)
  const perl = perlFolder()
  if (perl) byTarget.set(perl, perl)
  return [...byTarget].map(([to, from]) => ({ from: realpathSync(from), to }))
}

/** Changes with the tools of this machine, whichever checkout asks, so that an image is made anew only then. */
function fingerprintOf(files: readonly Copy[]): string {
  const facts = files.map(({ from, to }) => [to, statSync(from).size])
  return createHash('sha256').update(JSON.stringify(facts.sort())).digest('hex').slice(0, 12)
}

function importImage(engine: string, tag: string, files: readonly Copy[]): void {
  const root = mkdtempSync(join(tmpdir(), 'heurist-image-'))
  try {
    for (const folder of FOLDERS) mkdirSync(join(root, folder))
    // As in every image; runc gives what is mounted there the mode of the folder below.
    chmodSync(join(root, 'tmp'), 0o1777)
    for (const { from, to } of files) {
      mkdirSync(dirname(join(root, to)), { recursive: true })
      if (statSync(from).isDirectory()) cpSync(from, join(root, to), { recursive: true })
      else copyFileSync(from, join(root, to))
    }
    execFileSync('bash', ['-c', 'tar -C "$1" -c . | "$2" import - "$3"', 'bash', root, engine, tag], { stdio: 'pipe' })
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

/**
 * Test support: an image of this machine's own tools, a shell and Node.js among them, for which no registry is needed; made once per machine.
 * @param engine `podman` or `docker`
 * @returns its reference by digest
 */
export function toolsImage(engine: string): string {
  const files = copies()
  const tag = `localhost/heurist-tools:${fingerprintOf(files)}`
  if (spawnSync(engine, ['image', 'inspect', tag], { stdio: 'ignore' }).status !== 0) importImage(engine, tag, files)
  return execFileSync(engine, ['image', 'inspect', '--format', '{{index .RepoDigests 0}}', tag], { encoding: 'utf8' }).trim()
}
