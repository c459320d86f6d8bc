import { request } from 'undici'

export type Sample = { readonly name: string; readonly labels: Readonly<Record<string, string>>; readonly value: number }

const LINE = /^(\w+)(?:\{(.*)\})? ([^ ]+)$/

/** Prometheus text, read as far as our own metrics use it. */
export function parseSamples(text: string): Sample[] {
  return text.split('\n').flatMap(line => {
    const [, name, labels = '', value] = line.startsWith('#') ? [] : (LINE.exec(line) ?? [])
    if (name === undefined || value === undefined) return []
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', text = '']) => [key, text] as const)
    return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }]
  })
}

/** Null when nobody answers there. */
export async function scrape(url: string): Promise<Sample[] | null> {
  try {
    const answer = await request(url, { headersTimeout: 5_000, bodyTimeout: 5_000 })
    const text = await answer.body.text()
    return answer.statusCode === 200 ? parseSamples(text) : null
  } catch {
    return null
  }
}

export function sumOf(samples: readonly Sample[], name: string, where: (labels: Sample['labels']) => boolean = () => true): number {
  return samples.reduce((sum, sample) => (sample.name === name && where(sample.labels) ? sum + sample.value : sum), 0)
}

/** The quantile of a histogram over all its labels, between two scrapes; null when nothing was observed. Linear inside a bucket, as in PromQL. */
export function quantileOf(q: number, histogram: string, now: readonly Sample[], before: readonly Sample[]): number | null {
  const countsOf = (samples: readonly Sample[]): Map<number, number> => {
    const counts = new Map<number, number>()
    for (const { name, labels, value } of samples) {
      const limit = Number(labels.le === '+Inf' ? 'Infinity' : labels.le)
      if (name === `${histogram}_bucket`) counts.set(limit, (counts.get(limit) ?? 0) + value)
    }
    return counts
  }
  const earlier = countsOf(before)
  const buckets = [...countsOf(now)].map(([limit, count]) => [limit, count - (earlier.get(limit) ?? 0)] as const).sort(([a], [b]) => a - b)
  const total = buckets.at(-1)?.[1] ?? 0
  if (total <= 0) return null
  const index = buckets.findIndex(([, count]) => count >= q * total)
  const [limit, count] = buckets[index] ?? [0, 0]
  const [lower, below] = index > 0 ? (buckets[index - 1] ?? [0, 0]) : [0, 0]
  // Nothing is known above the last limit but that it is above.
  if (limit === Number.POSITIVE_INFINITY) return lower
  return lower + (limit - lower) * ((q * total - below) / (count - below || 1))
}
