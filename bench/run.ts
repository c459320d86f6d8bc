import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { measureLatency, measureStreams, measureThroughput, memoryOf, type StreamsRow } from './gateway/measure.ts'
import { ROOT } from './gateway/processes.ts'
import { startBench } from './gateway/targets.ts'
import { report } from './report.ts'
import { measureStartup } from './startup.ts'

const ROUNDS = 3
const tell = (text: string): void => void process.stderr.write(`${text}\n`)

/** A bench of its own that prints one JSON line last. */
function program(file: string, args: readonly string[] = []): Record<string, unknown> {
  tell(file)
  const output = execFileSync(process.execPath, [join(ROOT, 'bench', file), ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return JSON.parse(output.trim().split('\n').at(-1) ?? '{}') as Record<string, unknown> // cast: our own programs
}

tell('starting upstream, undici proxy, Portkey and the network …')
const bench = await startBench()
const { direct, undici, portkey, heurist } = bench.targets
const throughput = await measureThroughput([direct, undici, portkey, heurist], ROUNDS, tell)
tell('latency at 200 requests a second')
const latency = await measureLatency([direct, undici, portkey, heurist])
tell('open streams')
const streams: { count: number; rows: StreamsRow[] }[] = []
for (const count of [500, 2000]) streams.push({ count, rows: await measureStreams([direct, undici, heurist], count) })
const memory = memoryOf(bench)
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
  throughput,
  latency,
  streams,
  memory,
  durable,
  routing,
  startup,
  gas,
})
mkdirSync(join(ROOT, 'docs/reference'), { recursive: true })
writeFileSync(join(ROOT, 'docs/reference/benchmarks.md'), text)
process.stdout.write(text)
if (process.connected) process.disconnect()
