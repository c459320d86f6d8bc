import { describe, expect, test } from 'vitest'
import { DEFAULT_SPLIT_BPS } from '#economics'
import { createManualClock, type JobOutcome, type JobStore, silentLogger } from '#platform'
import { HeuristError, type JobCompletion, jobPreferencesSchema, ZERO_ADDRESS, ZERO_BYTES32 } from '#protocol'
import type { Hold } from '../payments/types.ts'
import { createDeferredControl, type Job } from './job.ts'
import { createOutcomeWriter } from './job-outcome.ts'
import { TEST_ASSET, testPod } from './testing/harness.ts'

const JOB_ID = `job_${'1'.repeat(32)}`
const PRICE = 70n

function makeHold(told: string[]): Hold {
  return {
    asset: TEST_ASSET,
    credits: 100n,
    maxPrice: 100n,
    pricing: { prices: { input: 0n, output: 0n }, held: { amount: 100n, credits: 100n } },
    priceOf: () => PRICE,
    creditsFor: () => PRICE,
    capture: () => ({ events: [], split: [] }),
    captured: price => void told.push(`captured ${price}`),
    release: () => void told.push('released'),
  }
}

function makeJob(hold: Hold): Job {
  const key = {
    keyId: 'k',
    secretHash: '',
    prefix: '',
    name: '',
    account: ZERO_ADDRESS,
    scopes: [],
    budget: null,
    spent: 0n,
    requestsPerMinute: 1,
    weight: 1,
    frontend: null,
    createdAtMs: 0,
    expiresAtMs: null,
    revokedAtMs: null,
  }
  const pod = testPod('p')
  const start = {
    jobId: JOB_ID,
    kind: 'chat' as const,
    model: 'p',
    podId: pod.podId,
    payer: ZERO_ADDRESS,
    frontend: ZERO_ADDRESS,
    keyId: 'k',
    asset: TEST_ASSET,
    maxPrice: 100n,
    createdAtMs: 0,
    ownerEpoch: 'e',
  }
  const call = {
    kind: 'chat' as const,
    body: {},
    model: 'p',
    pod,
    key,
    preferences: jobPreferencesSchema.parse({}),
    inputUnits: 1,
    maxOutputUnits: 9,
  }
  const listener = { leased: () => undefined, loading: () => undefined, delta: () => undefined }
  return {
    call,
    start,
    hold,
    listener,
    control: createDeferredControl(),
    timeline: [],
    decisions: [],
    nodeId: null,
    attempts: 1,
    hasOutput: true,
    isEnded: true,
  }
}

function completionOf(price: bigint): JobCompletion {
  const units = { inputUnits: 1, outputUnits: 5 }
  const receipt = {
    ...{ jobId: JOB_ID, podId: ZERO_BYTES32, manifestHash: ZERO_BYTES32, requestHash: ZERO_BYTES32, outputHash: ZERO_BYTES32 },
    ...{ seedCommitment: ZERO_BYTES32, decisionHash: ZERO_BYTES32, ...units, asset: TEST_ASSET, price, payer: ZERO_ADDRESS },
    ...{
      frontend: ZERO_ADDRESS,
      node: ZERO_ADDRESS,
      leaseId: ZERO_BYTES32,
      attempt: 1,
      fencingToken: 1,
      startedAtMs: 0,
      finishedAtMs: 0,
      routeClass: 0,
      computeUnits: 0,
    },
  }
  return {
    signedReceipt: { receipt, nodeSignature: '0x', routerSignature: '0x', router: ZERO_ADDRESS },
    receiptDigest: ZERO_BYTES32,
    nodeOwner: ZERO_ADDRESS,
    units,
    choices: [],
  }
}

/** A job store whose `finish` answers from a list; null is success. */
function setUp(answers: (string | null)[]) {
  const told: string[] = []
  const outcomes: JobOutcome[] = []
  const clock = createManualClock()
  const finish: JobStore['finish'] = async outcome => {
    outcomes.push(outcome)
    const code = answers.shift()
    if (code) throw new HeuristError(code, 'scripted')
  }
  const jobs = { finish } as JobStore // cast: only `finish` is called here
  const shares = { protocol: null, votersOf: () => null, bpsOf: () => DEFAULT_SPLIT_BPS }
  const writer = createOutcomeWriter({ shares }, { jobs, clock, logger: silentLogger })
  return { writer, told, outcomes, clock, job: makeJob(makeHold(told)) }
}

async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve()
}

describe('fail', () => {
  // Found by the simulation of the laws: a database that was away for longer than a commit is patient left the job open until the next start.
  test('behavior: through an outage the client is told, and the end is written when the ledger is back (law L2)', async () => {
    const { writer, job, told, outcomes, clock } = setUp(['DATABASE_UNAVAILABLE', 'DATABASE_UNAVAILABLE', null])
    const failure = { code: 'ROUTER_NODE_LOST', message: 'gone', retryAfterMs: null, param: null, startedOutput: true, attempts: 1 }
    await expect(writer.fail(job, { ...failure, signedDiscard: null })).rejects.toMatchObject({ code: 'node_failed' })
    expect(told).toEqual(['released'])
    for (let i = 0; i < 5; i++) {
      clock.advance(1_000)
      await settled()
    }
    expect(outcomes.map(outcome => outcome.state)).toEqual(['failed', 'failed', 'failed'])
    expect(new Set(outcomes).size, 'the same end each time').toBe(1)
  })
})

describe('complete', () => {
  test('default: captured once, after the commit', async () => {
    const { writer, job, told, outcomes } = setUp([null])
    await writer.complete(job, completionOf(PRICE))
    expect(told).toEqual([`captured ${PRICE}`])
    expect(outcomes.map(outcome => outcome.state)).toEqual(['succeeded'])
  })

  test('behavior: an outage that hid a commit: the charge stands', async () => {
    const { writer, job, told, outcomes } = setUp(['DATABASE_UNAVAILABLE', 'JOB_ALREADY_ENDED'])
    await expect(writer.complete(job, completionOf(PRICE))).rejects.toMatchObject({ code: 'storage_unavailable' })
    await settled()
    expect(told).toEqual([`captured ${PRICE}`])
    expect(outcomes.map(outcome => outcome.state)).toEqual(['succeeded', 'failed'])
  })

  test('behavior: an outage that lost the commit: asked again until the ledger answers, then released', async () => {
    const { writer, job, told, clock } = setUp(['DATABASE_UNAVAILABLE', 'DATABASE_UNAVAILABLE', 'DATABASE_UNAVAILABLE', null])
    await expect(writer.complete(job, completionOf(PRICE))).rejects.toMatchObject({ code: 'storage_unavailable' })
    await settled()
    expect(told, 'held while in doubt').toEqual([])
    for (let i = 0; i < 2; i++) {
      clock.advance(1_000)
      await settled()
    }
    expect(told).toEqual(['released'])
  })

  test('behavior: a full disk is said; the job is ended and its hold released when there is space again', async () => {
    const { writer, job, told, outcomes, clock } = setUp(['DATABASE_FULL', 'DATABASE_FULL', null])
    await expect(writer.complete(job, completionOf(PRICE))).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining('no space left'),
    })
    await settled()
    expect(told, 'held while in doubt').toEqual([])
    clock.advance(1_000)
    await settled()
    expect(told).toEqual(['released'])
    expect(outcomes.map(outcome => outcome.state)).toEqual(['succeeded', 'failed', 'failed'])
  })

  test('error: a receipt at another price is discarded (law L6)', async () => {
    const { writer, job, told, outcomes } = setUp([null])
    await expect(writer.complete(job, completionOf(PRICE + 1n))).rejects.toMatchObject({ code: 'server_error' })
    expect(told).toEqual(['released'])
    expect(outcomes.map(outcome => [outcome.state, outcome.price, outcome.receipt])).toEqual([['failed', 0n, null]])
  })

  test('error: what the ledger refuses is discarded', async () => {
    const { writer, job, told } = setUp(['LEDGER_OVERDRAWN', null])
    await expect(writer.complete(job, completionOf(PRICE))).rejects.toMatchObject({ code: 'server_error' })
    expect(told).toEqual(['released'])
  })
})
