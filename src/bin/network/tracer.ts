import type { Clock, Logger, Metrics, Tracer } from '#platform'
import { createOtlpTracer } from '#platform/tracing'
import type { Config } from '../config.ts'

/** Undefined unless HEURIST_OTLP_URL is set: then no span is ever made. */
export function createTracer({ otlpUrl }: Config, dependencies: { logger: Logger; clock: Clock; metrics?: Metrics }): Tracer | undefined {
  return otlpUrl === '' ? undefined : createOtlpTracer({ url: otlpUrl }, dependencies)
}
