import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Start time of a process, which with its id names it for ever; null when there is none. */
export function startOf(pid: number | string): string | null {
  try {
    return (
      readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')[19] ?? null
    )
  } catch {
    return null
  }
}

/** Which processes this one can see: those of another container with the same folder are not gone because they are not seen. */
function pidNamespace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? 'none'
  } catch {
    return 'none'
  }
}

const FOLDER = /^heurist-(?:program|seccomp)-(\w+)-(\d+)-(\d+)-\w+$/

/** A folder of this process that {@link sweepScratch} removes when the process is gone without having done so. */
export function newScratch(kind: 'program' | 'seccomp'): string {
  return mkdtempSync(join(tmpdir(), `heurist-${kind}-${pidNamespace()}-${process.pid}-${startOf(process.pid)}-`))
}

/** Removes what nodes that were killed left: a copy of each program that they ran. */
export function sweepScratch(): void {
  for (const name of readdirSync(tmpdir())) {
    const [, namespace, pid, start] = FOLDER.exec(name) ?? []
    if (pid === undefined || namespace !== pidNamespace() || startOf(pid) === start) continue
    try {
      rmSync(join(tmpdir(), name), { recursive: true, force: true })
    } catch {
      // Another user's, who can remove it himself.
    }
  }
}
