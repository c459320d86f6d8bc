import { randomBytes } from 'node:crypto'
import OpenAI from 'openai'
import { DEFAULT_SPLIT_BPS } from '#economics'
import { type Clock, createMetrics, type JobStore, type Metrics, silentLogger, systemClock, type Tokenizer } from '#platform'
import { createTestDatabase, type TestDatabase } from '#platform/database/testing'
import {
  type Address,
  bytesToHex,
  type Domain,
  jobDomain,
  manifestHash,
  type PodManifest,
  type PodRecord,
  podManifestSchema,
} from '#protocol'
import { type ApiKeys, createApiKeys } from '../../payments/api-keys.ts'
import { createPayments } from '../../payments/payments.ts'
import type { Payments } from '../../payments/types.ts'
import { createGateway, type Gateway, type GatewayOptions } from '../gateway.ts'
import { createTestDispatcher, type TestDispatcher } from './dispatcher.ts'

export const TEST_DOMAIN: Domain = jobDomain(31_337, '0x00000000000000000000000000000000000000aa')
export const TEST_ASSET: Address = '0x00000000000000000000000000000000000000cc'
export const PROTOCOL_ACCOUNT: Address = '0x00000000000000000000000000000000000000dd'

/** One token per word: enough to count by, and every test can count along. */
export const WORD_TOKENIZER: Tokenizer = {
  encode: text => (text.match(/\S+/g) ?? []).map((_, index) => index),
  decode: ids => ids.join(' '),
  encodePrompt: text => [0, ...(text.match(/\S+/g) ?? []).map((_, index) => index)],
  encodeChat: messages => WORD_TOKENIZER.encode(JSON.stringify(messages)),
  countChat: messages => WORD_TOKENIZER.encodeChat(messages).length,
  vocabularySize: 1_000,
}

type PodSettings = { runtime?: PodManifest['spec']['runtime']; contextLength?: number; price?: { input: string; output: string } }

const ENGINES: Partial<Record<PodManifest['spec']['runtime'], string>> = { embedding: 'use-lite', command: 'command' }

export function testPod(name: string, settings: PodSettings = {}): PodRecord {
  const { runtime = 'llm', contextLength = 2048, price = { input: '1000000000000', output: '2000000000000' } } = settings
  const manifest = podManifestSchema.parse({
    apiVersion: 'heurist/v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      runtime,
      engine: { name: ENGINES[runtime] ?? 'llama' },
      ...(runtime === 'command' && { command: { run: ['program'], maxOutputBytes: 640 } }),
      model: { id: name, source: 'builtin:x', contextLength },
      price,
    },
  })
  const hash = manifestHash(manifest)
  return {
    podId: hash,
    name,
    deployer: '0x00000000000000000000000000000000000000ee',
    manifest,
    manifestHash: hash,
    version: 1,
    createdAtMs: 1_700_000_000_000,
  }
}

export function randomAccount(): Address {
  return bytesToHex(randomBytes(20))
}

export type TestGateway = {
  readonly gateway: Gateway
  readonly url: string
  readonly port: number
  readonly database: TestDatabase
  readonly dispatcher: TestDispatcher
  readonly payments: Payments
  readonly keys: ApiKeys
  readonly metrics: Metrics
  readonly account: Address
  readonly secret: string
  readonly client: OpenAI
  /** An account with credits and a key of its own. */
  newCaller(
    settings?: Partial<Parameters<ApiKeys['create']>[0]> & { credits?: bigint },
  ): Promise<{ account: Address; secret: string; keyId: string }>
  /** A request with the harness's key; the answer's body as text and JSON. */
  call(path: string, body: unknown, headers?: Record<string, string>): Promise<TestAnswer>
  stop(): Promise<void>
}
export type TestAnswer = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: Record<string, unknown>
}

const PODS = [
  testPod('tiny/chat'),
  testPod('small-context', { contextLength: 20 }),
  testPod('encoder', { runtime: 'embedding', contextLength: 50 }),
  testPod('program', { runtime: 'command', price: { input: '1000000000000000', output: '10000000000000' } }),
]

/** A gateway on a free port over a real database and real payments; only the router is a scripted one. */
export async function createTestGateway(
  options: Partial<GatewayOptions> = {},
  replace: { clock?: Clock; jobs?: (jobs: JobStore) => JobStore } = {},
): Promise<TestGateway> {
  const clock = replace.clock ?? systemClock
  const database = await createTestDatabase()
  const { ledger, jobs } = database.database
  const payments = await createPayments(
    { owner: { instance: 'gateway-test', epoch: randomBytes(4).toString('hex') }, assets: [TEST_ASSET] },
    { ledger, clock, logger: silentLogger },
  )
  const keys = createApiKeys(
    { requestsPerMinute: 100_000 },
    { keys: database.database.keys, clock, randomBytes: length => randomBytes(length) },
  )
  const dispatcher = createTestDispatcher(TEST_DOMAIN, clock)
  const metrics = createMetrics()
  const gateway = createGateway(
    {
      host: '127.0.0.1',
      port: 0,
      ownerEpoch: 'test',
      shares: { protocol: PROTOCOL_ACCOUNT, votersOf: () => null, bpsOf: () => DEFAULT_SPLIT_BPS },
      drainMs: 500,
      ...options,
    },
    {
      dispatcher,
      payments,
      jobs: replace.jobs?.(jobs) ?? jobs,
      pods: { list: () => PODS, byName: name => PODS.find(pod => pod.name === name) },
      verifyKey: secret => keys.verify(secret),
      tokenizerFor: () => WORD_TOKENIZER,
      referredNodes: () => new Set(),
      unready: async () => [],
      clock,
      random: length => randomBytes(length),
      logger: silentLogger,
      metrics,
    },
  )
  await gateway.start()

  let deposits = 0
  const newCaller: TestGateway['newCaller'] = async ({ credits = 1_000_000_000_000n, ...settings } = {}) => {
    const account = settings.account ?? randomAccount()
    deposits += 1
    const transactionHash = bytesToHex(randomBytes(32))
    if (credits > 0n) {
      await payments.applyDeposit({
        account,
        asset: TEST_ASSET,
        amount: credits / 100_000n,
        nanoCredits: credits,
        chainId: 31_337,
        transactionHash,
        logIndex: deposits,
        atMs: clock.now(),
      })
    }
    const { secret, key } = await keys.create({ name: 'test', account, ...settings })
    return { account, secret, keyId: key.keyId }
  }
  const caller = await newCaller()

  return {
    gateway,
    url: gateway.url,
    port: Number(new URL(gateway.url).port),
    database,
    dispatcher,
    payments,
    keys,
    metrics,
    ...caller,
    client: new OpenAI({ apiKey: caller.secret, baseURL: `${gateway.url}/v1`, maxRetries: 0 }),
    newCaller,
    async call(path, body, headers = {}) {
      const response = await fetch(`${gateway.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${caller.secret}`, ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      })
      const text = await response.text()
      return { status: response.status, headers: response.headers, text, json: text.startsWith('{') ? JSON.parse(text) : {} }
    },
    async stop() {
      await gateway.stop()
      await payments.stop()
      await database.stop()
    },
  }
}

/** Waits until `check` holds; fails with `label` after two seconds. */
export async function until(label: string, check: () => boolean | Promise<boolean>): Promise<void> {
  const untilMs = performance.now() + 2_000
  while (!(await check())) {
    if (performance.now() > untilMs) throw new Error(`waited two seconds in vain: ${label}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

/** The `data:` events of a stream, parsed; `[DONE]` stays text. */
export function eventsOf(text: string): (Record<string, unknown> | '[DONE]')[] {
  return text
    .split('\n\n')
    .filter(event => event.startsWith('data: '))
    .map(event => (event === 'data: [DONE]' ? '[DONE]' : JSON.parse(event.slice(6))))
}
