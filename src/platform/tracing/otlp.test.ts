import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createManualClock } from '../clock.ts'
import { silentLogger } from '../logger.ts'
import { createMetrics } from '../metrics.ts'
import { createOtlpTracer } from './otlp.ts'
import type { Span } from './port.ts'

type Wire = { resourceSpans: { resource: { attributes: unknown[] }; scopeSpans: { spans: Record<string, unknown>[] }[] }[] }

let server: Server
let requests: { path: string; body: Wire }[]
let status: number
beforeEach(async () => {
  requests = []
  status = 200
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    requests.push({ path: request.url ?? '', body: JSON.parse(Buffer.concat(chunks).toString()) })
    response.writeHead(status).end('{}')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
})
afterEach(() => new Promise(resolve => server.close(resolve)))

const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}` // cast: it listens on TCP
const span = (changes: Partial<Span> = {}): Span => ({
  service: 'heurist-gateway',
  traceId: 'ab'.repeat(16),
  spanId: 'cd'.repeat(8),
  parentSpanId: null,
  name: 'chat heurist/chat',
  kind: 'server',
  startMs: 1_700_000_000_123,
  endMs: 1_700_000_000_456,
  attributes: { 'heurist.job_id': 'job_1', tokens: 7, share: 0.5, nothing: null },
  events: [{ name: 'first_token', atMs: 1_700_000_000_200 }],
  error: null,
  ...changes,
})
function set(to = url()) {
  const [clock, metrics] = [createManualClock(), createMetrics()]
  const tracer = createOtlpTracer({ url: to }, { logger: silentLogger, clock, metrics })
  const dropped = async () => (await metrics.registry.getSingleMetric('heurist_tracing_dropped_total')?.get())?.values[0]?.value ?? 0
  return { clock, tracer, dropped }
}

describe('OTLP tracer', () => {
  test('default: spans go out together, by service, as a collector expects them', async () => {
    const { clock, tracer } = set(`${url()}/`)
    tracer.record([span(), span({ service: 'heurist-router', parentSpanId: 'ef'.repeat(8), kind: 'client', error: 'NODE_DEADLINE' })])
    tracer.record([span({ name: 'another' })])
    expect(requests).toEqual([])
    clock.advance(1_000)
    await vi.waitFor(() => expect(requests).toHaveLength(1))
    expect(requests[0]?.path).toBe('/v1/traces')
    const [gateway, router] = requests[0]?.body.resourceSpans ?? []
    expect(gateway?.resource.attributes).toEqual([{ key: 'service.name', value: { stringValue: 'heurist-gateway' } }])
    expect(gateway?.scopeSpans[0]?.spans).toHaveLength(2)
    expect(gateway?.scopeSpans[0]?.spans[0]).toEqual({
      traceId: 'ab'.repeat(16),
      spanId: 'cd'.repeat(8),
      name: 'chat heurist/chat',
      kind: 2,
      startTimeUnixNano: '1700000000123000000',
      endTimeUnixNano: '1700000000456000000',
      attributes: [
        { key: 'heurist.job_id', value: { stringValue: 'job_1' } },
        { key: 'tokens', value: { intValue: '7' } },
        { key: 'share', value: { doubleValue: 0.5 } },
      ],
      events: [{ name: 'first_token', timeUnixNano: '1700000000200000000' }],
    })
    expect(router?.scopeSpans[0]?.spans[0]).toMatchObject({
      parentSpanId: 'ef'.repeat(8),
      kind: 3,
      status: { code: 2, message: 'NODE_DEADLINE' },
    })
  })

  test('behavior: many spans go in several requests; stop sends what is left', async () => {
    const { tracer, dropped } = set()
    for (let i = 0; i < 1_300; i++) tracer.record([span()])
    await tracer.stop()
    const sizes = requests.map(({ body }) => body.resourceSpans[0]?.scopeSpans[0]?.spans.length)
    expect(sizes).toEqual([512, 512, 276])
    expect(await dropped()).toBe(0)
  })

  test('error: a collector that refuses or is away costs its spans, is counted, and nothing else', async () => {
    const refused = set()
    status = 503
    refused.tracer.record([span(), span()])
    await refused.tracer.stop()
    expect(await refused.dropped()).toBe(2)
    status = 200
    refused.tracer.record([span()])
    await refused.tracer.stop()
    expect(await refused.dropped()).toBe(2)
    const away = set('http://127.0.0.1:1')
    away.tracer.record([span()])
    await away.tracer.stop()
    expect(await away.dropped()).toBe(1)
  })

  test('behavior: what waits is bounded', async () => {
    const { tracer, dropped } = set()
    for (let i = 0; i < 10_050; i++) tracer.record([span()])
    expect(await dropped()).toBe(50)
    await tracer.stop()
  })
})
