import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseManifest } from '#compute'
import {
  BATCH_HEADER_BYTES,
  decodeBatchHead,
  decodeFrames,
  encodeBatch,
  encodeFrame,
  encodeMessage,
  HeuristError,
  type NodeMessage,
  parseGatewayMessages,
  parseRouterEvents,
  type RouterMessage,
  readNodeText,
  readRouterText,
} from '#protocol'
import { parseJsonObject } from '../../src/application/gateway/json.ts'
import { chatRequestSchema, completionRequestSchema, embeddingRequestSchema } from '../../src/application/gateway/openai/requests.ts'
import { validate } from '../../src/application/gateway/validate.ts'
import { parseGpuInstances, parseMigList } from '../../src/compute/node/devices/mig.ts'
import { parseQuery } from '../../src/compute/node/devices/nvidia-gpu.ts'
import { parseNvidiaXml } from '../../src/compute/node/devices/nvidia-xml.ts'
import { parseRocm, rocmCards } from '../../src/compute/node/devices/rocm.ts'
import { isReady, parseReply } from '../../src/compute/pod/engines/command/replies.ts'
import { parseChunk } from '../../src/compute/pod/engines/upstream/chunks.ts'
import { createSseParser } from '../../src/compute/pod/engines/upstream/sse.ts'
import { readJournal } from '../../src/orchestration/router/replay-journal.ts'
import { factsHosting } from '../../src/orchestration/router/testing/fake-node.ts'
import { testOrder, testPod } from '../../src/orchestration/router/testing/harness.ts'

/** Something that reads what a stranger wrote. Anything thrown but what it promises to throw is a crash. */
export type Parser = {
  readonly name: string
  readonly samples: readonly Buffer[]
  parse(input: Buffer): unknown
  readonly promises: (error: unknown) => boolean
}

const nothing = (): boolean => false
const coded =
  (...codes: string[]) =>
  (error: unknown): boolean =>
    error instanceof HeuristError && (codes.length === 0 || codes.includes(error.code))
const texts = (...samples: string[]): Buffer[] => samples.map(sample => Buffer.from(sample))

const DEVICES = join(import.meta.dirname, '../../src/compute/node/devices/fixtures')
const fixtures = (pattern: RegExp): Buffer[] =>
  readdirSync(DEVICES)
    .filter(name => pattern.test(name))
    .map(name => readFileSync(join(DEVICES, name)))

const WORD = `0x${'1f'.repeat(32)}` as const
const SIGNATURE = `0x${'2e'.repeat(65)}` as const
const NODE = `0x${'3d'.repeat(20)}` as const
const LEASE = { leaseId: WORD, fencingToken: 7 }

function nodeMessages(): Buffer[] {
  const facts = factsHosting([testPod()])
  const messages: NodeMessage[] = [
    { type: 'hello', linkVersion: 3, nodeId: NODE, chainId: 1 },
    { type: 'authenticate', nonce: WORD, signature: SIGNATURE, facts, resume: { sessionId: 's', generation: 1, received: 5 } },
    { type: 'facts', facts },
    { type: 'heartbeat', sentAtMs: 1 },
    { type: 'phase', ...LEASE, phase: 'loading' },
    { type: 'done', ...LEASE, outputHash: WORD, inputUnits: 1, outputUnits: 2, finish: [{ index: 0, reason: 'stop' }] },
    { type: 'failed', ...LEASE, code: 'X', message: 'why', retryable: true, param: 'messages[0]' },
    { type: 'signed', leases: [{ ...LEASE, digest: WORD }], signature: SIGNATURE },
    { type: 'declined', ...LEASE, reason: 'no' },
  ]
  return texts(...messages.map(encodeMessage), `[3,4,${messages.map(encodeMessage).join(',')}]`, '[0,7]')
}

function routerMessages(): Buffer[] {
  const pod = testPod()
  const { request, requestHash, jobId } = testOrder(pod)
  const { podId, manifestHash } = pod
  const deadlines = { queueMs: 1, loadMs: 1, firstTokenMs: 1, totalMs: 1 }
  const messages: RouterMessage[] = [
    { type: 'challenge', linkVersion: 3, router: NODE, chainId: 1, settlement: NODE, nonce: WORD, expiresAtMs: 1 },
    { type: 'welcome', sessionId: 's', received: 5, resumeMs: 1, signature: SIGNATURE, heartbeatIntervalMs: 1, pods: [pod] },
    { type: 'refused', code: 'LINK_FULL', message: 'full' },
    { type: 'scale', podId, action: 'load' },
    { type: 'lease', ...LEASE, jobId, attempt: 1, podId, manifestHash, channel: 1, creditTokens: 1, deadlines, request, requestHash },
    { type: 'credit', channel: 1, tokens: 5 },
    { type: 'cancel', ...LEASE, reason: 'abort:x' },
  ]
  return texts(...messages.map(encodeMessage), `[3,4,${messages.map(encodeMessage).join(',')}]`, '[0,7]')
}

function frames(): Buffer[] {
  const text = encodeFrame(1, 0, { choice: 0, tokens: 1, text: 'hello' })
  const ids = encodeFrame(1, 1, { choice: 0, tokens: 2, text: 'ab', tokenIds: [5, 6] })
  const extras = encodeFrame(1, 2, { choice: 1, tokens: 1, text: '', toolCalls: [{ index: 0, id: 'c', name: 'f', arguments: '{' }] })
  const vector = encodeFrame(2, 0, { choice: 0, tokens: 0, text: '', embedding: Float32Array.from([1, 2]) })
  return [text, ids, extras, vector, Buffer.concat([text, ids, extras, vector])]
}

const CHUNK =
  '{"choices":[{"index":0,"delta":{"content":"hi","tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2}}'
const SSE = `: comment\nevent: message\ndata: ${CHUNK}\n\ndata: {"choices":[{"text":"x","logprobs":{"tokens":["x"],"token_logprobs":[-1]}}]}\r\n\r\ndata: [DONE]\n\n`

function readStream(input: Buffer): void {
  const parser = createSseParser()
  const half = input.length >> 1
  const events = [...parser.push(input.subarray(0, half)), ...parser.push(input.subarray(half)), parser.end() ?? '']
  for (const event of events) {
    try {
      parseChunk(event, { choices: 2, maxPromptTokens: 1_000 })
    } catch (error) {
      if (!coded()(error)) throw error
    }
  }
}

const MESSAGES =
  '{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"t"}]},{"role":"tool","content":"x","tool_call_id":"c"}]'
const CHAT = `${MESSAGES},"stream":true,"stream_options":{"include_usage":true},"tools":[{"type":"function","function":{"name":"f","parameters":{}}}],"tool_choice":"auto","response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{}}},"logit_bias":{"1":5},"stop":["a"],"heurist":{"max_attempts":2,"allow_nodes":["${NODE}"]}}`
const COMPLETION = '{"model":"m","prompt":["a","b"],"max_tokens":5,"logprobs":1,"n":1,"seed":5}'
const EMBEDDING = '{"model":"m","input":[[1,2],[3]],"encoding_format":"base64","dimensions":5}'

function readBody(input: Buffer): void {
  const body = parseJsonObject(input, 64)
  for (const schema of [chatRequestSchema, completionRequestSchema, embeddingRequestSchema]) {
    try {
      validate<unknown>(schema, body)
    } catch (error) {
      if (!coded()(error)) throw error
    }
  }
}

const YAML = `apiVersion: heurist/v1
kind: Pod
metadata: { name: a/b }
spec:
  runtime: llm
  engine: { name: llama }
  model: { id: m, source: "builtin:m" }
  timeouts: { betweenTokensMs: 5 }
  price: { input: 5, output: "7" }
`

const HOST = `["host",0,"${NODE}",0,{"owner":null,"refusals":["jailed"],"region":"","slots":1,"unitsPerSecond":1,"uptimeBps":1,"votes":0,"warm":true}]`
const JOURNAL = `["segment",{"version":1,"router":"${NODE}","podId":"${WORD}"}]\n${HOST}\n["busy",0,1]\n["decided","job_1",1]\n["gone",0]\n`

function readPieces(input: Buffer): void {
  const piece = {
    podId: WORD,
    segment: WORD,
    number: 0,
    text: input.toString('utf8'),
    head: WORD,
    router: NODE,
    routerSignature: SIGNATURE,
  }
  readJournal([piece], new Set(['job_1 1']), new Uint8Array(32))
}

function readReplies(input: Buffer): void {
  for (const line of input.toString('utf8').split('\n')) if (!isReady(line)) parseReply(line)
}

const EVENTS = `[{"type":"loading","channel":1},{"type":"leased","channel":1,"lease":{"leaseId":"${WORD}","nodeId":"${NODE}","attempt":1,"fencingToken":2}},{"type":"retrying","channel":1,"code":"X","message":"m"}]`
const REPLIES =
  '{"ready":true}\n{"id":"1","text":"t"}\n{"id":"1","data":{"a":[1]}}\n{"id":"1","done":true}\n{"id":"1","error":"e","code":"failed"}'

const NVIDIA_FIELDS = ['index', 'uuid', 'name', 'memory.total', 'mig.mode.current', 'compute_cap']

export const PARSERS: readonly Parser[] = [
  { name: 'output frames', samples: frames(), parse: decodeFrames, promises: coded('FRAME_MALFORMED') },
  {
    name: 'binary batches of the node link',
    samples: frames().map(message => Buffer.from(encodeBatch(message, { number: 5, ack: 2 }))),
    parse: input => [decodeBatchHead(input), decodeFrames(input.subarray(BATCH_HEADER_BYTES))],
    promises: coded('FRAME_MALFORMED'),
  },
  {
    name: 'messages of nodes',
    samples: nodeMessages(),
    parse: input => readNodeText(input.toString('utf8')).messages(),
    promises: coded('LINK_MALFORMED'),
  },
  {
    name: 'messages of routers',
    samples: routerMessages(),
    parse: input => readRouterText(input.toString('utf8')).messages(),
    promises: coded('LINK_MALFORMED'),
  },
  {
    name: 'pod manifests',
    samples: texts(
      YAML,
      JSON.stringify(testPod().manifest, (_, value) => (typeof value === 'bigint' ? `${value}` : value)),
    ),
    parse: input => parseManifest(input.toString('utf8')),
    promises: coded('MANIFEST_INVALID'),
  },
  {
    name: 'nvidia-smi rows',
    samples: fixtures(/nvidia.*csv$/),
    parse: input => parseQuery(input.toString('utf8'), NVIDIA_FIELDS),
    promises: nothing,
  },
  {
    name: 'nvidia-smi -q -x',
    samples: fixtures(/nvidia-q-x.*xml$/),
    parse: input => parseNvidiaXml(input.toString('utf8')),
    promises: nothing,
  },
  {
    name: 'nvidia-smi mig -lgi',
    samples: fixtures(/nvidia.*lgi.*txt$/),
    parse: input => parseGpuInstances(input.toString('utf8')),
    promises: nothing,
  },
  {
    name: 'nvidia-smi -L',
    samples: fixtures(/nvidia.*list.*txt$/),
    parse: input => parseMigList(input.toString('utf8')),
    promises: nothing,
  },
  {
    name: 'rocm-smi',
    samples: fixtures(/rocm/),
    parse: input => [parseRocm(input.toString('utf8')), rocmCards(input.toString('utf8'))],
    promises: nothing,
  },
  { name: 'event streams of upstreams', samples: texts(SSE), parse: readStream, promises: error => error instanceof RangeError },
  { name: 'bodies of requests', samples: texts(CHAT, COMPLETION, EMBEDDING), parse: readBody, promises: coded() },
  {
    name: 'messages of gateways',
    samples: texts('{"type":"cancel","channel":1,"reason":"r"}', '[{"type":"grant","channel":1,"tokens":5}]'),
    parse: input => parseGatewayMessages(input.toString('utf8')),
    promises: coded('DISPATCH_MALFORMED'),
  },
  {
    name: 'events of routers',
    samples: texts(EVENTS),
    parse: input => parseRouterEvents(input.toString('utf8')),
    promises: coded('DISPATCH_MALFORMED'),
  },
  { name: 'replies of programs', samples: texts(REPLIES), parse: readReplies, promises: nothing },
  { name: 'journals of decisions', samples: texts(JOURNAL), parse: readPieces, promises: nothing },
]
