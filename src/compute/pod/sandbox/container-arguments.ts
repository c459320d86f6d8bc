import { dirname } from 'node:path'
import { type SandboxSpec, sandboxError } from './sandbox.ts'

export type ContainerOptions = {
  /** Name of the container on this machine. */
  readonly name: string
  /** Who the program is: for an engine that runs as root a user that owns nothing on the host. */
  readonly uid: number
  /** Paths of the seccomp profile and of the variables, one `NAME=value` a line. */
  readonly profilePath: string
  readonly environmentPath: string
  readonly socketPath: string | null
  /** podman mounts more writable folders than asked for unless it is told not to; docker does not. */
  readonly isPodman: boolean
}

const SOCKET_FOLDER_BYTES = 64 * 1024

function mount(from: string, to: string): string[] {
  if (/[",]/.test(from))
    throw sandboxError('SANDBOX_BAD_PROGRAM', `${from} can not be mounted into a container: its path holds a comma or a quote.`)
  return ['--mount', `type=bind,source=${from},target=${to},readonly`]
}

/** Empty, whatever the image has there, which podman would copy with its mode. */
function tmpfs(folder: string, { bytes, mode, isPodman }: { bytes: number; mode: string; isPodman: boolean }): string[] {
  return ['--tmpfs', `${folder}:rw,nosuid,nodev,size=${bytes},mode=${mode}${isPodman ? ',notmpcopyup' : ''}`]
}

/** What a container is given of the machine. Memory without swap; the limits of a process for what control groups do not count. */
function limits({ memoryBytes, processes, openFiles, tmpBytes, cpuSeconds }: SandboxSpec['limits']): string[] {
  const both = (name: string, value: number): string[] => ['--ulimit', `${name}=${value}:${value}`]
  return [
    ...['--memory', `${memoryBytes}`, '--memory-swap', `${memoryBytes}`, '--pids-limit', `${processes}`],
    ...[...both('nproc', processes), ...both('nofile', openFiles), ...both('fsize', tmpBytes), ...both('core', 0), ...both('memlock', 0)],
    ...(cpuSeconds === null ? [] : both('cpu', cpuSeconds)),
  ]
}

/** Its device and what its runtime reads of it; nothing of another one. */
function device({ nodes, folders, groups, cores }: SandboxSpec['device']): string[] {
  return [
    ...nodes.flatMap(path => ['--device', path]),
    ...folders.flatMap(path => mount(path, path)),
    ...groups.flatMap(group => ['--group-add', `${group}`]),
    ...(cores === null ? [] : ['--cpus', `${cores}`]),
  ]
}

/** Arguments of `podman run` and `docker run`. @throws HeuristError SANDBOX_BAD_PROGRAM */
export function containerArguments(spec: SandboxSpec, options: ContainerOptions): string[] {
  const { image, files, hasNetwork, limits: bounds } = spec
  if (image === null)
    throw sandboxError('SANDBOX_BAD_PROGRAM', 'The program names no container image. Set spec.command.image in its manifest.')
  const { name, uid, profilePath, environmentPath, socketPath, isPodman } = options
  return [
    ...['run', '--rm', '--interactive', '--name', name, '--pull', 'never', '--log-driver', 'none', '--stop-timeout', '0'],
    ...['--network', hasNetwork ? 'host' : 'none', '--ipc', 'none', '--hostname', 'pod'],
    ...['--cap-drop', 'all', '--security-opt', 'no-new-privileges', '--security-opt', `seccomp=${profilePath}`, '--user', `${uid}:${uid}`],
    ...[
      '--read-only',
      ...(isPodman ? ['--read-only-tmpfs=false'] : []),
      ...tmpfs('/tmp', { bytes: bounds.tmpBytes, mode: '1777', isPodman }),
    ],
    ...(socketPath === null ? [] : tmpfs(dirname(socketPath), { bytes: SOCKET_FOLDER_BYTES, mode: '0777', isPodman })),
    ...limits(bounds),
    ...device(spec.device),
    ...files.flatMap(({ from, to }) => mount(from, to)),
    ...['--env-file', environmentPath, '--workdir', '/pod', '--entrypoint', '', image],
    ...spec.argv,
  ]
}

/** The lines of an environment file, which has no way to write a line end. @throws HeuristError SANDBOX_BAD_PROGRAM */
export function environmentLines({ environment, device: given }: SandboxSpec, socketPath: string | null): string {
  const variables = {
    HOME: '/tmp',
    LANG: 'C.UTF-8',
    ...environment,
    ...given.environment,
    ...(socketPath !== null && { HEURIST_SOCKET: socketPath }),
  }
  for (const [name, value] of Object.entries(variables))
    if (/[\r\n]/.test(value))
      throw sandboxError('SANDBOX_BAD_PROGRAM', `The variable ${name} has several lines, which a container can not be given. Encode it.`)
  return Object.entries(variables)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}
