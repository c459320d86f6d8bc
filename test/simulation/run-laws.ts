/**
 * `npm run simulate -- laws [--seeds 2000] [--from 1] [--steps 500] [--workers 2]`: plays the whole network in virtual time, with faults, and
 * checks the laws of DESIGN §10 after every step. `--seed N` plays one and tells its story, the shortest that breaks the same law.
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { type Played, play, playSeed } from './laws/play.ts'
import { scenarioOf } from './laws/scenario.ts'
import { shrink } from './laws/shrink.ts'

type Share = { readonly seeds: readonly number[]; readonly steps: number }
type Row = Pick<Played, 'steps' | 'virtualMs' | 'counts'> & { readonly seed: number; readonly broken: string | null }

async function work({ seeds, steps }: Share, tell: (row: Row) => void): Promise<void> {
  for (const seed of seeds) {
    const played = await playSeed(seed, steps)
    tell({ seed, steps: played.steps, virtualMs: played.virtualMs, counts: played.counts, broken: played.broken?.message ?? null })
  }
}

async function playAll(share: Share, workers: number, tell: (row: Row) => void): Promise<void> {
  const own = (worker: number): Share => ({ ...share, seeds: share.seeds.filter((_, i) => i % workers === worker) })
  const ended = Array.from({ length: workers }, (_, i) => {
    const worker = new Worker(import.meta.filename, { workerData: own(i) })
    worker.on('message', tell)
    return new Promise<void>((resolve, reject) => worker.on('error', reject).on('exit', () => resolve()))
  })
  await Promise.all(ended)
}

async function tellStory(seed: number, steps: number): Promise<boolean> {
  const played = await play(scenarioOf(seed), steps)
  const told = played.broken ? await shrink(played.scenario, played.broken.law, { steps }) : played
  console.log(`seed ${seed}, ${told.scenario.nodes.length} nodes, ${told.scenario.happenings.length} happenings\n${told.trace.join('\n')}`)
  console.log(told.broken ? `broken: ${told.broken.message}` : 'every law held')
  return told.broken === null
}

function summary(rows: readonly Row[]): string {
  const sum = (of: (row: Row) => number): string => rows.reduce((total, row) => total + of(row), 0).toLocaleString('en-US')
  const hours = (rows.reduce((total, { virtualMs }) => total + virtualMs, 0) / 3_600_000).toFixed(1)
  const { length } = rows.filter(({ broken }) => broken !== null)
  return `${rows.length} seeds, ${sum(row => row.steps)} steps, ${hours} virtual hours, ${sum(row => row.counts.requests)} requests, ${sum(
    row => row.counts.settled,
  )} settled, ${sum(row => row.counts.faults)} faults, ${sum(row => row.counts.resumed)} links resumed, ${length} laws broken`
}

async function main(): Promise<boolean> {
  const number = { type: 'string' } as const
  const options = { seeds: number, from: number, steps: number, workers: number, seed: number }
  const { values } = parseArgs({ options })
  const steps = Number(values.steps ?? 500)
  if (values.seed !== undefined) return tellStory(Number(values.seed), steps)
  const from = Number(values.from ?? 1)
  const seeds = Array.from({ length: Number(values.seeds ?? 2_000) }, (_, i) => from + i)
  const rows: Row[] = []
  await playAll({ seeds, steps }, Number(values.workers ?? Math.min(2, availableParallelism())), row => {
    rows.push(row)
    if (row.broken) console.log(`seed ${row.seed}: ${row.broken}. Tell it: npm run simulate -- laws --seed ${row.seed} --steps ${steps}`)
    if (rows.length % 200 === 0) console.error(`simulate: ${rows.length} of ${seeds.length} seeds`)
  })
  const failed = rows.filter(({ broken }) => broken !== null).length + seeds.length - rows.length
  console.log(summary(rows))
  console.log(`simulation: ${seeds.length - failed} passed, ${failed} failed`)
  return failed === 0
}

if (isMainThread) process.exitCode = (await main()) ? 0 : 1
else await work(workerData as Share, row => parentPort?.postMessage(row)) // cast: made by playAll
if (process.connected) process.disconnect()
