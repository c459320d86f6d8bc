import { messageOf } from '#protocol'
import { detectContainers } from '../container-detect.ts'
import { detectSandbox } from '../detect.ts'
import type { Sandbox, SandboxSupport } from '../sandbox.ts'
import { toolsImage } from './image.ts'
import { runScript } from './run.ts'

/** Test support: every kind of isolation of this machine, so that one suite runs over all. */
export type Kind = {
  readonly name: 'bubblewrap' | 'container'
  readonly support: SandboxSupport
  /** Variables and paths that this kind itself puts into a program's world; none is of the host. */
  readonly variables: readonly string[]
  readonly paths: readonly string[]
}

/** The program that runs its containers. */
export function engineOf({ description }: Sandbox): string {
  return description.split(' ')[0] ?? ''
}

function withImage(sandbox: Sandbox, image: string): Sandbox {
  return { ...sandbox, start: (spec, signal) => sandbox.start({ ...spec, image }, signal) }
}

async function containers(): Promise<SandboxSupport> {
  const support = await detectContainers()
  if (!support.sandbox) return support
  try {
    const sandbox = withImage(support.sandbox, toolsImage(engineOf(support.sandbox)))
    // An engine may be installed and its runtime not fit this kernel.
    const { stdout, stderr } = await runScript(sandbox, { sh: 'echo inside' })
    return stdout === 'inside\n' ? { sandbox, problem: null } : { sandbox: null, problem: `no container can be started: ${stderr.trim()}` }
  } catch (error) {
    return { sandbox: null, problem: `no image can be made: ${messageOf(error)}` }
  }
}

const CONTAINER_PATHS = ['/etc/passwd', '/root', '/home', '/var/lib', '/sys/kernel', '/run', '/proc/1/environ']

export async function kindNamed(name: string): Promise<Kind> {
  if (name === 'bubblewrap') return { name, support: await detectSandbox(), variables: [], paths: [] }
  return { name: 'container', support: await containers(), variables: ['HOSTNAME', 'TERM', 'container'], paths: CONTAINER_PATHS }
}
