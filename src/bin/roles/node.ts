import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type ComputeNode,
  createEngines,
  createModelStore,
  createNode,
  detectSandboxes,
  deviceGrants,
  type EngineDeps,
  GpuClaims,
  type NodeRegistration,
  openKey,
  openSecrets,
  PodLogs,
  type Sandboxes,
} from '#compute'
import { type Chain, createLogger, createMetrics, type Logger, type Signer, systemClock } from '#platform'
import { createRpcChain, isRefusal, registerNode, transferHeu } from '#platform/chain'
import { HeuristError, maxOf, parseUnits } from '#protocol'
import type { Config } from '../config.ts'
import { type Home, openHome, secretsFolder } from '../home.ts'
import { type NetworkFacts, readNetworkFacts } from '../network/facts.ts'
import { measuredThreads } from '../network/llama-threads.ts'
import { serveNodeMetrics } from '../network/metrics-server.ts'
import { createTracer } from '../network/tracer.ts'
import { proxiesOf } from '../proxies.ts'
import { onStopSignals } from '../signals.ts'
import { PACKAGE_ROOT, VERSION } from '../version.ts'

/** Options of `heurist node start` as commander gives them. */
type NodeStartOptions = {
  readonly name?: string
  readonly router?: string
  readonly share?: number
  readonly gpu?: readonly string[]
  readonly minPrice?: readonly string[]
  readonly slots?: number
  readonly allow?: readonly string[]
  readonly allowNetwork?: readonly string[]
  readonly benchmark?: boolean
}

/** `NODE_KEY_GONE`: a node ran from this folder, and one of its keys is not there any more. */
export type NodeKeyErrorCode = 'NODE_KEY_GONE'

const STATUS_EVERY_MS = 2000
/** How often the list of routers is read again. */
const FOLLOW_ROUTERS_MS = 5_000
/** Left to the owner's account beside the collateral, for gas. */
const GAS_WEI = parseUnits('1', 18)

/** A node that was here has both keys: new ones would leave its collateral and its earnings behind. @throws HeuristError NODE_KEY_GONE */
function demandIdentity(homeDir: string): void {
  // The owner's key is made first: alone it says nothing but that a first start was cut short.
  if (!['key.json', 'status.json', 'journal.jsonl'].some(name => existsSync(join(homeDir, name)))) return
  for (const path of ['key.json', 'owner.json'].map(name => join(homeDir, name))) {
    if (existsSync(path)) continue
    throw new HeuristError<NodeKeyErrorCode>(
      'NODE_KEY_GONE',
      `${path} is gone: collateral and earnings hang on it. Restore it from a backup; or, for a new node, move the old one away: mv ${homeDir} ${homeDir}.old`,
    )
  }
}

/** Runs one compute node until a signal. Resolves with the exit code. */
export async function runNode(config: Config, options: NodeStartOptions): Promise<number> {
  const facts = await readNetworkFacts(config)
  const routers = options.router ? only(options.router) : followRouters(config, facts.nodeUrls)
  try {
    return await runFollowing(config, options, { facts, routers })
  } finally {
    // A timer that went on would keep a process alive that has failed.
    routers.stop()
  }
}

type Followed = { readonly facts: NetworkFacts; readonly routers: Routers }

async function runFollowing(config: Config, options: NodeStartOptions, { facts, routers }: Followed): Promise<number> {
  const name = options.name ?? 'node'
  const home = openHome(config.home)
  const homeDir = join(home.nodes, name)
  const proxies = proxiesOf(config)
  const logger = createLogger({ level: config.logLevel, role: name })
  const chain = chainOf(config, facts, logger)
  demandIdentity(homeDir)
  const owner = openKey(join(homeDir, 'owner.json')).signer
  const engineDependencies = { clock: systemClock, random: (length: number) => randomBytes(length), logger }
  const llamaThreads = await measuredThreads(join(homeDir, 'threads.json'), options.benchmark === true, engineDependencies)
  const models = createModelStore(
    { modelsDir: join(PACKAGE_ROOT, 'models'), cacheDir: home.models, cacheBytes: config.modelCacheBytes, hubUrl: config.hubUrl, proxies },
    { logger, clock: systemClock, random: Math.random },
  )
  const sandboxes = await detectSandboxes()
  const tracer = createTracer(config, { logger, clock: systemClock })
  const logs = new PodLogs(() => systemClock.now())
  const metrics = createMetrics()
  const node = createNode(
    {
      homeDir,
      name,
      software: `heurist/${VERSION}`,
      routerUrls: routers.urls,
      pins: { chainId: facts.chainId, settlement: facts.contracts.JobSettlement, router: facts.router },
      ...offerOf(options, facts),
      drainTimeoutMs: config.drainMs,
      proxies,
    },
    {
      clock: systemClock,
      random: Math.random,
      logger,
      engines: enginesOf({ llamaThreads, secretsFolder: secretsFolder(home.root, name), sandboxes, logs }, engineDependencies),
      models,
      tracer,
      metrics,
      sandboxes,
      logs,
      claims: new GpuClaims(systemClock),
      registration: registrationOn(chain, {
        owner,
        faucet: faucetOf(home, facts),
        logger,
        collateralWei: parseUnits(String(config.minCollateralHeu), 18),
      }),
    },
  )
  const endMetrics = await serveNodeMetrics(config, { metrics, logger })
  await untilSignal(node, join(homeDir, 'status.json'))
  endMetrics()
  routers.stop()
  await node.stop()
  await tracer?.stop()
  await models.close()
  return 0
}

/** What its owner offers, and to whom. */
function offerOf(options: NodeStartOptions, facts: NetworkFacts) {
  return {
    shareBps: Math.round((options.share ?? 100) * 100),
    offers: options.gpu ?? [],
    minimumPrices: options.minPrice ?? [],
    slots: options.slots ?? 4,
    allowedPods: allowedPods(options.allow, facts),
    networkPods: options.allowNetwork ?? [],
    isBenchmarkForced: options.benchmark ?? false,
  }
}

/** Starts the node and lets it run until a signal; its status is written meanwhile. */
async function untilSignal(node: ComputeNode, statusPath: string): Promise<void> {
  const stopSignal = onStopSignals()
  await node.start().catch(error => {
    if (!stopSignal.signal.aborted) throw error
  })
  const cancelStatus = keepStatus(statusPath, () => node.status())
  await stopSignal.received
  cancelStatus()
}

function chainOf(config: Config, { rpcUrl, chainId, contracts }: NetworkFacts, logger: Logger): Chain {
  return createRpcChain({ rpcUrl: config.chainRpcUrl || rpcUrl, chainId, contracts }, { clock: systemClock, logger })
}

function enginesOf(
  options: { llamaThreads: number; secretsFolder: string; sandboxes: Sandboxes; logs: PodLogs },
  dependencies: EngineDeps,
) {
  return createEngines(
    {
      llamaThreads: options.llamaThreads,
      llamaProcess: [process.execPath, join(PACKAGE_ROOT, 'src/bin/llama-process.ts'), String(options.llamaThreads)],
    },
    {
      ...dependencies,
      sandboxes: options.sandboxes,
      secrets: openSecrets(options.secretsFolder).read,
      log: (podId, line) => options.logs.append(podId, line),
      grant: deviceGrants(),
    },
  )
}

type Routers = { urls(): readonly string[]; stop(): void }

function only(url: string): Routers {
  return { urls: () => [url], stop: () => undefined }
}

/** Routers come and go; the gateway knows those of now. */
function followRouters(config: Config, first: readonly string[]): Routers {
  let urls = first
  const read = async (): Promise<void> => {
    const { nodeUrls } = await readNetworkFacts(config)
    if (nodeUrls.length > 0) urls = nodeUrls
  }
  // A gateway that is away does not make the routers unknown.
  const timer = setInterval(() => void read().catch(() => undefined), FOLLOW_ROUTERS_MS)
  return { urls: () => urls, stop: () => clearInterval(timer) }
}

/** Built-in pods and those of the network's own developer, or what the owner says; "any" allows all. */
function allowedPods(allow: readonly string[] | undefined, facts: NetworkFacts): readonly string[] | null {
  if (allow?.includes('any')) return null
  return [...(allow ?? []), facts.developer]
}

/** On a dev chain whose treasury key lies in this home the owner is funded from it; elsewhere the owner brings the coins. */
function faucetOf(home: Home, facts: NetworkFacts): Signer | null {
  const path = join(home.keys, 'treasury.json')
  return facts.isDevChain ? openKey(path).signer : null
}

type Owner = { readonly owner: Signer; readonly faucet: Signer | null; readonly collateralWei: bigint; readonly logger: Logger }

/** What the owner means to put up, or the floor of Appendix A where that is more: below it no job comes. */
async function neededCollateral(chain: Chain, collateralWei: bigint): Promise<bigint> {
  return maxOf(collateralWei, await chain.read('CollateralFloor', 'floorOf', [0n]))
}

/** The node's view of the registry on chain. */
function registrationOn(chain: Chain, { owner, faucet, collateralWei, logger }: Owner): NodeRegistration {
  return {
    async read(nodeId) {
      const standing = await chain.nodeStanding(nodeId)
      return {
        registered: standing?.registered ?? false,
        jailed: standing?.jailed ?? false,
        owner: standing?.owner ?? null,
        collateral: standing ? standing.bonded + standing.restaked : 0n,
        minimumCollateral: standing?.floor ?? (await neededCollateral(chain, collateralWei)),
      }
    },
    async register(node) {
      const asked = await neededCollateral(chain, collateralWei)
      const needed = asked + GAS_WEI
      if (faucet && (await chain.nativeBalance(owner.address)) < needed) {
        logger.info({ owner: owner.address }, 'funding the owner from the faucet of the dev chain')
        await transferHeu(chain, faucet, { to: owner.address, amountWei: needed })
      }
      await registerNode(chain, owner, { hotKey: node, collateralWei: asked }).catch(error => {
        // A second start that raced with the first one: the registry has the node, which is all that was wanted.
        if (!isRefusal(error, 'NodeRegistry_KeyTaken')) throw error
      })
    },
  }
}

/** Writes what `heurist node doctor` shows. The node has no listening port, so the file is its one window. */
function keepStatus(path: string, status: () => Promise<unknown>): () => void {
  const write = async (): Promise<void> => {
    const text = JSON.stringify({ atMs: Date.now(), pid: process.pid, ...((await status()) as object) }) // cast: a status is an object
    await writeFile(`${path}.partial`, text, { mode: 0o600 })
    await rename(`${path}.partial`, path)
  }
  const timer = setInterval(() => void write().catch(() => undefined), STATUS_EVERY_MS)
  return () => clearInterval(timer)
}
