import { execFile } from 'node:child_process'

/** What a vendor's tool answered. `code` is null when it could not be started (not installed) or did not end in time. */
export type CommandResult = { readonly code: number | null; readonly stdout: string; readonly stderr: string }
export type RunCommand = (command: string, args: readonly string[]) => Promise<CommandResult>

/** A driver that hangs must not keep a node from starting. */
const TIMEOUT_MS = 10_000

export const runCommand: RunCommand = (command, args) =>
  new Promise(resolve => {
    execFile(command, [...args], { timeout: TIMEOUT_MS, maxBuffer: 4 * 1024 * 1024, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      if (!error) resolve({ code: 0, stdout, stderr })
      else resolve({ code: typeof error.code === 'number' ? error.code : null, stdout, stderr: stderr || error.message })
    })
  })
