// Makes a fresh clone ready: needs only node (20 or newer) and npm, and no package of its own.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
const bin = join(root, 'node_modules', '.bin')

/** The pinned Node (npm package `node`), which runs TypeScript by type stripping. */
export const nodeBinary = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')

/** Where Node keeps what it compiled, types stripped: a start reads it instead of compiling 600 files again in every process. */
const compileCache = join(root, 'node_modules', '.cache', 'compiled')

/** Environment with the project's own binaries first. */
export function environment(extra = {}) {
  const separator = process.platform === 'win32' ? ';' : ':'
  const path = `${dirname(nodeBinary)}${separator}${bin}${separator}${process.env.PATH}`
  return { NODE_COMPILE_CACHE: compileCache, ...process.env, PATH: path, ...extra }
}

function hashOf(paths) {
  const hash = createHash('sha256')
  for (const path of paths) hash.update(path).update(readFileSync(path))
  return hash.digest('hex')
}

function filesUnder(folder) {
  return readdirSync(folder)
    .sort()
    .flatMap(name => {
      const path = join(folder, name)
      if (name === 'dist' || name === 'node_modules') return []
      return statSync(path).isDirectory() ? filesUnder(path) : [path]
    })
}

/** Runs `work` unless the marker already holds `stamp`. */
function once(marker, stamp, work) {
  if (existsSync(marker) && readFileSync(marker, 'utf8') === stamp) return
  work()
  writeFileSync(marker, stamp)
}

function run(command, args, what, extra = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 2, 2],
    env: environment(extra),
    shell: process.platform === 'win32',
  })
  if (result.status !== 0) {
    console.error(
      `\n${what} failed (exit ${result.status ?? result.signal}). See the lines above; fix the cause and run the same command again.`,
    )
    process.exit(result.status ?? 1)
  }
}

/** Installs the pinned dependencies when the lock file changed since the last time. */
export function installDependencies() {
  const [major] = process.versions.node.split('.').map(Number)
  if (major < 20) {
    console.error(`Node 20 or newer is needed to start (this is ${process.version}). Install it and run the same command again.`)
    process.exit(1)
  }
  const marker = join(root, 'node_modules', '.heurist-installed')
  once(marker, hashOf([join(root, 'package-lock.json')]), () => {
    console.error('Installing dependencies (first time only, about a minute) …')
    // Not `npm ci`: it refuses a lock file in which a registry without every platform's binaries left some out.
    // Versions are exact in package.json and in the lock file; --no-save leaves both as they are.
    run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], 'Installing the dependencies')
  })
}

/** Installs the gateways that the bench measures beside ours, in a folder of their own: nothing else needs them. */
export function installBenchPeers() {
  const folder = join(root, 'bench', 'peers')
  once(join(folder, 'node_modules', '.installed'), hashOf([join(folder, 'package-lock.json')]), () => {
    console.error('Installing the gateways to compare with …')
    run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', `--prefix=${folder}`], 'Installing the peers')
  })
}

/** Builds the console's static files when its sources changed. */
export function buildConsole() {
  const source = join(root, 'console')
  if (!existsSync(join(source, 'vite.config.ts'))) return
  // The marker lies in the build itself: whoever deletes the build gets a new one.
  once(join(source, 'dist', '.built-from'), hashOf(filesUnder(source)), () => {
    console.error('Building the console …')
    const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js')
    const args = [vite, 'build', '--config', 'console/vite.config.ts', '--logLevel', 'warn']
    run(nodeBinary, args, 'Building the console', { NODE_ENV: 'production' })
  })
}

/**
 * How V8 collects young objects. A job leaves little behind: a small young generation, which stays in the processor's cache, collected by the main
 * thread itself took a quarter of a job's CPU away (docs/reference/benchmarks.md).
 */
const YOUNG_GENERATION = ['--max-semi-space-size=8', '--no-parallel-scavenge']

/**
 * Runs a TypeScript entry under the pinned Node and ends as it ends. The child stands in a process group of its own and
 * gets each signal once from here (a terminal's Ctrl-C would otherwise reach it twice, and a second signal means "kill").
 */
export function runTypeScript(entry, args) {
  const child = spawn(nodeBinary, [...YOUNG_GENERATION, join(root, entry), ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: environment(),
    detached: process.platform !== 'win32',
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  const parent = process.ppid
  setInterval(() => process.ppid !== parent && child.kill('SIGTERM'), 500).unref()
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)))
}
