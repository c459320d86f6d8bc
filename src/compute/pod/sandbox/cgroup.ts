import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { SandboxLimits } from './sandbox.ts'

/** A control group of one program: whoever writes its process id into `entries` is in, with all that it starts. */
export type ControlGroup = { readonly entries: readonly string[]; remove(): void }
export type ControlGroups = {
  readonly description: string
  /** Whether processors are counted too. */
  readonly limitsCores: boolean
  create(name: string, bounds: Bounds): ControlGroup
}

type Bounds = { readonly limits: SandboxLimits; readonly cores: number | null }
type Hierarchy = { readonly path: string; settings(bounds: Bounds): Readonly<Record<string, string>> }

const ROOT = '/sys/fs/cgroup'
const PREFIX = 'heurist-'

/** Processor time is counted in pieces of 20 ms: a program at a tenth of a processor is not away for longer than 18. */
const CPU_PERIOD_US = 20_000
const quotaOf = (cores: number): string => `${Math.max(1_000, Math.round(cores * CPU_PERIOD_US))}`

const UNIFIED_SETTINGS: Hierarchy['settings'] = ({ limits: { memoryBytes, processes }, cores }) => ({
  ...(cores !== null && { 'cpu.max': `${quotaOf(cores)} ${CPU_PERIOD_US}` }),
  'memory.max': `${memoryBytes}`,
  'memory.swap.max': '0',
  'memory.oom.group': '1',
  'pids.max': `${processes}`,
})
const MEMORY_SETTINGS: Hierarchy['settings'] = ({ limits: { memoryBytes } }) => ({
  'memory.limit_in_bytes': `${memoryBytes}`,
  'memory.swappiness': '0',
})
const PIDS_SETTINGS: Hierarchy['settings'] = ({ limits: { processes } }) => ({ 'pids.max': `${processes}` })
const CPU_SETTINGS: Hierarchy['settings'] = ({ cores }) =>
  cores === null ? {} : { 'cpu.cfs_period_us': `${CPU_PERIOD_US}`, 'cpu.cfs_quota_us': quotaOf(cores) }

/** Own group per hierarchy: `4:memory:/a` and `0::/b` in /proc/self/cgroup. */
function ownGroups(): Map<string, string> {
  const lines = readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n')
  return new Map(
    lines.flatMap(line => {
      const [, controllers = '', path = '/'] = line.split(':')
      return controllers.split(',').map(controller => [controller, path] as const)
    }),
  )
}

/** Version 2 counts both; a group that holds processes can have no children with limits, so ours stand beside the node's own. */
function unified(path: string): Hierarchy[] {
  const parent = join(ROOT, path, path === '/' ? '' : '..')
  return existsSync(join(parent, 'cgroup.controllers')) ? [{ path: parent, settings: UNIFIED_SETTINGS }] : []
}

function hierarchies(): Hierarchy[] {
  const own = ownGroups()
  const v2 = unified(own.get('') ?? '/')
  if (v2.length > 0) return v2
  const cpu = { path: join(ROOT, 'cpu', own.get('cpu') ?? '/'), settings: CPU_SETTINGS }
  return [
    { path: join(ROOT, 'memory', own.get('memory') ?? '/'), settings: MEMORY_SETTINGS },
    { path: join(ROOT, 'pids', own.get('pids') ?? '/'), settings: PIDS_SETTINGS },
    ...(canMakeGroupIn(cpu.path) ? [cpu] : []),
  ]
}

function canMakeGroupIn(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

function removeQuietly(path: string): void {
  try {
    rmdirSync(path)
  } catch {
    // Still has dying processes: the next sweep takes it.
  }
}

/** What nodes that are gone left behind; a group of a living one may just have been made, and be entered in a moment. */
function sweep(parent: string): void {
  for (const name of readdirSync(parent)) {
    const pid = /^heurist-(\d+)-/.exec(name)?.[1]
    if (pid && !existsSync(`/proc/${pid}`)) removeQuietly(join(parent, name))
  }
}

function createIn(all: readonly Hierarchy[], name: string, bounds: Bounds): ControlGroup {
  const paths: string[] = []
  try {
    for (const { path: parent, settings } of all) {
      const path = join(parent, `${PREFIX}${name}`)
      mkdirSync(path)
      paths.push(path)
      for (const [file, value] of Object.entries(settings(bounds))) writeSetting(join(path, file), value)
    }
  } catch (error) {
    for (const path of paths) removeQuietly(path)
    throw error
  }
  return {
    entries: paths.map(path => join(path, 'cgroup.procs')),
    remove: () => {
      for (const path of paths) removeQuietly(path)
    },
  }
}

/** Kernels without swap accounting lack some of the files; the two limits themselves must be there. */
function writeSetting(path: string, value: string): void {
  const isLimit = /(memory\.max|limit_in_bytes|pids\.max)$/.test(path)
  if (isLimit || existsSync(path)) writeFileSync(path, value)
}

const TRIAL: Bounds = { limits: { memoryBytes: 2 ** 26, processes: 8, openFiles: 8, tmpBytes: 2 ** 20, cpuSeconds: null }, cores: 1 }
/** There when the controller is. */
const CPU_FILES = ['cpu.max', 'cpu.cfs_quota_us']

/** Control groups of this machine, version 2 or 1; null when this user can not make any. */
export function detectControlGroups(): ControlGroups | null {
  try {
    const all = hierarchies()
    for (const { path } of all) sweep(path)
    const trial = createIn(all, `${process.pid}-trial`, TRIAL)
    const limitsCores = trial.entries.some(entry => CPU_FILES.some(file => existsSync(join(dirname(entry), file))))
    trial.remove()
    return {
      limitsCores,
      description: `control groups version ${all.length === 1 ? 2 : 1}`,
      create: (name, bounds) => createIn(all, `${process.pid}-${name}`, bounds),
    }
  } catch {
    return null
  }
}
