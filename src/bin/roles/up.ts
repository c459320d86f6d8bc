import { renameSync, rmSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { join } from 'node:path'
import Table from 'cli-table3'
import pc from 'picocolors'
import { createLogger, createMetrics, type Logger, type Metrics, systemClock } from '#platform'
import type { Address } from '#protocol'
import type { SupervisedChild } from '../child.ts'
import { type Config, inheritedEnvironment } from '../config.ts'
import type { DevFile } from '../dev-file.ts'
import { type Home, lockHome, openHome } from '../home.ts'
import { startDevNodes, waitForWarmPods } from '../network/dev-nodes.ts'
import { type DeveloperKeys, developerKeys, prepareDeveloper } from '../network/developer.ts'
import { type Infrastructure, startInfrastructure } from '../network/infrastructure.ts'
import { serveMetrics } from '../network/metrics-server.ts'
import { BUILTIN_CHAT_POD, BUILTIN_EMBEDDING_POD } from '../network/pods.ts'
import { type Services, startServices } from '../network/services.ts'
import { createProgress, type Progress } from '../progress.ts'
import { onStopSignals } from '../signals.ts'
import { stopAll } from '../stop-all.ts'
import { PACKAGE_ROOT } from '../version.ts'

type Running = {
  readonly infrastructure: Infrastructure
  readonly services: Services
  readonly nodes: readonly SupervisedChild[]
  readonly metricsServer: Server
  readonly keys: DeveloperKeys
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

async function startAll(config: Config, tools: Tools, undo: (() => Promise<unknown>)[]): Promise<Running> {
  const { home, logger, metrics, progress } = tools
  const clock = systemClock
  const infrastructure = await startInfrastructure(config, { home, clock, logger, metrics, progress })
  undo.push(() => infrastructure.stop())
  await progress.step('developer account', () => prepareDeveloper(infrastructure.chain, infrastructure.signers))
  let keys: DeveloperKeys | null = null
  const services = await progress.step('router, sequencer, gateway', () =>
    startServices(config, { infrastructure, home, clock, logger, metrics, devSessionKey: () => keys?.apiKey ?? null }),
  )
  undo.push(() => services.stop())
  await progress.step('pods', () => services.pods.deployBuiltins())
  keys = await developerKeys(home, services.apiKeys, infrastructure.signers.developer.address)
  const nodes = startDevNodes(config, {
    home,
    gatewayUrl: services.gateway.url,
    clock,
    logger,
    progress,
    environment: inheritedEnvironment(),
  })
  undo.push(() => Promise.all(nodes.map(node => node.stop(NODE_STOP_GRACE_MS))))
  const metricsServer = await serveMetrics(config, metrics)
  undo.push(() => new Promise(resolve => metricsServer.close(resolve)))
  const areWarm = nodes.length === 0 || (await progress.step('compute nodes', tell => waitForWarmPods(services, config.devNodes, tell)))
  if (!areWarm) progress.note(`not all compute nodes and pods are ready yet: heurist doctor; logs in ${home.logs}`)
  await progress.step('first credits', () => waitForCredits(services, infrastructure.signers.developer.address))
  return { infrastructure, services, nodes, metricsServer, keys }
}

const CREDIT_WAIT_MS = 15_000

async function waitForCredits(services: Services, account: Address): Promise<void> {
  const deadline = systemClock.now() + CREDIT_WAIT_MS
  while ((await services.payments.balance(account)).every(({ nanoCredits }) => nanoCredits === 0n)) {
    if (systemClock.now() > deadline) return
    await new Promise(resolve => setTimeout(resolve, 50))
  }
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
  const table = new Table({ style: { head: [], border: [], compact: true } })
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
