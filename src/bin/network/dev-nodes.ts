import { join } from 'node:path'
import type { Clock, Logger } from '#platform'
import { type SupervisedChild, superviseChild } from '../child.ts'
import type { Config } from '../config.ts'
import type { Home } from '../home.ts'
import type { Progress } from '../progress.ts'
import { PACKAGE_ROOT } from '../version.ts'
import { BUILTIN_CHAT_POD, BUILTIN_EMBEDDING_POD } from './pods.ts'
import type { Services } from './services.ts'

/** Parts of the CPU that the nodes of `up` offer, in percent: different, so that the router has a choice to make. */
const SHARES = [100, 50]

export type DevNodeDependencies = {
  readonly home: Home
  readonly gatewayUrl: string
  readonly clock: Clock
  readonly logger: Logger
  readonly environment: NodeJS.ProcessEnv
  readonly progress: Progress
}

/** Starts the compute nodes of `up`, each a process of its own: inference must not block routing. */
export function startDevNodes(
  config: Config,
  { home, gatewayUrl, clock, logger, environment, progress }: DevNodeDependencies,
): SupervisedChild[] {
  return Array.from({ length: config.devNodes }, (_, index) => {
    const name = `node-${index + 1}`
    const share = SHARES[index % SHARES.length] ?? 100
    return superviseChild(
      {
        name,
        command: process.execPath,
        args: [join(PACKAGE_ROOT, 'src/bin/heurist.ts'), 'node', 'start', '--name', name, '--share', String(share)],
        environment: { ...environment, HEURIST_HOME: config.home, HEURIST_GATEWAY_URL: `${gatewayUrl}/v1` },
        logFile: join(home.logs, `${name}.log`),
        onEnd: how => progress.note(`${name} ended (${how}) and is started again; what it said is in ${join(home.logs, `${name}.log`)}`),
        onStart: pid => logger.info({ node: name, pid }, 'node process started'),
      },
      { clock, logger },
    )
  })
}

/** Every node holds these; what it does not hold is not waited for. */
const BUILTIN_PODS: ReadonlySet<string> = new Set([BUILTIN_CHAT_POD, BUILTIN_EMBEDDING_POD])
const WARM_WAIT_MS = 120_000
const POLL_MS = 50

/**
 * True when all nodes are linked and each pod that they hold has the replicas that its manifest keeps, as far as there are places; false after a
 * while, since nodes come and go.
 */
export async function waitForWarmPods(services: Services, nodes: number, tell: (detail: string) => void): Promise<boolean> {
  const deadline = performance.now() + WARM_WAIT_MS
  for (;;) {
    const online = services.router.nodes().filter(node => node.online)
    const pods = services.pods.catalog.list()
    const cold = pods.filter(({ podId, manifest }) => {
      const { warm, replicas } = services.router.podCapacity(podId)
      return warm < Math.min(manifest.spec.scaling.min, replicas) || (replicas === 0 && BUILTIN_PODS.has(manifest.metadata.name))
    })
    if (online.length >= nodes && cold.length === 0) return true
    if (performance.now() > deadline) return false
    tell(`${online.length}/${nodes} linked${cold.length > 0 ? `, loading ${cold.map(({ name }) => name).join(', ')}` : ''}`)
    await new Promise(resolve => setTimeout(resolve, POLL_MS))
  }
}
