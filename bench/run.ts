import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { comparisonChart } from './chart.ts'
import { closedLoop } from './gateway/load.ts'
import { measureLatency, measureStreams, measureThroughput, memoryOf, type StreamsRow, UNARY } from './gateway/measure.ts'
import { ROOT } from './gateway/processes.ts'
import { startBench } from './gateway/targets.ts'
import { icicleOf } from './profile/icicle.ts'
import { partsOf } from './profile/parts.ts'
import { recordProfile } from './profile/record.ts'
import { report } from './report.ts'
import { measureStartup } from './startup.ts'

const ROUNDS = 3
const startedMs = performance.now()
let step = 0
let steps = 0

/** One more step begins: which of how many, and the time so far. */
function tell(text: string): void {
  step += 1
  const seconds = Math.round((performance.now() - startedMs) / 1000)
  const place = steps === 0 ? '' : `${Math.min(step, steps)}/${steps} `
  process.stderr.write(`[${place}${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}] ${text}\n`)
}

/** How many more steps there are. */
function expect(more: number): void {
  steps = step + more
}

/** A bench of its own that prints one JSON line last. */
function program(file: string, args: readonly string[] = []): Record<string, unknown> {
  tell(file)
  const output = execFileSync(process.execPath, [join(ROOT, 'bench', file), ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return JSON.parse(output.trim().split('\n').at(-1) ?? '{}') as Record<string, unknown> // cast: our own programs
}

tell('start of upstream, proxies, gateways and the network')
const bench = await startBench()
/** Whoever gives up leaves no proxy and no network behind. */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => void bench.stop().finally(() => process.exit(130)))
const { direct, undici, portkey, llmops, heurist } = bench.targets
const all = [direct, ...bench.peers, undici, portkey, llmops, heurist]
const holding = [direct, ...bench.peers, undici, llmops, heurist]
const STREAMS = [500, 2000]
expect((ROUNDS + 1) * all.length + all.length + STREAMS.length * holding.length + 4)
const throughput = await measureThroughput(all, ROUNDS, tell)
const latency = await measureLatency(all, tell)
const streams: { count: number; rows: StreamsRow[] }[] = []
for (const count of STREAMS) streams.push({ count, rows: await measureStreams(holding, count, tell) })
const memory = memoryOf(bench)
tell('profile of the unary path')
const profile = await recordProfile(bench.mainPid(), bench.inspectPort, () => closedLoop(heurist, { ...UNARY, durationMs: 8_000 }))
await bench.stop()
const durable = program('durable-receipts.ts', ['--callers', '64', '--seconds', '5'])
const routing = program('routing-decision.ts')
tell('start to first answer')
const startup = await measureStartup(3)
const gas = JSON.parse(readFileSync(join(ROOT, 'contracts/snapshots/gas/settle-per-job.json'), 'utf8')) as Record<string, string> // cast: forge's snapshot

const text = report({
  dateMs: Date.now(),
  cpu: `${cpus().length} × ${cpus()[0]?.model.trim()}`,
  node: process.version,
  missing: bench.missing,
  parts: partsOf(profile),
  throughput,
  latency,
  streams,
  memory,
  durable,
  routing,
  startup,
  gas,
})
const reference = join(ROOT, 'docs/reference')
mkdirSync(reference, { recursive: true })
writeFileSync(join(reference, 'benchmarks.svg'), comparisonChart(throughput))
writeFileSync(
  join(reference, 'unary-path.svg'),
  icicleOf(profile, 'A unary job in the main process (gateway, router, sequencer), 64 callers'),
)
writeFileSync(join(reference, 'benchmarks.md'), text)
process.stdout.write(text)
if (process.connected) process.disconnect()
