import { randomBytes } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { basename, dirname } from 'node:path'
import { messageOf } from '#protocol'
import { sandboxError } from './sandbox.ts'

/** include/uapi/asm-generic/fcntl.h: a file by its place, whatever it is, without opening it. Node.js has no name for it. */
const O_PATH = 0o10_000_000

/** A path inside of a sandbox that no host has: while a sandbox is set up, its processes still see the host's root. */
export function newSocketPath(): string {
  return `/run/heurist-${randomBytes(8).toString('hex')}/http.sock`
}

/**
 * The unix socket on which a program listens. It lies in a folder that only the program's own mount namespace has, so no other pod can
 * name it and the host's disk holds nothing of it; the node reaches it through the root of the program's first process. Whatever
 * the program puts there instead, a link above all, is looked at and not followed.
 */
export class PodSocket {
  readonly #path: string
  readonly #pid: () => Promise<number>
  #folder: number | null = null
  #isClosed = false

  /** @param pid the program's first process, as the host numbers it */
  constructor(path: string, pid: () => Promise<number>) {
    this.#path = path
    this.#pid = pid
  }

  /** @throws HeuristError SANDBOX_NO_SOCKET while nothing listens there */
  async connect(): Promise<Socket> {
    try {
      const pid = await this.#pid()
      if (this.#isClosed) throw new Error('the program has ended')
      this.#folder ??= openSync(`/proc/${pid}/root${dirname(this.#path)}`, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW)
      return await connectTo(`/proc/self/fd/${this.#folder}/${basename(this.#path)}`)
    } catch (error) {
      throw sandboxError('SANDBOX_NO_SOCKET', `The program does not listen at $HEURIST_SOCKET: ${messageOf(error)}`, error)
    }
  }

  close(): void {
    this.#isClosed = true
    if (this.#folder !== null) closeSync(this.#folder)
    this.#folder = null
  }
}

/** What was looked at is what is connected to: the program may change the name in between, and not the file behind the descriptor. */
async function connectTo(path: string): Promise<Socket> {
  const fd = openSync(path, O_PATH | constants.O_NOFOLLOW)
  try {
    if (!fstatSync(fd).isSocket()) throw new Error('what lies there is no socket')
    return await new Promise<Socket>((resolve, reject) => {
      const socket = connect({ path: `/proc/self/fd/${fd}` })
      socket.once('error', reject)
      socket.once('connect', () => resolve(socket.off('error', reject)))
    })
  } finally {
    closeSync(fd)
  }
}
