import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { promisify } from 'node:util'
import { messageOf } from '#protocol'
import { containerArguments, environmentLines } from './container-arguments.ts'
import { newSocketPath, PodSocket } from './pod-socket.ts'
import { nextProgram, uidOf } from './pod-user.ts'
import { type Sandbox, type SandboxSpec, sandboxError } from './sandbox.ts'
import { newScratch, startOf } from './scratch.ts'
import { seccompProfile } from './seccomp-profile.ts'
import { checkSpec, feed } from './spec-checks.ts'
import { supervise } from './supervise.ts'

export type ContainerEngine = {
  /** `podman` or `docker`, or a path of one. */
  readonly path: string
  readonly isPodman: boolean
  readonly version: string
  readonly isRootless: boolean
}

const run = promisify(execFile)
const ENVIRONMENT_FD = 3
const LIFELINE_FD = 4
/** Node.js makes sockets, which can not be opened by a path; this is a pipe. */
const FILE_FD = 6
/** In a user namespace every id is another one on the host. */
const NOBODY = 65_534
/**
 * Runs the client in the background and stays: when the lifeline closes, because the node says so or because it is gone, the client is
 * killed and the container removed, and when the client ends by itself, what it may have left is. In a session of its own, so that
 * no signal to the node's group ends it first; it writes nothing, because with the node gone that would end it too.
 */
const SUPERVISE = `engine=$1; name=$2; shift 2
exec 5<&0 ${FILE_FD}< <(cat <&${ENVIRONMENT_FD})
"$engine" "$@" <&5 5<&- ${ENVIRONMENT_FD}<&- ${LIFELINE_FD}<&- &
client=$!
exec 5<&- ${ENVIRONMENT_FD}<&- ${FILE_FD}<&- </dev/null >/dev/null 2>&1
( read -r -u ${LIFELINE_FD} _; kill -9 $client ) &
watcher=$!
wait $client; code=$?
kill -9 $watcher
for try in 1 2 3 4 5 6 7 8; do
  "$engine" rm --force "$name"
  "$engine" container inspect "$name" || break
  sleep 0.25
done
exit $code`

const PREFIX = `heurist-${process.pid}-${startOf(process.pid)}`

/** Removes containers of nodes that are no more. One that is being removed by another node is no fault. */
export async function sweepContainers(path: string): Promise<void> {
  const { stdout } = await run(path, ['ps', '--all', '--filter', 'name=heurist-', '--format', '{{.Names}}'])
  const stale = stdout.split('\n').filter(name => {
    const [, pid, start] = /^heurist-(\d+)-(\d+)-\d+$/.exec(name.trim()) ?? []
    return pid !== undefined && startOf(pid) !== start
  })
  for (const name of stale) await run(path, ['rm', '--force', name.trim()]).catch(() => undefined)
}

/** Programs as containers of podman or docker: an image by its digest, and the same walls and limits as under bubblewrap. */
export function createContainers(engine: ContainerEngine): Sandbox {
  const folder = newScratch('seccomp')
  const profilePath = join(folder, 'profile.json')
  writeFileSync(profilePath, seccompProfile(), { mode: 0o644 })
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return {
    description: `${engine.isPodman ? 'podman' : 'docker'} ${engine.version}${engine.isRootless ? ', without root' : ', as root with a user per program'}`,
    limitsCores: true,
    async start(spec, signal) {
      signal.throwIfAborted()
      checkSpec(spec)
      const index = nextProgram()
      const name = `${PREFIX}-${index}`
      const socketPath = spec.hasSocket ? newSocketPath() : null
      const uid = engine.isRootless ? NOBODY : uidOf(index)
      const paths = { profilePath, environmentPath: `/dev/fd/${FILE_FD}`, socketPath }
      const args = containerArguments(spec, { name, uid, isPodman: engine.isPodman, ...paths })
      const environment = environmentLines(spec, socketPath)
      await ensureImage(engine, spec, signal)
      const child = spawn('bash', ['--norc', '--noprofile', '-c', SUPERVISE, 'bash', engine.path, name, ...args], {
        stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
        cwd: '/',
        detached: true,
      })
      feed(child, ENVIRONMENT_FD, Buffer.from(environment))
      const lifeline = lifelineOf(child, LIFELINE_FD)
      return supervise(child, {
        kill: () => void lifeline.end(),
        release: () => void lifeline.destroy(),
        socket: socketPath === null ? null : new PodSocket(socketPath, () => pidOf(engine, name)),
        signal,
      })
    },
  }
}

/** By digest, so whoever served it: it is what the manifest names. */
async function ensureImage({ path }: ContainerEngine, { image }: SandboxSpec, signal: AbortSignal): Promise<void> {
  if (image === null) return
  const isThere = await run(path, ['image', 'inspect', image], { signal }).then(
    () => true,
    () => false,
  )
  signal.throwIfAborted()
  if (isThere) return
  try {
    await run(path, ['pull', '--quiet', image], { signal })
  } catch (error) {
    signal.throwIfAborted()
    throw sandboxError('SANDBOX_BAD_PROGRAM', `The image ${image} can not be pulled: ${messageOf(error).slice(-300)}`, error)
  }
}

function lifelineOf(child: ChildProcess, fd: number): Writable {
  const lifeline = child.stdio[fd] as Writable // cast: opened as a pipe by the caller
  return lifeline.on('error', () => {})
}

async function pidOf({ path }: ContainerEngine, name: string): Promise<number> {
  const { stdout } = await run(path, ['container', 'inspect', '--format', '{{.State.Pid}}', name])
  const pid = Number(stdout.trim())
  if (!Number.isInteger(pid) || pid <= 0) throw new Error('the container does not run yet')
  return pid
}
