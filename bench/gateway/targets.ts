import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import type { DevFile } from '../../src/bin/dev-file.ts'
import { networkFactsSchema } from '../../src/bin/network/facts.ts'
import { openKey } from '../../src/compute/index.ts'
import { createRpcChain, registerNode, transferHeu } from '../../src/platform/chain/index.ts'
import { freePort } from '../../src/platform/free-port.ts'
import { createSigner, newPrivateKey, silentLogger, systemClock } from '../../src/platform/index.ts'
import { newHome, removeHome, startNetwork } from '../../test/support/network.ts'
import type { Target } from './load.ts'
import { startPeers } from './peers.ts'
import { ROOT, startProgram, startServer } from './processes.ts'

/** Gateways from npm, installed by `npm run bench`. */
const PEERS = join(ROOT, 'bench/peers')

export type Bench = {
  readonly targets: Readonly<Record<'direct' | 'undici' | 'portkey' | 'llmops' | 'heurist', Target>>
  /** System proxies that are installed, and the names of those that are not. */
  readonly peers: readonly Target[]
  readonly missing: readonly string[]
  /** Where the main process opens its inspector on SIGUSR1. */
  readonly inspectPort: number
  readonly databasePid: () => number
  readonly mainPid: () => number
  stop(): Promise<void>
}

/** One more API key of the same account. */
async function newApiKey(dev: DevFile): Promise<string> {
  const answer = await fetch(`${dev.gatewayUrl.replace('/v1', '')}/api/keys`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${dev.adminKey}` },
    body: JSON.stringify({ name: 'bench', scopes: ['inference'], requestsPerMinute: 1_000_000 }),
  })
  if (!answer.ok) throw new Error(`no API key: ${answer.status} ${await answer.text()}`)
  return ((await answer.json()) as { secret: string }).secret // cast: our own control API
}

/** The whole network without its own nodes, and one node that answers from memory, registered like any other. */
async function startHeurist(
  inspectPort: number,
): Promise<{ target: Target; stop(): Promise<void>; databasePid(): number; mainPid(): number }> {
  const home = newHome()
  const network = await startNetwork(home, {
    HEURIST_DEV_NODES: '0',
    HEURIST_REQUESTS_PER_MINUTE: '100000000',
    HEURIST_LOG_LEVEL: 'warn',
    NODE_OPTIONS: `--inspect-port=${inspectPort}`,
  })
  const dev = network.dev()
  const facts = networkFactsSchema.parse(await (await fetch(`${dev.gatewayUrl.replace('/v1', '')}/api/status`)).json())
  const chain = createRpcChain(
    { rpcUrl: dev.rpcUrl, chainId: dev.chainId, contracts: facts.contracts },
    { clock: systemClock, logger: silentLogger },
  )
  const treasury = openKey(join(home, 'keys/treasury.json')).signer
  const [ownerKey, hotKey] = [newPrivateKey(), newPrivateKey()]
  const owner = createSigner(ownerKey)
  await transferHeu(chain, treasury, { to: owner.address, amountWei: 1000n * 10n ** 18n })
  await registerNode(chain, owner, { hotKey: createSigner(hotKey), collateralWei: 100n * 10n ** 18n })
  const node = await startProgram<{ nodeId: string }>('node.ts', [
    JSON.stringify({ url: facts.nodeUrl, chainId: dev.chainId, settlement: facts.contracts.JobSettlement, privateKey: hotKey }),
  ])
  const keys = [dev.apiKey, await newApiKey(dev), await newApiKey(dev)]
  const mainPid = (): number => network.dev().pids.main ?? 0
  return {
    target: {
      name: 'heurist',
      url: dev.gatewayUrl,
      headers: keys.map(key => ({ authorization: `Bearer ${key}` })),
      model: dev.models.chat,
      pids: () => [mainPid()],
    },
    databasePid: () => network.dev().pids.database ?? 0,
    mainPid,
    async stop() {
      node.child.kill()
      await network.stop()
      removeHome(home)
    },
  }
}

/** Everything that is measured, started side by side in one run. */
export async function startBench(): Promise<Bench> {
  const children: ChildProcess[] = []
  const pidOf = (child: ChildProcess) => (): readonly number[] => [child.pid ?? 0]
  const upstream = await startProgram<{ port: number }>('upstream.ts', [])
  const origin = `http://127.0.0.1:${upstream.facts.port}`
  const proxy = await startProgram<{ port: number }>('undici-proxy.ts', [origin])
  const portkeyPort = await freePort()
  const portkey = await startServer(
    [join(PEERS, 'node_modules/@portkey-ai/gateway/build/start-server.js'), `--port=${portkeyPort}`, '--headless'],
    portkeyPort,
  )
  const llmopsPort = await freePort()
  const llmops = await startServer([join(PEERS, 'llmops.js'), String(llmopsPort)], llmopsPort)
  const peers = await startPeers(upstream.facts.port)
  children.push(upstream.child, proxy.child, portkey, llmops, ...peers.children)
  const inspectPort = await freePort()
  const heurist = await startHeurist(inspectPort)
  const plain = { headers: [{}], model: 'bench' }
  return {
    targets: {
      direct: { name: 'direct (upstream alone)', url: `${origin}/v1`, ...plain, pids: pidOf(upstream.child) },
      undici: { name: 'undici proxy', url: `http://127.0.0.1:${proxy.facts.port}/v1`, ...plain, pids: pidOf(proxy.child) },
      portkey: {
        name: 'Portkey 1.15.2',
        url: `http://127.0.0.1:${portkeyPort}/v1`,
        model: 'bench',
        headers: [{ 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `${origin}/v1`, authorization: 'Bearer none' }],
        pids: pidOf(portkey),
      },
      llmops: {
        name: 'LLMOps 0.6.10',
        url: `http://127.0.0.1:${llmopsPort}/v1`,
        model: 'bench',
        headers: [{ 'x-llmops-provider': 'openai', 'x-llmops-custom-host': `${origin}/v1`, authorization: 'Bearer none' }],
        pids: pidOf(llmops),
      },
      heurist: heurist.target,
    },
    peers: peers.targets,
    missing: peers.missing,
    inspectPort,
    databasePid: heurist.databasePid,
    mainPid: heurist.mainPid,
    async stop() {
      for (const child of children) child.kill()
      await heurist.stop()
      peers.clean()
    },
  }
}
