/** What the autoscaler's rule is tried on: a generated day of many applications, and an hour of two real services of language models. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

/**
 * The day is generated from the published statistics of a real trace: Shahrad et al., "Serverless in the Wild", USENIX ATC 2020 (Azure
 * Functions, July 2019): 45 % of the applications are called at most once an hour, 81 % at most once a minute, and execution times are
 * log-normal with a log mean of -0.38 and a deviation of 2.36 (seconds). Arrivals are Poisson with a daily wave.
 */
export const DAY_MS = 86_400_000
const LONGEST_JOB_MS = 120_000

export type Job = { readonly atMs: number; readonly durationMs: number }

/** Calls a second of the application at a quantile: log-linear between the published points, two a second at the top. */
function rateAt(quantile: number): number {
  const points: [number, number][] = [
    [0, 1 / 86_400],
    [0.45, 1 / 3_600],
    [0.81, 1 / 60],
    [1, 2],
  ]
  const next = points.findIndex(([at]) => at >= quantile)
  const [[fromAt, from], [toAt, to]] = [points[Math.max(0, next - 1)]!, points[Math.max(1, next)]!]
  return Math.exp(Math.log(from) + ((Math.log(to) - Math.log(from)) * (quantile - fromAt)) / (toAt - fromAt || 1))
}

/** A day of one application, oldest first. */
export function dayOf(quantile: number, random: () => number): Job[] {
  const mean = rateAt(quantile)
  const phase = random() * 2 * Math.PI
  const jobs: Job[] = []
  // Thinning: candidates at the highest rate, kept by the wave's height.
  for (let atMs = 0; ; ) {
    atMs += (-Math.log(1 - random()) / (1.6 * mean)) * 1_000
    if (atMs >= DAY_MS) return jobs
    if (random() > (1 + 0.6 * Math.sin((atMs / DAY_MS) * 2 * Math.PI + phase)) / 1.6) continue
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    jobs.push({ atMs, durationMs: Math.min(LONGEST_JOB_MS, Math.exp(-0.38 + 2.36 * normal) * 1_000) })
  }
}

/** Time of a prompt's token and of an answer's: about a 70 B model on one server of GPUs (Patel et al., "Splitwise", ISCA 2024, fig. 5). */
const MS_PER_CONTEXT_TOKEN = 0.2
const MS_PER_GENERATED_TOKEN = 30

/** The requests to one service on 16 November 2023, oldest first (traces/README.md). The trace has tokens; the time they take is ours. */
export function azureRequests(service: 'code' | 'conv'): Job[] {
  const file = join(import.meta.dirname, 'traces', `azure-llm-2023-${service}.csv.gz`)
  const [, ...lines] = gunzipSync(readFileSync(file)).toString().trim().split('\n')
  let atMs = 0
  return lines.map(line => {
    const [afterMs, context, generated] = line.split(',').map(Number) as [number, number, number] // cast: the file's three columns
    atMs += afterMs
    return { atMs, durationMs: context * MS_PER_CONTEXT_TOKEN + generated * MS_PER_GENERATED_TOKEN }
  })
}
