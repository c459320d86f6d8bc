import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createDatabase, startEmbeddedPostgres, startWatchdog } from '../src/platform/database/index.ts'
import type { JobOutcome, LedgerEvent } from '../src/platform/index.ts'
import { silentLogger, systemClock } from '../src/platform/index.ts'
import type { Address, Bytes32, Hex } from '../src/protocol/index.ts'

/**
 * Durable outcomes per second: N callers, each waiting until its own job's end (job, receipt, decision, ledger event with
 * eight postings) is on disk, against the embedded server with fsync on. Prints one JSON line.
 * `strace -f -e trace=fdatasync,fsync` on the server's pid shows the syncs.
 */
const { values } = parseArgs({
  options: { callers: { type: 'string', default: '64' }, seconds: { type: 'string', default: '5' }, directory: { type: 'string' } },
})
const callers = Number(values.callers)
const seconds = Number(values.seconds)

const hex = (bytes: number): Hex => `0x${randomBytes(bytes).toString('hex')}`
const [payer, node, deployer, frontend, asset, unit]: Address[] = Array.from({ length: 6 }, () => hex(20))
const [podId, word]: Bytes32[] = [hex(32), hex(32)]
const signature = hex(65)

const demand = { excluded: [], referred: [] }
const journal = { segment: word, head: word }
const counts = { linked: 3, hosts: 3, eligible: 3 }
const route = { referred: false, pinned: false, owners: 3 }

function ledgerEvent(jobId: string, atMs: number): LedgerEvent {
  const allowance = `allowance:${payer}:gateway-0`
  const shares: [string, Address | undefined, bigint][] = [
    ['node', node, 80n],
    ['deployer', deployer, 8n],
    ['frontend', frontend, 5n],
    ['voters', deployer, 2n],
    ['protocol', deployer, 5n],
  ]
  return {
    businessId: `capture:${jobId}`,
    kind: 'capture',
    atMs,
    postings: [
      { account: allowance, asset: asset as Address, amount: -100n },
      ...shares.map(([role, account, amount]) => ({ account: `earned:${role}:${account}`, asset: asset as Address, amount })),
      { account: allowance, asset: unit as Address, amount: -10_000_000n },
      { account: 'spent', asset: unit as Address, amount: 10_000_000n },
    ],
    memo: { jobId },
  }
}

function outcome(): JobOutcome {
  const jobId = `job_${randomBytes(16).toString('hex')}`
  const nowMs = Date.now()
  const times = { startedAtMs: nowMs, finishedAtMs: nowMs, routeClass: 0, computeUnits: 0 }
  const identity = { jobId, podId, manifestHash: word, requestHash: word, outputHash: word, seedCommitment: word, decisionHash: word }
  const money = { inputUnits: 120, outputUnits: 64, asset, price: 100n, payer, frontend }
  const receipt = { ...identity, ...money, node, leaseId: word, attempt: 1, fencingToken: 7, ...times }
  const record = { version: 2, jobId, attempt: 1, podId, decidedAtMs: nowMs, seed: word, demand, journal, ...counts, route, chosen: node }
  const steps = ['quoted', 'held', 'decided', 'leased', 'first_token', 'done', 'receipt']
  return {
    start: {
      jobId,
      kind: 'chat',
      model: 'heurist/chat',
      podId,
      payer,
      frontend,
      keyId: 'key_bench',
      asset,
      maxPrice: 200n,
      createdAtMs: nowMs,
      ownerEpoch: 'e1',
    },
    state: 'succeeded',
    nodeId: node,
    attempts: 1,
    price: 100n,
    credits: 10_000_000n,
    inputUnits: 120,
    outputUnits: 64,
    errorCode: null,
    errorMessage: null,
    finishedAtMs: nowMs,
    timeline: steps.map(step => ({ step, atMs: nowMs, detail: { node } })),
    decisions: [{ record, recordHash: word, routerSignature: signature, router: node }],
    receipt: {
      signed: { receipt, nodeSignature: signature, routerSignature: signature, router: node },
      digest: hex(32),
      split: [
        { role: 'node', account: node, amount: 80n },
        { role: 'deployer', account: deployer, amount: 20n },
      ],
    },
    discard: null,
    ledger: [ledgerEvent(jobId, nowMs)],
  } as JobOutcome // cast: literals of the right shape, built by hand
}

const directory = values.directory ?? mkdtempSync(join(tmpdir(), 'heurist-bench-'))
const watchdog = startWatchdog()
const server = await startEmbeddedPostgres({ directory: join(directory, 'postgres') }, { logger: silentLogger, watchdog })
const database = await createDatabase({ connectionString: server.connectionString }, { logger: silentLogger, clock: systemClock })
try {
  const far = (amount: bigint, of: Address | undefined) => [
    { account: 'vault', asset: of as Address, amount: -amount },
    { account: `allowance:${payer}:gateway-0`, asset: of as Address, amount },
  ]
  await database.ledger.append([
    { businessId: 'bench', kind: 'deposit', atMs: 0, postings: [...far(10n ** 12n, asset), ...far(10n ** 17n, unit)] },
  ])
  console.log(JSON.stringify(await measure()))
} finally {
  await database.stop()
  await server.stop()
  await watchdog.stop()
  if (!values.directory) rmSync(directory, { recursive: true, force: true })
}

/** CPU time of the server and its backends in µs, or null where there is no /proc. Clock ticks are 10 ms. */
function serverCpuMicros(): number | null {
  if (process.platform !== 'linux') return null
  let ticks = 0
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
      if (Number(pid) === server.pid || Number(fields[1]) === server.pid) ticks += Number(fields[11]) + Number(fields[12])
    } catch {
      // The process ended meanwhile.
    }
  }
  return ticks * 10_000
}

async function measure(): Promise<Record<string, unknown>> {
  const latencies: number[] = []
  let counting = false
  const untilMs = performance.now() + 1_500 + seconds * 1_000
  const caller = async (): Promise<void> => {
    while (performance.now() < untilMs) {
      const startedMs = performance.now()
      await database.jobs.finish(outcome())
      if (counting) latencies.push(performance.now() - startedMs)
    }
  }
  const running = Promise.all(Array.from({ length: callers }, caller))
  // The first second warms the compiler and the caches.
  await new Promise(resolve => setTimeout(resolve, 1_500))
  counting = true
  const serverCpu = serverCpuMicros()
  const [cpu, startedMs] = [process.cpuUsage(), performance.now()]
  await running
  const elapsed = (performance.now() - startedMs) / 1_000
  const used = process.cpuUsage(cpu)
  const serverUsed = serverCpu === null ? null : (serverCpuMicros() ?? 0) - serverCpu
  latencies.sort((a, b) => a - b)
  const at = (share: number): number => Number((latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(2))
  return {
    bench: 'durable-receipts',
    callers,
    fsync: true,
    outcomesPerSecond: Math.round(latencies.length / elapsed),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    clientCpuMicrosPerOutcome: Math.round((used.user + used.system) / Math.max(1, latencies.length)),
    serverCpuMicrosPerOutcome: serverUsed === null ? null : Math.round(serverUsed / Math.max(1, latencies.length)),
  }
}
