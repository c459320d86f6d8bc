import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import Table from 'cli-table3'
import pc from 'picocolors'
import type { ApiKeys } from '#application'
import { createLogger, createMetrics, type Logger, type Metrics, systemClock } from '#platform'
import { type Address, messageOf } from '#protocol'
import type { SupervisedChild } from '../child.ts'
import { type Config, inheritedEnvironment } from '../config.ts'
import type { DevFile } from '../dev-file.ts'
import { type Home, loadSecret, lockHome, openHome } from '../home.ts'
import { startDevNodes, waitForWarmPods } from '../network/dev-nodes.ts'
import { prepareDeveloper } from '../network/developer.ts'
import { type Infrastructure, startInfrastructure } from '../network/infrastructure.ts'
import { BUILTIN_CHAT_POD, BUILTIN_EMBEDDING_POD } from '../network/pods.ts'
import { type Services, startServices } from '../network/services.ts'
import { createProgress, type Progress } from '../progress.ts'
import { onStopSignals } from '../signals.ts'
import { PACKAGE_ROOT } from '../version.ts'

type Keys = { readonly apiKey: string; readonly adminKey: string }
type Running = {
  readonly infrastructure: Infrastructure
  readonly services: Services
  readonly nodes: readonly SupervisedChild[]
  readonly metricsServer: Server
  readonly keys: Keys
}
type Tools = { readonly home: Home; readonly logger: Logger; readonly metrics: Metrics; readonly progress: Progress }

const NODE_STOP_GRACE_MS = 9_000

/** Runs the whole network until a signal. Resolves with the exit code. */
export async function runUp(config: Config): Promise<number> {
  const stopSignal = onStopSignals()
  const home = openHome(config.home)
  const unlock = lockHome(home)
  const logger = createLogger({ level: config.logLevel, role: 'up', file: join(home.logs, 'up.log') })
  const tools: Tools = { home, logger, metrics: createMetrics(), progress: createProgress(systemClock.now) }
  const undo: (() => Promise<unknown>)[] = []
  try {
    const running = await startAll(config, tools, undo)
    const lost = Promise.withResolvers<string>()
    running.infrastructure.onLost(lost.resolve)
    announce(config, home, running)
    const why = await Promise.race([stopSignal.received, lost.promise])
    process.stderr.write(`\n${why}: draining …\n`)
    return stopSignal.signal.aborted ? 0 : 1
  } finally {
    rmSync(join(home.root, 'dev.json'), { force: true })
    await stopAll(undo, logger)
    unlock()
  }
}

/** What was started is stopped in the opposite order, also when one part fails to stop. */
async function stopAll(undo: (() => Promise<unknown>)[], logger: Logger): Promise<void> {
  for (const stop of undo.reverse()) {
    try {
      await stop()
    } catch (error) {
      logger.error({ reason: messageOf(error) }, 'a part did not stop cleanly')
    }
  }
}

async function startAll(config: Config, tools: Tools, undo: (() => Promise<unknown>)[]): Promise<Running> {
  const { home, logger, metrics, progress } = tools
  const clock = systemClock
  const infrastructure = await startInfrastructure(config, { home, clock, logger, metrics, progress })
  undo.push(() => infrastructure.stop())
  await progress.step('developer account', () => prepareDeveloper(infrastructure.chain, infrastructure.signers))
  let keys: Keys | null = null
  const services = await progress.step('router, sequencer, gateway', () =>
    startServices(config, { infrastructure, home, clock, logger, metrics, devSessionKey: () => keys?.apiKey ?? null }),
  )
  undo.push(() => services.stop())
  await progress.step('pods', () => services.pods.deployBuiltins())
  keys = await developerKeys(config, home, services.apiKeys, infrastructure.signers.developer.address)
  const nodes = startDevNodes(config, { home, gatewayUrl: services.gateway.url, clock, logger, environment: inheritedEnvironment() })
  undo.push(() => Promise.all(nodes.map(node => node.stop(NODE_STOP_GRACE_MS))))
  const metricsServer = await serveMetrics(config, metrics)
  undo.push(() => new Promise(resolve => metricsServer.close(resolve)))
  if (nodes.length > 0) await progress.step('compute nodes', tell => waitForWarmPods(services, config.devNodes, tell))
  await progress.step('first credits', () => waitForCredits(services, infrastructure.signers.developer.address))
  return { infrastructure, services, nodes, metricsServer, keys }
}

/** The keys are made once; only their hashes are in the database, so the secrets lie in files of mode 600. */
async function developerKeys(config: Config, home: Home, apiKeys: ApiKeys, account: Address): Promise<Keys> {
  const create = async (name: string, scopes: readonly ('inference' | 'read' | 'admin')[]): Promise<string> =>
    (await apiKeys.create({ name, account, scopes, requestsPerMinute: config.requestsPerMinute })).secret
  return {
    apiKey: await loadSecret(home, 'dev-api-key', () => create('dev', ['inference', 'read'])),
    adminKey: await loadSecret(home, 'dev-admin-key', () => create('dev admin', ['inference', 'read', 'admin'])),
  }
}

const CREDIT_WAIT_MS = 15_000

async function waitForCredits(services: Services, account: Address): Promise<void> {
  const deadline = systemClock.now() + CREDIT_WAIT_MS
  while ((await services.payments.balance(account)).every(({ nanoCredits }) => nanoCredits === 0n)) {
    if (systemClock.now() > deadline) return
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

function serveMetrics(config: Config, metrics: Metrics): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url !== '/metrics') return response.writeHead(404).end('metrics are at /metrics\n')
    void metrics.registry.metrics().then(text => response.writeHead(200, { 'content-type': metrics.registry.contentType }).end(text))
  })
  const { promise, resolve, reject } = Promise.withResolvers<Server>()
  server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? server.listen(0, '127.0.0.1') : reject(error)))
  server.once('listening', () => resolve(server))
  server.listen(config.metricsPort, '127.0.0.1')
  return promise
}

function devFileOf({ infrastructure, services, nodes, metricsServer, keys }: Running): DevFile {
  const address = metricsServer.address()
  const metricsPort = typeof address === 'object' && address ? address.port : 0
  const { url } = services.gateway
  return {
    gatewayUrl: `${url}/v1`,
    consoleUrl: `${url}/`,
    metricsUrl: `http://127.0.0.1:${metricsPort}/metrics`,
    rpcUrl: infrastructure.rpcUrl,
    chainId: infrastructure.chain.chainId,
    apiKey: keys.apiKey,
    adminKey: keys.adminKey,
    developer: infrastructure.signers.developer.address,
    contracts: { ...infrastructure.chain.contracts },
    models: { chat: BUILTIN_CHAT_POD, embedding: BUILTIN_EMBEDDING_POD },
    pids: {
      main: process.pid,
      ...infrastructure.pids(),
      ...Object.fromEntries(nodes.map((node, index) => [`node-${index + 1}`, node.pid()])),
    },
  }
}

function sayReplacedPorts(ports: readonly (readonly [name: string, wanted: number, url: string])[]): void {
  for (const [name, wanted, url] of ports) {
    const { port } = new URL(url)
    if (wanted !== 0 && Number(port) !== wanted) process.stdout.write(`port ${wanted} is taken: the ${name} listens on ${port}\n`)
  }
}

/** Writes dev.json, prints the addresses, one line to try, and `ready`. The file follows when a child is started again. */
function announce(config: Config, home: Home, running: Running): void {
  const path = join(home.root, 'dev.json')
  const write = (): DevFile => {
    const file = devFileOf(running)
    // Renamed into place: whoever reads it while it is replaced sees the old or the new one, never a part.
    writeFileSync(`${path}.new`, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 })
    renameSync(`${path}.new`, path)
    return file
  }
  const file = write()
  let pids = JSON.stringify(file.pids)
  setInterval(() => {
    const now = JSON.stringify(devFileOf(running).pids)
    if (now !== pids) write()
    pids = now
  }, 1000).unref()
  const rows = [
    ['gateway', file.gatewayUrl],
    ['console', file.consoleUrl],
    ['metrics', file.metricsUrl],
    ['chain', `${file.rpcUrl} (id ${file.chainId})`],
    ['API key', file.apiKey],
    ['state', home.root.startsWith(PACKAGE_ROOT) ? home.root.slice(PACKAGE_ROOT.length + 1) : home.root],
  ]
  const table = new Table({ style: { head: [], border: [] } })
  table.push(...rows)
  const body = JSON.stringify({ model: file.models.chat, stream: true, messages: [{ role: 'user', content: 'What is Heurist?' }] })
  sayReplacedPorts([
    ['gateway', config.gatewayPort, file.gatewayUrl],
    ['metrics', config.metricsPort, file.metricsUrl],
    ['chain', config.chainRpcUrl ? 0 : config.chainPort, file.rpcUrl],
  ])
  process.stdout.write(
    `${table.toString()}\n\nTry it:\n\ncurl -N ${file.gatewayUrl}/chat/completions -H "Authorization: Bearer ${file.apiKey}" -H "Content-Type: application/json" -d '${body}'\n\n${pc.dim('Ctrl-C stops everything.')}\nready\n`,
  )
}
