import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger, systemClock } from '#platform'
import {
  bytesToHex,
  type Device,
  jobIdFrom,
  keccak256,
  manifestHash,
  type PodRecord,
  podManifestSchema,
  type Receipt,
  type RouterMessage,
  requestHash,
  ZERO_ADDRESS,
  ZERO_BYTES32,
} from '#protocol'
import { PodLogs } from '../../pod/logs.ts'
import { createNode, type NodeDependencies, type NodeOptions } from '../node.ts'
import { TEST_CHAIN_ID } from './fake-router.ts'
import { createTestEngine } from './test-engine.ts'

export type LeaseMessage = Extract<RouterMessage, { type: 'lease' }>

export function makeTemporaryDirectory(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'heurist-node-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

export function makePod(name = 'tiny', spec: Record<string, unknown> = {}): PodRecord {
  const manifest = podManifestSchema.parse({
    apiVersion: 'heurist/v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      runtime: 'llm',
      engine: { name: 'llama' },
      model: { id: name, source: 'builtin:tiny' },
      price: { input: '1', output: '2' },
      ...spec,
    },
  })
  const deployer = '0x00000000000000000000000000000000000000bb'
  return {
    podId: keccak256(`${deployer} ${name}`),
    name,
    deployer,
    manifest,
    manifestHash: manifestHash(manifest),
    version: 1,
    createdAtMs: 0,
  }
}

let nextFencingToken = 1
let nextChannel = 1

export function makeLease(pod: PodRecord, changes: Partial<LeaseMessage> = {}): LeaseMessage {
  const request = changes.request ?? { kind: 'chat', body: { messages: [{ role: 'user', content: 'Hi' }] } }
  return {
    type: 'lease',
    leaseId: bytesToHex(randomBytes(32)),
    fencingToken: nextFencingToken++,
    jobId: jobIdFrom(randomBytes(16)),
    attempt: 1,
    podId: pod.podId,
    manifestHash: pod.manifestHash,
    channel: nextChannel++,
    creditTokens: 100,
    deadlines: { queueMs: 5000, loadMs: 5000, firstTokenMs: 5000, totalMs: 20_000 },
    request,
    requestHash: requestHash(request),
    ...changes,
  }
}

/** The receipt that an honest router asks to sign for a lease. */
export function makeReceipt(
  lease: LeaseMessage,
  work: { node: `0x${string}`; outputHash: `0x${string}` },
  changes: Partial<Receipt> = {},
): Receipt {
  const { jobId, podId, manifestHash: manifest, leaseId, fencingToken, attempt } = lease
  return {
    jobId,
    podId,
    manifestHash: manifest,
    requestHash: lease.requestHash,
    ...work,
    seedCommitment: ZERO_BYTES32,
    decisionHash: ZERO_BYTES32,
    inputUnits: 5,
    outputUnits: 3,
    asset: ZERO_ADDRESS,
    price: 100n,
    payer: ZERO_ADDRESS,
    frontend: ZERO_ADDRESS,
    leaseId,
    attempt,
    fencingToken,
    startedAtMs: 1,
    finishedAtMs: 2,
    routeClass: 0,
    computeUnits: 64,
    ...changes,
  }
}

export const TEST_DEVICE: Device = {
  id: 'cpu',
  kind: 'cpu',
  name: 'test processor',
  memoryBytes: 2 ** 33,
  computeCapability: 0,
  shareBps: 10_000,
  slots: 64,
  benchmark: { score: 1e9, kernel: 'test', measuredAtMs: 0 },
}

export function makeTestNode(
  routerUrl: string,
  homeDir: string,
  changes: { options?: Partial<NodeOptions>; dependencies?: Partial<NodeDependencies>; engine?: ReturnType<typeof createTestEngine> } = {},
) {
  const engine = changes.engine ?? createTestEngine()
  return createNode(
    {
      homeDir,
      name: 'test',
      software: 'heurist/test',
      routerUrls: () => [routerUrl],
      pins: { chainId: TEST_CHAIN_ID, settlement: null, router: null },
      linkBackoff: { baseMs: 5, maxMs: 20 },
      // Most tests end while a receipt is still to be signed; a drain must not wait for it long.
      drainTimeoutMs: 20,
      ...changes.options,
    },
    {
      clock: systemClock,
      random: () => 0.5,
      logger: silentLogger,
      engines: { llama: engine.engine },
      models: { resolve: async () => ({ path: null, bytes: 0, release: () => {} }), describe: () => 'test model', usedBytes: () => 12_345 },
      logs: new PodLogs(() => systemClock.now()),
      sandboxes: { bwrap: { sandbox: null, problem: 'this test has none' }, container: { sandbox: null, problem: 'this test has none' } },
      registration: {
        read: async () => ({ registered: true, jailed: false, owner: ZERO_ADDRESS, collateral: 5n, minimumCollateral: 5n }),
        register: async () => {},
      },
      detectDevices: async () => [TEST_DEVICE],
      ...changes.dependencies,
    },
  )
}
