import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import { bubblewrapCommand, bubblewrapOptions } from './bubblewrap-arguments.ts'
import type { ControlGroups } from './cgroup.ts'
import { newSocketPath, PodSocket } from './pod-socket.ts'
import { nextProgram } from './pod-user.ts'
import type { Sandbox } from './sandbox.ts'
import { type SandboxArchitecture, seccompFilter } from './seccomp.ts'
import { checkSpec, feed } from './spec-checks.ts'
import { supervise } from './supervise.ts'

export type BubblewrapDriverOptions = {
  /** Path of bwrap(1). */
  readonly path: string
  readonly version: string
  readonly architecture: SandboxArchitecture
  readonly isRoot: boolean
  /** Null where this user can make none: memory is then limited per process only. */
  readonly groups: ControlGroups | null
}

const OPTIONS_FD = 3
const SECCOMP_FD = 4
const INFO_FD = 5
/**
 * Enters the control groups before anything of the pod runs, closes what the node itself inherited (Node.js passes that on), and becomes
 * bubblewrap. In bash, because a plain sh can not name file descriptors above 9.
 */
const ENTER = `set -e
while [ "$1" != -- ]; do echo $$ > "$1"; shift; done; shift
for fd in /proc/self/fd/*; do case \${fd##*/} in [0-${INFO_FD}]) ;; *) eval "exec \${fd##*/}>&-" ;; esac; done
exec "$@"`
/** A group can be removed only when its last process is reaped. */
const REMOVE_GROUP_AFTER_MS = 200

/** Programs under bubblewrap: own namespaces, a read-only root, a seccomp filter, limits, no capabilities. */
export function createBubblewrap(options: BubblewrapDriverOptions): Sandbox {
  const filter = seccompFilter(options.architecture)
  return {
    description: `bubblewrap ${options.version}, ${options.isRoot ? 'as root with a user per program' : 'user namespaces'}, ${
      options.groups?.description ?? 'no control groups (memory is limited per process)'
    }`,
    limitsCores: options.groups?.limitsCores ?? false,
    async start(spec, signal) {
      signal.throwIfAborted()
      checkSpec(spec)
      const index = nextProgram()
      const group = options.groups?.create(`${index}`, { limits: spec.limits, cores: spec.device.cores }) ?? null
      const socketPath = spec.hasSocket ? newSocketPath() : null
      const inside = { isRoot: options.isRoot, index, seccompFd: SECCOMP_FD, infoFd: INFO_FD, socketPath }
      const bwrap = [options.path, '--args', `${OPTIONS_FD}`, '--', ...bubblewrapCommand(spec, inside)]
      const child = spawn('bash', ['--norc', '--noprofile', '-c', ENTER, 'bash', ...(group?.entries ?? []), '--', ...bwrap], {
        stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
        cwd: '/',
        env: { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin' },
      })
      feed(
        child,
        OPTIONS_FD,
        Buffer.from(
          bubblewrapOptions(spec, inside)
            .map(argument => `${argument}\0`)
            .join(''),
        ),
      )
      feed(child, SECCOMP_FD, filter)
      const pid = readPid(child, INFO_FD)
      return supervise(child, {
        // bwrap dies with its parent and its processes with it, so killing it kills all: they share its process namespace.
        kill: () => void child.kill('SIGKILL'),
        release: () => void setTimeout(() => group?.remove(), REMOVE_GROUP_AFTER_MS).unref(),
        socket: socketPath === null ? null : new PodSocket(socketPath, () => pid),
        signal,
      })
    },
  }
}

const infoSchema = z.object({ 'child-pid': z.number().int().positive() })

/** The first process inside, as the host numbers it. */
function readPid(child: ChildProcess, fd: number): Promise<number> {
  const pid = text(child.stdio[fd] as Readable).then(said => infoSchema.parse(JSON.parse(said))['child-pid']) // cast: opened as a pipe above
  // Who needs it finds out; a bwrap that died early has told nothing.
  pid.catch(() => {})
  return pid
}
