import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { type SandboxSpec, sandboxError } from './sandbox.ts'

/** What no driver can start as described, or would read as something else. @throws HeuristError SANDBOX_BAD_PROGRAM */
export function checkSpec({ argv, environment, files, device }: SandboxSpec): void {
  if (argv.length === 0) throw sandboxError('SANDBOX_BAD_PROGRAM', 'The program names no command.')
  const texts = [...argv, ...Object.entries(environment).flat(), ...files.flatMap(({ from, to }) => [from, to])]
  if (texts.some(text => text.includes('\0'))) throw sandboxError('SANDBOX_BAD_PROGRAM', 'A text of the program holds a zero byte.')
  for (const { from, to } of files) {
    if (!existsSync(from)) throw sandboxError('SANDBOX_BAD_PROGRAM', `${from} does not exist, so the program can not be given it.`)
    if (!/^\/pod\/[^/]+$/.test(to) || to.endsWith('/..')) throw sandboxError('SANDBOX_BAD_PROGRAM', `Files lie in /pod, not at ${to}.`)
  }
  for (const path of [...device.nodes, ...device.folders]) {
    if (!existsSync(path)) throw sandboxError('SANDBOX_BAD_PROGRAM', `${path} does not exist, so the program can not be given its device.`)
  }
}

/** Writes to a pipe that was opened as one of a child's file descriptors. */
export function feed(child: ChildProcess, fd: number, bytes: Buffer): void {
  const pipe = child.stdio[fd] as Writable // cast: opened as a pipe by the caller
  // One that died early has closed it; its exit says why.
  pipe.on('error', () => {})
  pipe.end(bytes)
}
