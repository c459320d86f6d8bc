import type { ApiKeyRecord, JobOutcome } from '#platform'
import { type Address, type JobId, type PodRecord, podManifestSchema, ZERO_ADDRESS, ZERO_BYTES32 } from '#protocol'

/** Small builders for tests of payments. */
export const USD: Address = '0x00000000000000000000000000000000000000aa'
export const HEU: Address = '0x00000000000000000000000000000000000000bb'
export const PARTIES = {
  node: '0x0000000000000000000000000000000000000001',
  deployer: '0x0000000000000000000000000000000000000002',
  frontend: null,
  voters: null,
  protocol: '0x0000000000000000000000000000000000000005',
} as const

export function accountOf(n: number): Address {
  return `0x${n.toString(16).padStart(40, '0')}`
}

/** `price`: nano-credits per million units, input and output alike. */
export function podWithPrice(price: bigint): PodRecord {
  const manifest = podManifestSchema.parse({
    apiVersion: 'heurist/v1',
    kind: 'Pod',
    metadata: { name: 'test/pod' },
    spec: {
      runtime: 'llm',
      engine: { name: 'llama' },
      model: { id: 'm', source: 'builtin:m' },
      price: { input: price.toString(), output: price.toString() },
    },
  })
  return { podId: ZERO_BYTES32, name: 'test/pod', deployer: ZERO_ADDRESS, manifest, manifestHash: ZERO_BYTES32, version: 1, createdAtMs: 0 }
}

export function apiKey(account: Address, changes: Partial<ApiKeyRecord> = {}): ApiKeyRecord {
  return {
    keyId: 'key_1',
    secretHash: '00',
    prefix: 'hk_000000',
    name: 'test',
    account,
    scopes: ['inference'],
    budget: null,
    spent: 0n,
    requestsPerMinute: 60,
    weight: 1,
    frontend: null,
    createdAtMs: 0,
    expiresAtMs: null,
    revokedAtMs: null,
    ...changes,
  }
}

let jobs = 0
export function nextJobId(): JobId {
  jobs += 1
  return `job_${jobs.toString(16).padStart(32, '0')}`
}

/** A finished job that carries only what payments put into it. */
export function outcomeOf(jobId: JobId, changes: Partial<JobOutcome>): JobOutcome {
  const start = {
    jobId,
    kind: 'chat',
    model: 'test/pod',
    podId: ZERO_BYTES32,
    payer: ZERO_ADDRESS,
    frontend: ZERO_ADDRESS,
    keyId: 'key_1',
    asset: USD,
    maxPrice: 0n,
    createdAtMs: 1,
    ownerEpoch: 'e1',
  } as const
  const nothing = { nodeId: null, errorCode: null, errorMessage: null, receipt: null, discard: null } as const
  const counted = { attempts: 1, price: 0n, credits: 0n, inputUnits: 0, outputUnits: 0, finishedAtMs: 2 }
  return { start, state: 'succeeded', ...nothing, ...counted, timeline: [], decisions: [], ledger: [], ...changes }
}
