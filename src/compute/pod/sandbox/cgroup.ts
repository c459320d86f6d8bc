import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SandboxLimits } from './sandbox.ts'

/** A control group of one program: whoever writes its process id into `entries` is in, with all that it starts. */
export type ControlGroup = { readonly entries: readonly string[]; remove(): void }
export type ControlGroups = {
  readonly description: string
  create(name: string, limits: SandboxLimits): ControlGroup
}

type Hierarchy = { readonly path: string; settings(limits: SandboxLimits): Readonly<Record<string, string>> }

const ROOT = '/sys/fs/cgroup'
const PREFIX = 'heurist-'

const UNIFIED_SETTINGS: Hierarchy['settings'] = ({ memoryBytes, processes }) => ({
  'memory.max': `${memoryBytes}`,
  'memory.swap.max': '0',
  'memory.oom.group': '1',
  'pids.max': `${processes}`,
})
const MEMORY_SETTINGS: Hierarchy['settings'] = ({ memoryBytes }) => ({
  'memory.limit_in_bytes': `${memoryBytes}`,
  'memory.swappiness': '0',
})
const PIDS_SETTINGS: Hierarchy['settings'] = ({ processes }) => ({ 'pids.max': `${processes}` })

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
  return [
    { path: join(ROOT, 'memory', own.get('memory') ?? '/'), settings: MEMORY_SETTINGS },
    { path: join(ROOT, 'pids', own.get('pids') ?? '/'), settings: PIDS_SETTINGS },
  ]
}

function removeQuietly(path: string): void {
  try {
    rmdirSync(path)
  } catch {
    // Still has dying processes, or is another node's: the next sweep takes it.
  }
}

function sweep(parent: string): void {
  for (const name of readdirSync(parent)) if (name.startsWith(PREFIX)) removeQuietly(join(parent, name))
}

function createIn(all: readonly Hierarchy[], name: string, limits: SandboxLimits): ControlGroup {
  const paths: string[] = []
  try {
    for (const { path: parent, settings } of all) {
      const path = join(parent, `${PREFIX}${name}`)
      mkdirSync(path)
      paths.push(path)
      for (const [file, value] of Object.entries(settings(limits))) writeSetting(join(path, file), value)
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

const TRIAL: SandboxLimits = { memoryBytes: 2 ** 26, processes: 8, openFiles: 8, tmpBytes: 2 ** 20, cpuSeconds: null }

/** Control groups of this machine, version 2 or 1; null when this user can not make any. */
export function detectControlGroups(): ControlGroups | null {
  try {
    const all = hierarchies()
    for (const { path } of all) sweep(path)
    createIn(all, `${process.pid}-trial`, TRIAL).remove()
    return {
      description: `control groups version ${all.length === 1 ? 2 : 1}`,
      create: (name, limits) => createIn(all, `${process.pid}-${name}`, limits),
    }
  } catch {
    return null
  }
}
