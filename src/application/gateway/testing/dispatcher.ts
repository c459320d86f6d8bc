import { priceOfJob } from '#economics'
import { type Clock, createSigner, newPrivateKey, signAlone } from '#platform'
import {
  type Bytes32,
  bytesToHex,
  type ChoiceOutput,
  canonicalHash,
  type Delta,
  type Dispatcher,
  type Domain,
  decisionDigest,
  discardReceiptDigest,
  domainSeparator,
  type JobOrder,
  type JobSink,
  outputHash,
  type Receipt,
  receiptDigest,
  type SignedDecision,
  ZERO_BYTES32,
} from '#protocol'

/** What the router in a test does with one job. Steps run in turn, each in its own turn of the event loop. */
export type Script = {
  readonly deltas: readonly Delta[]
  readonly choices: readonly ChoiceOutput[]
  readonly outputUnits: number
  /** Fails with this router code after the deltas instead of completing. */
  readonly failure?: { readonly code: string; readonly message: string; readonly retryAfterMs?: number; readonly param?: string }
  /** Waits for this before the first delta. */
  readonly ready?: Promise<unknown>
  /** Waits for this before the end. */
  readonly last?: Promise<unknown>
}

export type DispatchedJob = {
  readonly order: JobOrder
  /** Tokens that were passed on so far. */
  sentTokens: number
  windowTokens: number
  cancelledFor: string | null
  isEnded: boolean
}

export type TestDispatcher = Dispatcher & { readonly jobs: DispatchedJob[]; script: (order: JobOrder) => Script }

export const INITIAL_WINDOW_TOKENS = 32

/** Splits `text` at spaces into one-token deltas of one choice. */
export function wordDeltas(text: string, choice = 0): Delta[] {
  return text.match(/\s*\S+/g)?.map(word => ({ choice, tokens: 1, text: word })) ?? []
}

export function textScript(text: string, choices = 1): Script {
  const indexes = Array.from({ length: choices }, (_, index) => index)
  const deltas = indexes.flatMap(index => wordDeltas(text, index))
  return { deltas, outputUnits: deltas.length, choices: indexes.map(index => ({ index, text, toolCalls: [], finishReason: 'stop' })) }
}

function nextTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/**
 * A router for tests of the gateway alone: streams real deltas within a real window, signs real receipts and discard receipts, and obeys
 * cancellation as the port describes. It stands at the edge of the unit; whole networks are tested elsewhere.
 */
export function createTestDispatcher(domain: Domain, clock: Clock): TestDispatcher {
  const node = createSigner(newPrivateKey())
  const router = createSigner(newPrivateKey())
  const separator = domainSeparator(domain)
  const jobs: DispatchedJob[] = []

  function decide(order: JobOrder): SignedDecision {
    const { jobId } = order
    const record = {
      version: 2 as const,
      jobId,
      attempt: 1,
      podId: order.pod.podId,
      decidedAtMs: clock.now(),
      seed: ZERO_BYTES32,
      demand: { excluded: [], referred: [] },
      journal: null,
      linked: 1,
      hosts: 1,
      eligible: 1,
      route: { referred: false, pinned: false, owners: 0 },
      chosen: node.address,
    }
    const recordHash = canonicalHash(record)
    return {
      record,
      recordHash,
      routerSignature: signAlone(router, separator, decisionDigest(separator, jobId, 1, recordHash)),
      router: router.address,
    }
  }

  function complete(
    job: DispatchedJob,
    sink: JobSink,
    output: { choices: readonly ChoiceOutput[]; outputUnits: number },
    decisionHash: Bytes32,
  ): void {
    const { order } = job
    const units = { inputUnits: order.inputUnits, outputUnits: output.outputUnits }
    const receipt: Receipt = {
      jobId: order.jobId,
      podId: order.pod.podId,
      manifestHash: order.pod.manifestHash,
      requestHash: order.requestHash,
      outputHash: outputHash(output.choices),
      seedCommitment: order.seedCommitment,
      decisionHash,
      ...units,
      asset: order.asset,
      price: priceOfJob(order.pricing, units),
      payer: order.payer,
      frontend: order.frontend,
      node: node.address,
      leaseId: canonicalHash(order.jobId),
      attempt: 1,
      fencingToken: 1,
      startedAtMs: clock.now(),
      finishedAtMs: clock.now(),
      routeClass: 0,
      computeUnits: 64,
    }
    const digest = receiptDigest(separator, receipt)
    const signed = {
      receipt,
      nodeSignature: signAlone(node, separator, digest),
      routerSignature: signAlone(router, separator, digest),
      router: router.address,
    }
    sink.completed({ signedReceipt: signed, receiptDigest: bytesToHex(digest), nodeOwner: node.address, units, choices: output.choices })
  }

  function fail(job: DispatchedJob, sink: JobSink, failure: NonNullable<Script['failure']>, decisionHash: Bytes32): void {
    const { jobId, pod, requestHash, payer } = job.order
    const discard = {
      jobId,
      podId: pod.podId,
      requestHash,
      decisionHash,
      payer,
      attempts: 1,
      reason: failure.code,
      discardedAtMs: clock.now(),
    }
    sink.failed({
      ...failure,
      retryAfterMs: failure.retryAfterMs ?? null,
      param: failure.param ?? null,
      startedOutput: job.sentTokens > 0,
      attempts: 1,
      signedDiscard: {
        discard,
        routerSignature: signAlone(router, separator, discardReceiptDigest(separator, discard)),
        router: router.address,
      },
    })
  }

  /** What is left of an answer when its client goes away after some of it was sent. */
  function partial(deltas: readonly Delta[]): { choices: ChoiceOutput[]; outputUnits: number } {
    const texts = new Map<number, string>()
    let outputUnits = 0
    for (const { choice, text, tokens } of deltas) {
      texts.set(choice, (texts.get(choice) ?? '') + text)
      outputUnits += tokens
    }
    return { outputUnits, choices: [...texts].map(([index, text]) => ({ index, text, toolCalls: [], finishReason: 'length' })) }
  }

  async function run(job: DispatchedJob, sink: JobSink, script: Script): Promise<void> {
    const decision = decide(job.order)
    await nextTurn()
    sink.decided(decision)
    sink.leased({ leaseId: canonicalHash(job.order.jobId), nodeId: node.address, attempt: 1, fencingToken: 1 })
    if (script.ready) {
      sink.loading()
      await script.ready
    }
    let sent = 0
    while (sent < script.deltas.length && job.cancelledFor === null) {
      const delta = script.deltas[sent]!
      if (job.windowTokens < delta.tokens) {
        await nextTurn()
        continue
      }
      job.windowTokens -= delta.tokens
      job.sentTokens += delta.tokens
      sent += 1
      sink.delta(delta)
      if (sent % 16 === 0) await nextTurn()
    }
    await script.last
    job.isEnded = true
    if (job.cancelledFor !== null && sent === 0)
      fail(job, sink, { code: 'ROUTER_CANCELLED', message: job.cancelledFor }, decision.recordHash)
    else if (script.failure) fail(job, sink, script.failure, decision.recordHash)
    else complete(job, sink, job.cancelledFor === null ? script : partial(script.deltas.slice(0, sent)), decision.recordHash)
  }

  return {
    jobs,
    script: () => textScript('Hello from a node of the network.'),
    dispatch(order, sink) {
      const job: DispatchedJob = { order, sentTokens: 0, windowTokens: INITIAL_WINDOW_TOKENS, cancelledFor: null, isEnded: false }
      jobs.push(job)
      void run(job, sink, this.script(order))
      return {
        cancel(reason) {
          job.cancelledFor ??= reason
        },
        grant(tokens) {
          job.windowTokens += tokens
        },
      }
    },
    nodes: () => [],
    publishPods: () => undefined,
    podCapacity: () => ({ warm: 1, loading: 0, replicas: 1, freeSlots: 1 }),
  }
}
