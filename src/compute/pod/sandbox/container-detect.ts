import { execFile } from 'node:child_process'
import { basename } from 'node:path'
import { promisify } from 'node:util'
import { messageOf } from '#protocol'
import { type ContainerEngine, createContainers, sweepContainers } from './container.ts'
import type { SandboxSupport } from './sandbox.ts'

const run = promisify(execFile)
const ASK_MS = 20_000
const INSTALL =
  'Install one: apt-get install podman (Debian, Ubuntu; with runc or crun), dnf install podman (Fedora), apk add podman (Alpine); or start docker.'

/** Rootless first where there is a choice: podman asks nobody, docker's daemon is root. */
const ENGINES = ['podman', 'docker']

async function ask(path: string, args: readonly string[]): Promise<string | null> {
  try {
    return (await run(path, [...args], { timeout: ASK_MS })).stdout.trim()
  } catch {
    return null
  }
}

/** Why it can not keep a program in; null when it can. Without root it needs control groups of version 2, or it limits no memory. */
async function weaknessOf({ path, isPodman, isRootless }: ContainerEngine): Promise<string | null> {
  if (!isPodman || !isRootless) return null
  const controllers = (await ask(path, ['info', '--format', '{{.Host.CgroupsVersion}} {{.Host.CgroupControllers}}'])) ?? ''
  const isLimited = controllers.startsWith('v2') && ['memory', 'pids'].every(name => controllers.includes(name))
  return isLimited ? null : `podman without root can limit neither memory nor processes here (control groups: ${controllers})`
}

async function engineAt(path: string): Promise<ContainerEngine | string | null> {
  const said = await ask(path, ['--version'])
  if (said === null) return null
  const isPodman = basename(path).startsWith('podman') || /podman/i.test(said)
  const format = isPodman ? '{{.Host.Security.Rootless}}' : '{{.SecurityOptions}}'
  const security = await ask(path, ['info', '--format', format])
  if (security === null) return `${path} is installed and does not work: run "${path} info" to see why`
  const engine = {
    path,
    isPodman,
    version: /\d+(\.\d+)+/.exec(said)?.[0] ?? 'of unknown version',
    isRootless: /true|rootless/.test(security),
  }
  return (await weaknessOf(engine)) ?? engine
}

/** The first container engine of this machine that works; containers that nodes left behind, which are no more, are removed. */
export async function detectContainers(paths: readonly string[] = ENGINES): Promise<SandboxSupport> {
  if (process.platform !== 'linux') return { sandbox: null, problem: `Containers are kept in on Linux only; this is ${process.platform}.` }
  const problems: string[] = []
  for (const path of paths) {
    const engine = await engineAt(path)
    if (typeof engine === 'string') problems.push(engine)
    if (engine === null || typeof engine === 'string') continue
    try {
      await sweepContainers(path)
      return { sandbox: createContainers(engine), problem: null }
    } catch (error) {
      problems.push(messageOf(error))
    }
  }
  return { sandbox: null, problem: `${problems.join('; ') || 'Neither podman nor docker is installed'}. ${INSTALL}` }
}
