import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import pc from 'picocolors'
import { systemClock } from '#platform'
import type { NodeView } from '#protocol'
import { onStopSignals } from '../signals.ts'
import { readDevFile } from './client.ts'
import { type Attach, type Context, positiveNumber } from './commands.ts'
import { EXIT, table } from './output.ts'
import { quantileOf, type Sample, scrape, sumOf } from './scrape.ts'
import type { JsonOf } from './show.ts'

type Listed<T> = { readonly data: readonly T[] }
type PodRow = {
  readonly name: string
  readonly warm: number
  readonly loading: number
  readonly replicas: number
  readonly freeSlots: number
}
type Status = {
  readonly nodes: { readonly online: number; readonly known: number }
  readonly lastBatch: { readonly number: number; readonly state: string; readonly jobCount: number } | null
}
type NodeRow = JsonOf<NodeView>
/** What a process counts; null where nothing is known, which is never shown as zero. */
type Rates = {
  readonly jobsPerSecond: number | null
  readonly tokensPerSecond: number | null
  readonly p50Seconds: number | null
  readonly p99Seconds: number | null
  readonly openJobs: number | null
  readonly runningJobs: number | null
  readonly oldestReceiptSeconds: number | null
}
type Frame = {
  readonly atMs: number
  readonly nodes: readonly NodeRow[]
  readonly status: Status
  readonly pods: readonly PodRow[]
  readonly credits: string
  readonly rates: Rates
}
type Scrape = { readonly atMs: number; readonly samples: readonly Sample[] }

const DURATION = 'heurist_gateway_request_duration_seconds'
const UNKNOWN: Rates = {
  jobsPerSecond: null,
  tokensPerSecond: null,
  p50Seconds: null,
  p99Seconds: null,
  openJobs: null,
  runningJobs: null,
  oldestReceiptSeconds: null,
}

/** `heurist top`: the network at a glance, live. Rates need two looks, so `--once` takes its time between them. */
export function topCommand(program: Command, attach: Attach): void {
  const top = program
    .command('top')
    .description('Watch the network: nodes, pods, jobs per second, latency, queue, credits, last batch')
    .option('--once', 'print one look and end')
    .option('--interval <seconds>', 'time between two looks', positiveNumber, 1)
  attach(top, async (context, _args, options) => {
    const everyMs = Number(options.interval) * 1000
    const isOnce = options.once === true || !process.stdout.isTTY
    const { signal } = onStopSignals()
    const wait = (): Promise<void> => sleep(everyMs, undefined, { signal }).catch(() => undefined)
    let before = await scrapeNow(context)
    do {
      await wait()
      if (signal.aborted) break
      const now = await scrapeNow(context)
      const frame = await look(context, now, before)
      if (isOnce) context.output.answer(frame, () => frameText(frame))
      else process.stdout.write(`\x1b[H\x1b[J${frameText(frame)}\n${pc.dim(`every ${everyMs / 1000} s, Ctrl-C ends`)}\n`)
      before = now
    } while (!isOnce)
    return EXIT.ok
  })
}

async function scrapeNow({ config }: Context): Promise<Scrape | null> {
  const url = readDevFile(config)?.metricsUrl
  const samples = url === undefined ? null : await scrape(url)
  return samples && { atMs: performance.now(), samples }
}

async function look({ client }: Context, now: Scrape | null, before: Scrape | null): Promise<Frame> {
  const api = client()
  const [status, nodes, pods, credits] = await Promise.all([
    api.get<Status>('/api/status'),
    api.get<Listed<NodeRow>>('/api/nodes'),
    api.get<Listed<PodRow>>('/api/pods'),
    api.get<{ credits: string }>('/api/credits'),
  ])
  const rates = now && before ? ratesOf(now, before) : UNKNOWN
  const podRows = pods.data.map(({ name, warm, loading, replicas, freeSlots }) => ({ name, warm, loading, replicas, freeSlots }))
  return { atMs: systemClock.now(), status, nodes: nodes.data, pods: podRows, credits: credits.credits, rates }
}

function ratesOf(now: Scrape, before: Scrape): Rates {
  const seconds = (now.atMs - before.atMs) / 1000
  const rate = (name: string): number => (sumOf(now.samples, name) - sumOf(before.samples, name)) / seconds
  // A quiet second has no latency: then the latency of everything since the start is shown.
  const quantile = (q: number): number | null =>
    quantileOf(q, DURATION, now.samples, before.samples) ?? quantileOf(q, DURATION, now.samples, [])
  return {
    jobsPerSecond: rate(`${DURATION}_count`),
    tokensPerSecond: rate('heurist_gateway_tokens_total'),
    p50Seconds: quantile(0.5),
    p99Seconds: quantile(0.99),
    openJobs: sumOf(now.samples, 'heurist_router_jobs_open'),
    runningJobs: sumOf(now.samples, 'heurist_gateway_running_jobs'),
    oldestReceiptSeconds: sumOf(now.samples, 'heurist_sequencer_oldest_receipt_seconds'),
  }
}

function frameText({ status, nodes, pods, credits, rates }: Frame): string {
  const number = (value: number | null, digits: number, unit = ''): string => (value === null ? '-' : `${value.toFixed(digits)}${unit}`)
  const ms = (seconds: number | null): string => number(seconds === null ? null : seconds * 1000, 0, ' ms')
  const { lastBatch } = status
  const figures = [
    ['nodes', `${status.nodes.online} of ${status.nodes.known}`],
    ['jobs/s', number(rates.jobsPerSecond, 1)],
    ['tokens/s', number(rates.tokensPerSecond, 0)],
    ['p50', ms(rates.p50Seconds)],
    ['p99', ms(rates.p99Seconds)],
    ['open', number(rates.openJobs, 0)],
    ['credits', credits],
    ['last batch', lastBatch ? `${lastBatch.number} ${lastBatch.state}, ${lastBatch.jobCount} jobs` : 'none yet'],
    ['unsettled for', number(rates.oldestReceiptSeconds, 1, ' s')],
  ]
  return [
    figures.map(([name, value]) => `${pc.dim(`${name}`)} ${pc.bold(`${value}`)}`).join('   '),
    '',
    table(
      ['node', 'online', 'busy slots', 'uptime'],
      nodes.map(({ name, online, busySlots, uptimeBps }) => [
        name,
        online ? pc.green('yes') : pc.red('no'),
        busySlots,
        `${(uptimeBps / 100).toFixed(1)} %`,
      ]),
    ),
    '',
    table(
      ['pod', 'warm', 'loading', 'replicas', 'free slots'],
      pods.map(({ name, warm, loading, replicas, freeSlots }) => [name, warm, loading, replicas, freeSlots]),
    ),
  ].join('\n')
}
