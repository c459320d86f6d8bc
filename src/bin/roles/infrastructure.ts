import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { createApiKeys } from '#application'
import { createLogger, createMetrics, systemClock } from '#platform'
import { createBlobStore } from '#platform/blobs'
import type { Config } from '../config.ts'
import { lockHome, openHome } from '../home.ts'
import { developerKeys, prepareDeveloper } from '../network/developer.ts'
import { type Infrastructure, startInfrastructure } from '../network/infrastructure.ts'
import { clusterSecret } from '../network/join.ts'
import { createPodServices } from '../network/pods.ts'
import { createProgress } from '../progress.ts'
import { onStopSignals } from '../signals.ts'
import { stopAll } from '../stop-all.ts'

/**
 * Runs what the roles stand on, until a signal: PostgreSQL and the dev chain (or those of DATABASE_URL and CHAIN_RPC_URL), with the
 * contracts, the developer's account, its keys, and the built-in pods. Resolves with the exit code.
 */
export async function runInfrastructure(config: Config): Promise<number> {
  const stopSignal = onStopSignals()
  const home = openHome(config.home)
  const unlock = lockHome(home)
  const clock = systemClock
  const logger = createLogger({ level: config.logLevel, role: 'infrastructure', file: join(home.logs, 'infrastructure.log') })
  const tools = { home, clock, logger, metrics: createMetrics(), progress: createProgress(clock.now) }
  const undo: (() => Promise<unknown>)[] = []
  try {
    const infrastructure = await startInfrastructure(config, tools)
    undo.push(() => infrastructure.stop())
    const { chain, database, signers } = infrastructure
    await tools.progress.step('developer account', () => prepareDeveloper(chain, signers))
    const pods = createPodServices({
      chain,
      database,
      blobs: createBlobStore({ directory: home.blobs }),
      dispatcher: { publishPods: () => undefined },
      indexer: { onEvents: () => () => undefined },
      deployer: signers.developer,
      clock,
      logger,
    })
    await tools.progress.step('pods', () => pods.deployBuiltins())
    const apiKeys = createApiKeys(
      { requestsPerMinute: config.requestsPerMinute },
      { keys: database.keys, clock, randomBytes: length => randomBytes(length) },
    )
    const { apiKey } = await developerKeys(home, apiKeys, signers.developer.address)
    await clusterSecret(config, home)
    const lost = Promise.withResolvers<string>()
    infrastructure.onLost(lost.resolve)
    announce(config, infrastructure, apiKey)
    const why = await Promise.race([stopSignal.received, lost.promise])
    process.stderr.write(`\n${why}: stopping …\n`)
    return stopSignal.signal.aborted ? 0 : 1
  } finally {
    await stopAll(undo, logger)
    unlock()
  }
}

function announce(config: Config, { rpcUrl, databaseUrl }: Infrastructure, apiKey: string): void {
  const lines = [
    'Every other role of this network, in a terminal of its own:',
    '',
    `export HEURIST_HOME=${config.home} DATABASE_URL=${databaseUrl} CHAIN_RPC_URL=${rpcUrl}`,
    'heurist sequencer',
    'heurist router --name router-0',
    'heurist gateway --name gateway-0',
    `HEURIST_GATEWAY_URL=http://${config.host}:${config.gatewayPort}/v1 heurist node start`,
    '',
    `API key: ${apiKey}`,
    'ready',
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}
