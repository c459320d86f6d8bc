import { existsSync, lstatSync, readlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { prlimitArguments } from './limits.ts'
import { uidOf } from './pod-user.ts'
import type { SandboxSpec } from './sandbox.ts'

/** Where a program finds itself and this node's Node.js. */
const HOME = '/pod'
const NODE_PATH = '/opt/heurist/node'
const PATH = '/usr/local/bin:/usr/bin:/bin:/opt/heurist'
/** Inside a user namespace the ids are names only. */
const NOBODY = 65_534

/** Parts of /etc that the loader and runtimes need; none holds a secret. */
const SYSTEM_FILES = ['/etc/ld.so.cache', '/etc/ld.so.conf', '/etc/ld.so.conf.d', '/etc/alternatives', '/etc/localtime']
const NETWORK_FILES = ['/etc/resolv.conf', '/etc/hosts', '/etc/nsswitch.conf', '/etc/ssl/certs', '/etc/ca-certificates']
const SYSTEM_FOLDERS = ['/bin', '/sbin', '/lib', '/lib32', '/lib64']

export type BubblewrapOptions = {
  readonly isRoot: boolean
  /** Counts up with each program of this node. */
  readonly index: number
  /** File descriptor from which bubblewrap reads the seccomp filter. */
  readonly seccompFd: number
  /** File descriptor to which bubblewrap writes the process id of the first process inside. */
  readonly infoFd: number
  /** Where the program listens, in a folder of its own; null when it does not. */
  readonly socketPath: string | null
}

/** Folders that are links on systems with one /usr stay links. */
function systemFolder(path: string): string[] {
  if (!existsSync(path)) return []
  return lstatSync(path).isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path]
}

function readable(from: string, to: string): string[] {
  return ['--perms', '0755', '--dir', dirname(to), '--ro-bind', from, to]
}

/** Room for the names of some sockets. */
const SOCKET_FOLDER_BYTES = 64 * 1024

function socketFolder(path: string): string[] {
  const folder = dirname(path)
  return ['--perms', '0755', '--dir', dirname(folder), '--size', `${SOCKET_FOLDER_BYTES}`, '--perms', '0777', '--tmpfs', folder]
}

/** No capability is left to the program. As root, three are kept just long enough to become nobody (`setpriv`). */
function identity({ isRoot }: BubblewrapOptions): string[] {
  if (!isRoot) return ['--unshare-user', '--uid', `${NOBODY}`, '--gid', `${NOBODY}`, '--cap-drop', 'ALL']
  return ['--cap-drop', 'ALL', ...['CAP_SETUID', 'CAP_SETGID', 'CAP_SETPCAP'].flatMap(name => ['--cap-add', name])]
}

function fileSystem(spec: SandboxSpec, socketPath: string | null): string[] {
  const etc = [...SYSTEM_FILES, ...(spec.hasNetwork ? NETWORK_FILES : [])]
  return [
    ...['--ro-bind', '/usr', '/usr'],
    ...SYSTEM_FOLDERS.flatMap(systemFolder),
    ...['--perms', '0755', '--dir', '/etc', '--perms', '0755', '--dir', '/etc/ssl'],
    ...etc.flatMap(path => ['--ro-bind-try', path, path]),
    ...['--proc', '/proc', '--dev', '/dev'],
    ...spec.device.nodes.flatMap(path => ['--dev-bind', path, path]),
    ...spec.device.folders.flatMap(path => ['--ro-bind', path, path]),
    ...['--size', `${spec.limits.tmpBytes}`, '--perms', '1777', '--tmpfs', '/tmp'],
    ...['--perms', '0755', '--dir', HOME],
    ...(socketPath === null ? [] : socketFolder(socketPath)),
    ...readable(process.execPath, NODE_PATH),
    ...spec.files.flatMap(({ from, to }) => readable(from, to)),
    // Last: what is mounted on these stays as it is.
    ...['--remount-ro', '/dev', '--remount-ro', '/'],
  ]
}

/** Options of bwrap(1). They travel through a pipe and not as arguments: an environment may hold secrets, and anyone can read arguments. */
export function bubblewrapOptions(spec: SandboxSpec, options: BubblewrapOptions): string[] {
  const { socketPath } = options
  const environment = {
    PATH,
    HOME: '/tmp',
    LANG: 'C.UTF-8',
    ...spec.environment,
    ...spec.device.environment,
    ...(socketPath !== null && { HEURIST_SOCKET: socketPath }),
  }
  return [
    ...identity(options),
    ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try', '--hostname', 'pod'],
    ...(spec.hasNetwork ? [] : ['--unshare-net']),
    ...['--die-with-parent', '--new-session', '--seccomp', `${options.seccompFd}`, '--info-fd', `${options.infoFd}`],
    '--clearenv',
    ...Object.entries(environment).flatMap(([name, value]) => ['--setenv', name, value]),
    ...fileSystem(spec, socketPath),
    ...['--chdir', HOME],
  ]
}

/** What runs inside: limits first, then the lesser user, then the program. */
export function bubblewrapCommand(spec: SandboxSpec, { isRoot, index }: BubblewrapOptions): string[] {
  const uid = `${uidOf(index)}`
  const { nodes, groups } = spec.device
  const membership = groups.length > 0 ? ['--groups', groups.join(',')] : ['--clear-groups']
  const become = ['setpriv', '--reuid', uid, '--regid', uid, ...membership, '--bounding-set=-all', '--inh-caps=-all', '--no-new-privs']
  return [
    'prlimit',
    ...prlimitArguments(spec.limits, { hasDevice: nodes.length > 0 }),
    '--',
    ...(isRoot ? [...become, '--'] : []),
    ...spec.argv,
  ]
}
