import { execFile } from 'node:child_process'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { type Isolation, messageOf } from '#protocol'
import { createBubblewrap } from './bubblewrap.ts'
import { detectControlGroups } from './cgroup.ts'
import { detectContainers } from './container-detect.ts'
import { NO_DEVICE, type Sandbox, type SandboxSpec, type SandboxSupport, sandboxError } from './sandbox.ts'
import { sweepScratch } from './scratch.ts'
import { SANDBOX_ARCHITECTURES } from './seccomp.ts'

/** What this machine has, per isolation that a manifest may ask for; without any no program ever runs. */
export type Sandboxes = Readonly<Record<Exclude<Isolation, 'none'>, SandboxSupport>>

const TRIAL: SandboxSpec = {
  argv: ['/bin/sh', '-c', 'echo inside'],
  image: null,
  files: [],
  environment: {},
  hasNetwork: false,
  hasSocket: false,
  device: NO_DEVICE,
  limits: { memoryBytes: 2 ** 28, processes: 16, openFiles: 64, tmpBytes: 2 ** 20, cpuSeconds: 10 },
}
const TRIAL_MS = 20_000
const INSTALL =
  'Install it: apt-get install bubblewrap (Debian, Ubuntu), dnf install bubblewrap (Fedora), apk add bubblewrap bash util-linux (Alpine).'
const NAMESPACES =
  'Allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0), or run the node as root.'

const run = promisify(execFile)

async function versionOf(path: string): Promise<string | null> {
  try {
    const { stdout } = await run(path, ['--version'], { timeout: TRIAL_MS })
    return /\d+(\.\d+)+/.exec(stdout)?.[0] ?? 'of unknown version'
  } catch {
    return null
  }
}

/** Runs a real program in it: that bubblewrap is installed does not say that the kernel lets it work. */
async function failureOf(sandbox: Sandbox): Promise<string | null> {
  const program = await sandbox.start(TRIAL, AbortSignal.timeout(TRIAL_MS))
  program.stdin.end()
  const read = (stream: Readable): Promise<string> => stream.setEncoding('utf8').reduce((text, piece) => text + piece, '')
  const [said, complaint] = await Promise.all([read(program.stdout), read(program.stderr)])
  return said.trim() === 'inside' ? null : complaint.trim().slice(0, 200) || 'it said nothing'
}

/** @param path bwrap(1), looked for in PATH unless it holds a slash */
export async function detectSandbox(path = 'bwrap'): Promise<SandboxSupport> {
  const architecture = SANDBOX_ARCHITECTURES.find(name => name === process.arch)
  if (process.platform !== 'linux' || !architecture) {
    return {
      sandbox: null,
      problem: `Programs are kept in on Linux on x64 and arm64 only; this is ${process.platform} on ${process.arch}.`,
    }
  }
  const version = await versionOf(path)
  if (version === null) return { sandbox: null, problem: `bubblewrap (bwrap) is not installed. ${INSTALL}` }
  try {
    const sandbox = createBubblewrap({ path, version, architecture, isRoot: process.getuid?.() === 0, groups: detectControlGroups() })
    const failure = await failureOf(sandbox)
    return failure === null
      ? { sandbox, problem: null }
      : { sandbox: null, problem: `bubblewrap can not start a program here: ${failure}. ${NAMESPACES}` }
  } catch (error) {
    return { sandbox: null, problem: `bubblewrap can not be used: ${messageOf(error)}. ${NAMESPACES}` }
  }
}

export async function detectSandboxes(): Promise<Sandboxes> {
  sweepScratch()
  const [bwrap, container] = await Promise.all([detectSandbox(), detectContainers()])
  return { bwrap, container }
}

/** The sandbox, or the reason why there is none. @throws HeuristError SANDBOX_UNAVAILABLE */
export function requireSandbox(support: SandboxSupport): Sandbox {
  if (support.sandbox) return support.sandbox
  throw sandboxError('SANDBOX_UNAVAILABLE', support.problem)
}
