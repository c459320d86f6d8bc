import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** Prometheus metrics of one process. Base units in names (`_seconds`, `_bytes`, `_total`), low-cardinality labels. */
export type Metrics = {
  readonly registry: Registry
  counter(name: string, help: string, labels?: readonly string[]): Counter
  gauge(name: string, help: string, labels?: readonly string[]): Gauge
  histogram(name: string, help: string, options?: { labels?: readonly string[]; buckets?: readonly number[] }): Histogram
}

export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  return {
    registry,
    counter: (name, help, labels = []) => new Counter({ name, help, labelNames: [...labels], registers }),
    gauge: (name, help, labels = []) => new Gauge({ name, help, labelNames: [...labels], registers }),
    histogram: (name, help, options = {}) =>
      new Histogram({
        name,
        help,
        labelNames: [...(options.labels ?? [])],
        registers,
        ...(options.buckets && { buckets: [...options.buckets] }),
      }),
  }
}
