import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRouterDirectory } from '#application'
import { type Beacon, createBeacon, createGatewayDoor, type GatewayDoor, type Router } from '#orchestration'
import { createBlobStore } from '#platform/blobs'
import { BUS_TOPICS, DISPATCH_PATH } from '#protocol'
import type { Config } from '../config.ts'
import { createDiscardSigner } from '../network/discards.ts'
import { clusterSecret } from '../network/join.ts'
import { createPodServices, type PodServices } from '../network/pods.ts'
import { createRouting, NODE_PATH, type Routing } from '../network/routing.ts'
import { type Peer, replicaPlaces } from '../network/scaling.ts'
import { followedEvents, podNews } from '../network/shared.ts'
import { portOrAny } from '../ports.ts'
import { type Alone, type RoleOptions, runAlone } from './alone.ts'

/** Runs one router until a signal: nodes and gateways dial it. Resolves with the exit code. */
export function runRouter(config: Config, options: RoleOptions): Promise<number> {
  return runAlone('router', config, options, startRouter)
}

async function startRouter(alone: Alone): Promise<{ says: string }> {
  const { config, home, joined, undo } = alone
  const { pods, routing } = await startRouting(alone)
  const door = createDoor(alone, await clusterSecret(config, home), { pods, router: routing.router })
  const server = await listen(config, routing.router, door)
  const { port } = server.address() as AddressInfo // cast: a TCP server has a port
  const base = (config.routerUrl || `ws://${config.host}:${port}`).replace(/\/$/, '')
  const urls = { url: `${base}${DISPATCH_PATH}`, nodeUrl: `${base}${NODE_PATH}` }
  const beacon: Beacon = createBeacon(
    { instance: config.instance, ...urls },
    {
      router: routing.router,
      scaleOf: podId => routing.autoscaler.scaleOf(podId),
      devices: () => replicaPlaces(routing.router),
      publish: joined.bus.publish,
      clock: alone.clock,
      logger: alone.logger,
    },
  )
  beacon.start()
  undo.push(async () => {
    // Gateways look for another router before this one takes no more jobs.
    beacon.drain()
    await routing.stop(config.drainMs)
    beacon.stop()
    door.close()
    server.closeAllConnections()
    server.close()
  })
  return { says: `router ${config.instance}: nodes dial ${urls.nodeUrl}, gateways ${urls.url}` }
}

async function startRouting(alone: Alone): Promise<{ readonly pods: PodServices; readonly routing: Routing }> {
  const { home, joined, clock, logger, undo } = alone
  const { infrastructure, bus } = joined
  const { chain, database, signers } = infrastructure
  const events = await followedEvents(alone)
  const pods = createPodServices({
    chain,
    database,
    blobs: createBlobStore({ directory: home.blobs }),
    dispatcher: { publishPods: list => routing.router.publishPods(list) },
    indexer: events,
    news: podNews(bus, clock),
    deployer: signers.developer,
    clock,
    logger,
  })
  const routing: Routing = createRouting(alone.config, {
    ...alone,
    infrastructure,
    pods: () => pods.catalog.list(),
    peers: followPeers(alone),
    tokenizerFor: pods.tokenizerFor,
  })
  await routing.start()
  await pods.start()
  undo.push(async () => pods.stop())
  return { pods, routing }
}

/** The other routers that take jobs, by their beacons. */
function followPeers({ config, joined, clock, undo }: Alone): () => readonly Peer[] {
  const directory = createRouterDirectory({ clock })
  const unsubscribe = joined.bus.subscribe(BUS_TOPICS.router, directory.heard)
  undo.push(async () => unsubscribe())
  return () => directory.list().filter(({ instance, draining }) => instance !== config.instance && !draining)
}

function createDoor(
  { joined, clock, logger }: Alone,
  secret: string,
  { pods, router }: { readonly pods: PodServices; readonly router: Router },
): GatewayDoor {
  return createGatewayDoor(
    { secret },
    {
      router,
      podOf: (podId, manifestHash) => pods.catalog.list().find(pod => pod.podId === podId && pod.manifestHash === manifestHash) ?? null,
      refreshPods: pods.refresh,
      signDiscard: createDiscardSigner(joined.infrastructure, clock),
      clock,
      logger,
    },
  )
}

async function listen(config: Config, router: Router, door: GatewayDoor): Promise<Server> {
  const server = createServer((request, response) => {
    const isHealth = request.url === '/healthz' || request.url === '/readyz'
    response.writeHead(isHealth ? 200 : 404, { 'content-type': 'application/json' })
    response.end(isHealth ? '{"status":"ok"}' : '{"error":"nodes dial /node, gateways /gateway"}')
  })
  server.on('upgrade', (request, socket, head) => {
    const path = request.url?.split('?')[0]
    if (path === NODE_PATH) router.handleUpgrade(request, socket, head)
    else if (path === DISPATCH_PATH) door.handleUpgrade(request, socket, head)
    else socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n')
  })
  const port = await portOrAny(config.host, config.routerPort)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, config.host, resolve)
  })
  return server
}
