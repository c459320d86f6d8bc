import type { ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import type { PodSocket } from './pod-socket.ts'
import { type SandboxExit, type SandboxProcess, sandboxError } from './sandbox.ts'

export type Supervision = {
  /** Ends the whole tree of the child. */
  kill(): void
  /** Called once, when it is over. */
  release(): void
  readonly socket: PodSocket | null
  /** Kills it when it fires. */
  readonly signal: AbortSignal
}

/** What all drivers make of the child that they started: a program that is over when the child is. */
export function supervise(child: ChildProcess, { kill: killTree, release, socket, signal }: Supervision): SandboxProcess {
  let wasKilled = false
  const kill = (): void => {
    wasKilled ||= child.exitCode === null && child.signalCode === null
    killTree()
  }
  signal.addEventListener('abort', kill, { once: true })
  const exited = new Promise<SandboxExit>(resolve => {
    const end = (code: number | null, ended: string | null): void => {
      signal.removeEventListener('abort', kill)
      socket?.close()
      release()
      resolve({ code, signal: ended, wasKilled })
    }
    child.once('exit', end)
    child.once('error', () => end(null, null))
  })
  const { stdin, stdout, stderr } = child as { stdin: Writable; stdout: Readable; stderr: Readable } // cast: all three are pipes
  // A program that is gone can not be written to; its exit says so.
  stdin.on('error', () => {})
  const connect = async (): Promise<Socket> => {
    if (socket) return socket.connect()
    throw sandboxError('SANDBOX_NO_SOCKET', 'The program was started without a socket.')
  }
  return { stdin, stdout, stderr, exited, connect, kill }
}
