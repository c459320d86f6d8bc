import { randomBytes } from 'node:crypto'
import type { Address, Bytes32, JobId, PodRecord, SignedReceipt } from '#protocol'
import { podManifestSchema, ZERO_ADDRESS } from '#protocol'
import type { ApiKeyRecord, BatchRow, JobOutcome, JobStart, LedgerEvent } from '../port.ts'

/** Values that the stores accept; every call makes new ids. */
export function word(): Bytes32 {
  return `0x${randomBytes(32).toString('hex')}`
}

export function address(): Address {
  return `0x${randomBytes(20).toString('hex')}`
}

export const ASSET = address()

/** Moves `amount` from one account to another. */
export function transfer(from: string, to: string, amount: bigint, changes: Partial<LedgerEvent> = {}): LedgerEvent {
  return {
    businessId: `event:${randomBytes(8).toString('hex')}`,
    kind: 'test',
    atMs: 1_000,
    postings: [
      { account: from, asset: ASSET, amount: -amount },
      { account: to, asset: ASSET, amount },
    ],
    ...changes,
  }
}

export function jobStart(changes: Partial<JobStart> = {}): JobStart {
  const jobId: JobId = `job_${randomBytes(16).toString('hex')}`
  const parties = { payer: address(), frontend: ZERO_ADDRESS, keyId: 'key_none' }
  return {
    jobId,
    kind: 'chat',
    model: 'heurist/chat',
    podId: word(),
    ...parties,
    asset: ASSET,
    maxPrice: 100n,
    createdAtMs: 5_000,
    ownerEpoch: 'e1',
    ...changes,
  }
}

export function signedReceipt(start: JobStart, price: bigint): SignedReceipt {
  const signature = `0x${'11'.repeat(65)}` as const
  const hashes = {
    manifestHash: word(),
    requestHash: word(),
    outputHash: word(),
    seedCommitment: word(),
    decisionHash: word(),
    leaseId: word(),
  }
  const counted = {
    inputUnits: 10,
    outputUnits: 20,
    attempt: 1,
    fencingToken: 3,
    startedAtMs: 5_100,
    finishedAtMs: 5_900,
    routeClass: 0,
    computeUnits: 800,
  }
  const { jobId, podId, asset, payer, frontend } = start
  const receipt = { jobId, podId, ...hashes, ...counted, asset, price, payer, frontend, node: address() }
  return { receipt, nodeSignature: signature, routerSignature: signature, router: address() }
}

/** A job that succeeded and was paid 10 of its 100. */
export function success(start: JobStart = jobStart(), changes: Partial<JobOutcome> = {}): JobOutcome {
  const node = address()
  return {
    start,
    state: 'succeeded',
    nodeId: node,
    attempts: 1,
    price: 10n,
    credits: 1_000n,
    inputUnits: 10,
    outputUnits: 20,
    errorCode: null,
    errorMessage: null,
    finishedAtMs: 6_000,
    timeline: [
      { step: 'held', atMs: 5_001, detail: { credits: '1000' } },
      { step: 'done', atMs: 5_900, detail: {} },
    ],
    decisions: [],
    receipt: { signed: signedReceipt(start, 10n), digest: word(), split: [{ role: 'node', account: node, amount: 10n }] },
    discard: null,
    ledger: [transfer('vault', `earned:node:${node}`, 10n, { businessId: `capture:${start.jobId}` })],
    ...changes,
  }
}

/** A job that failed and cost nothing. */
export function failure(start: JobStart = jobStart(), changes: Partial<JobOutcome> = {}): JobOutcome {
  const discard = {
    discard: {
      jobId: start.jobId,
      podId: start.podId,
      requestHash: word(),
      decisionHash: word(),
      payer: start.payer,
      attempts: 2,
      reason: 'ROUTER_NO_CANDIDATE',
      discardedAtMs: 5_900,
    },
    routerSignature: `0x${'22'.repeat(65)}` as const,
    router: address(),
  }
  const nothing = { price: 0n, credits: 0n, inputUnits: 0, outputUnits: 0, nodeId: null, receipt: null, ledger: [] }
  return success(start, { ...nothing, state: 'failed', errorCode: 'ROUTER_NO_CANDIDATE', errorMessage: 'no node', discard, ...changes })
}

export function apiKey(changes: Partial<ApiKeyRecord> = {}): ApiKeyRecord {
  const limits = { budget: null, spent: 0n, requestsPerMinute: 60, weight: 1, expiresAtMs: null, revokedAtMs: null }
  const who = { prefix: 'hk_abc', name: 'laptop', account: address(), frontend: null }
  return {
    keyId: `key_${randomBytes(6).toString('hex')}`,
    secretHash: randomBytes(32).toString('hex'),
    ...who,
    scopes: ['inference'],
    ...limits,
    createdAtMs: 1,
    ...changes,
  }
}

export function batch(number: number, changes: Partial<BatchRow> = {}): BatchRow {
  const hashes = { previousHash: word(), batchHash: word(), receiptsRoot: word() }
  const open = { transactionHash: null, blockNumber: null, gasUsed: null, confirmedAtMs: null }
  return { number, state: 'formed', ...hashes, jobCount: 1, calldata: '0xabcdef', ...open, formedAtMs: 7_000, ...changes }
}

export function pod(name: string, changes: Partial<PodRecord> = {}): PodRecord {
  const manifest = podManifestSchema.parse({
    apiVersion: 'heurist/v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      runtime: 'llm',
      engine: { name: 'llama' },
      model: { id: 'm', source: 'builtin:m' },
      price: { input: '20000000000', output: '60000000000' },
    },
  })
  return { podId: word(), name, deployer: address(), manifest, manifestHash: word(), version: 1, createdAtMs: 1, ...changes }
}
