import type { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { HeuristError } from '#protocol'

/**
 * - `SANDBOX_UNAVAILABLE`: this machine can not keep foreign code in; the message says what to install
 * - `SANDBOX_BAD_PROGRAM`: the program or a file of it can not be started as described
 * - `SANDBOX_NO_SOCKET`: nothing listens on the program's socket yet, or any more
 */
export type SandboxErrorCode = 'SANDBOX_UNAVAILABLE' | 'SANDBOX_BAD_PROGRAM' | 'SANDBOX_NO_SOCKET'

export function sandboxError(code: SandboxErrorCode, message: string, cause?: unknown): HeuristError<SandboxErrorCode> {
  return new HeuristError(code, message, { cause })
}

/** What a program may use at most. Memory and processes are counted over the whole tree where control groups are writable, else per process and user. */
export type SandboxLimits = {
  readonly memoryBytes: number
  /** Processes and threads. */
  readonly processes: number
  readonly openFiles: number
  /** Size of /tmp, its only writable folder, and of one file. */
  readonly tmpBytes: number
  /** CPU time of one process, in seconds; null for no limit (a server lives long). */
  readonly cpuSeconds: number | null
}

/** What a program gets of the device that it is placed on. */
export type DeviceGrant = {
  /** Device nodes that it may open; no other one of a GPU is there. */
  readonly nodes: readonly string[]
  /** Folders of /sys that its runtime reads. */
  readonly folders: readonly string[]
  /** Ids of the groups that may open the nodes, where not everybody may. */
  readonly groups: readonly number[]
  /** Variables by which runtimes choose their devices; the program's own do not replace them. */
  readonly environment: Readonly<Record<string, string>>
  /** Processors that it may keep busy; null: all. */
  readonly cores: number | null
}

export const NO_DEVICE: DeviceGrant = { nodes: [], folders: [], groups: [], environment: {}, cores: null }

export type SandboxSpec = {
  /** Program and arguments as seen from inside; the working directory is /pod, and `node` is this node's own Node.js. */
  readonly argv: readonly string[]
  /** The container image that brings everything but its files, by digest; null where the host's /usr does. */
  readonly image: string | null
  /** Files of the host that the program may read, and where it sees them. Nothing else of the host's data is there. */
  readonly files: readonly { readonly from: string; readonly to: string }[]
  /** The whole environment, but for PATH, HOME, LANG and HEURIST_SOCKET. */
  readonly environment: Readonly<Record<string, string>>
  /** The host's network, all of it; otherwise there is none, not even a loopback device with something on it. */
  readonly hasNetwork: boolean
  /** Whether the program listens on a unix socket: it finds the path in HEURIST_SOCKET, in a small folder of its own that it can write to. */
  readonly hasSocket: boolean
  readonly limits: SandboxLimits
  readonly device: DeviceGrant
}

/** How a program ended. `wasKilled` when it was ended from outside (`kill`, or its signal). */
export type SandboxExit = { readonly code: number | null; readonly signal: string | null; readonly wasKilled: boolean }

/** A running program. Its standard streams are pipes with the usual back-pressure; who does not read blocks it. */
export type SandboxProcess = {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** Resolves when the program is over, and with it every process that it left behind. */
  readonly exited: Promise<SandboxExit>
  /** A connection to its socket. @throws HeuristError SANDBOX_NO_SOCKET */
  connect(): Promise<Socket>
  /** Kills the whole tree at once: no signal that a program could ignore. */
  kill(): void
}

/** Keeps a program in. One driver per kind of isolation. */
export interface Sandbox {
  /** `bubblewrap 0.8.0 …`: what doctor shows. */
  readonly description: string
  /** Whether it holds a program to its share of the processors (`DeviceGrant.cores`). */
  readonly limitsCores: boolean
  /** @param signal kills the program when it fires: a lease that ends, a wall time. @throws HeuristError SANDBOX_BAD_PROGRAM */
  start(spec: SandboxSpec, signal: AbortSignal): Promise<SandboxProcess>
}

/** A sandbox that this machine has, or why it has none and what to do. */
export type SandboxSupport = { readonly sandbox: Sandbox; readonly problem: null } | { readonly sandbox: null; readonly problem: string }
