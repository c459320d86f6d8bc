import { request } from 'undici'
import { messageOf } from '#protocol'
import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import type { Span, Tracer } from './port.ts'

export type OtlpOptions = {
  /** Base of an OTLP/HTTP collector, e.g. `http://127.0.0.1:4318`; spans go to its `/v1/traces`. */
  readonly url: string
  /** Longest time that a span waits to be sent with others, in ms (default 1,000). */
  readonly everyMs?: number
}

// One request of 512 spans is about 300 KB; ten thousand that wait for a slow collector are 6 MB.
const MAX_PER_REQUEST = 512
const MAX_WAITING = 10_000
const ANSWER_MS = 5_000
const KINDS = { internal: 1, server: 2, client: 3 } as const
const STATUS_ERROR = 2

/**
 * Sends spans as OTLP/HTTP with JSON, which every collector takes. The official SDK is some sixty packages with
 * instrumentation of everything; a job's spans follow from its timeline, so this is all that is needed.
 * @example
 * const tracer = createOtlpTracer({ url: 'http://127.0.0.1:4318' }, { logger, clock: systemClock })
 */
export function createOtlpTracer(options: OtlpOptions, dependencies: { logger: Logger; clock: Clock; metrics?: Metrics }): Tracer {
  const { logger, clock, metrics } = dependencies
  const url = `${options.url.replace(/\/$/, '')}/v1/traces`
  const dropped = metrics?.counter('heurist_tracing_dropped_total', 'Spans that the trace collector did not take in time.')
  let waiting: Span[] = []
  let isPlanned = false
  let sending: Promise<void> = Promise.resolve()
  let hasFailed = false

  const send = async (spans: readonly Span[]): Promise<void> => {
    try {
      const body = JSON.stringify(bodyOf(spans))
      const answer = await request(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        headersTimeout: ANSWER_MS,
        bodyTimeout: ANSWER_MS,
      })
      await answer.body.dump()
      if (answer.statusCode >= 300) throw new Error(`it answered ${answer.statusCode}`)
      hasFailed = false
    } catch (error) {
      dropped?.inc(spans.length)
      // Once per outage: a collector that is down must not fill the log.
      if (!hasFailed) logger.warn({ reason: messageOf(error) }, 'the trace collector takes no spans; they are dropped')
      hasFailed = true
    }
  }
  const sendAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      const spans = waiting.slice(0, MAX_PER_REQUEST)
      waiting = waiting.slice(MAX_PER_REQUEST)
      await send(spans)
    }
  }
  const flush = (): Promise<void> => {
    isPlanned = false
    sending = sending.then(sendAll)
    return sending
  }

  return {
    record(spans) {
      if (waiting.length + spans.length > MAX_WAITING) return void dropped?.inc(spans.length)
      waiting.push(...spans)
      if (isPlanned) return
      isPlanned = true
      clock.after(options.everyMs ?? 1_000, flush)
    },
    stop: flush,
  }
}

function bodyOf(spans: readonly Span[]): unknown {
  const services = [...new Set(spans.map(({ service }) => service))]
  return {
    resourceSpans: services.map(service => ({
      resource: { attributes: [attribute('service.name', service)] },
      scopeSpans: [{ scope: { name: 'heurist' }, spans: spans.filter(span => span.service === service).map(toWire) }],
    })),
  }
}

function toWire(span: Span): unknown {
  const { traceId, spanId, parentSpanId, name, kind, startMs, endMs, attributes, events = [], error } = span
  return {
    traceId,
    spanId,
    ...(parentSpanId !== null && { parentSpanId }),
    name,
    kind: KINDS[kind],
    startTimeUnixNano: nanos(startMs),
    endTimeUnixNano: nanos(endMs),
    attributes: Object.entries(attributes).flatMap(([key, value]) => (value === null ? [] : [attribute(key, value)])),
    events: events.map(event => ({ name: event.name, timeUnixNano: nanos(event.atMs) })),
    ...(error !== null && { status: { code: STATUS_ERROR, message: error } }),
  }
}

function attribute(key: string, value: string | number): unknown {
  if (typeof value === 'string') return { key, value: { stringValue: value } }
  return { key, value: Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value } }
}

/** Times here are whole milliseconds; as a number they would lose their last digits. */
function nanos(ms: number): string {
  return `${BigInt(Math.round(ms)) * 1_000_000n}`
}
