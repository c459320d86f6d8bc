/** docs/reference/capacity-plan.md. */
import { DESIGN_TARGET, type FleetRow } from './fleet.ts'

export type LoadRows = { readonly load: number; readonly jobsPerSecond: number; readonly rows: readonly FleetRow[] }

const percent = (share: number): string => `${(share * 100).toFixed(share > 0 && share < 0.01 ? 2 : 1)} %`

function table(findings: readonly LoadRows[]): string {
  const head =
    '| slots busy | jobs/s | rule | jobs that met a full router while another had room | mean queue | worst queue |\n|---|---|---|---|---|---|'
  const lines = findings.flatMap(({ load, jobsPerSecond, rows }) =>
    rows.map(
      ({ rule, misplaced, meanQueue, worstQueue }) =>
        `| ${percent(load)} | ${jobsPerSecond} | ${rule} | ${percent(misplaced)} | ${meanQueue.toFixed(2)} | ${worstQueue} |`,
    ),
  )
  return [head, ...lines].join('\n')
}

export function fleetPage(findings: readonly LoadRows[]): string {
  const { gateways, routers, nodes, jobMs, beaconMs } = DESIGN_TARGET
  return `# Capacity plan: ${nodes.toLocaleString('en')} nodes, 10,000 jobs a second

On paper, from what one machine measures (\`benchmarks.md\`, \`npm run bench\`), and simulated where it can not run here (\`npm run simulate -- fleet --write\` writes
this page). Nothing of this size has been run.

## Choosing a router

${gateways} gateways, ${routers} routers with ${(nodes / routers).toLocaleString('en')} nodes each, jobs of ${jobMs / 1000} s on average, news of routers ${beaconMs} ms old. "two choices" is the product's own
function (\`application/gateway/routers/choose.ts\`); "freest" always takes the router that looks freest, "random" any.

${table(findings)}

The freest router of the last news is everybody's: all gateways run to it at once. Two choices need no agreement and stay near the best.

## What each part carries

| part | load at the target | measured here | needed |
|---|---|---|---|
| gateway and router CPU | 10,000 jobs/s | 0.5 to 0.7 ms of one core per unary job, both in one process; 5 µs per streamed token | 7 cores for jobs, and 5 for 100 streamed tokens each; ${gateways} gateways and ${routers} routers of one core leave seven times that |
| node links | ${(nodes / routers).toLocaleString('en')} per router, a heartbeat each 5 s | 2,000 open streams: 2 ms to the first byte, 400 MB for the whole process | ${routers} routers; 400 heartbeats/s each |
| routing decision | ${(10_000 / routers).toLocaleString('en')}/s per router | 2 µs at 1,000 nodes, 4 µs at 100,000 | under a thousandth of a core |
| beacons | ${routers} routers, two a second, 40 pods a message | 7,500 bytes a message | PostgreSQL carries some hundred notifications a second; from 20 routers or 400 busy pods on, NATS |
| database | 10,000 ends of jobs/s, 4 to 5 KB of log each | 110 to 150 µs of server CPU per job; 5,000/s on two cores shared with the client | two cores, 50 MB/s of log, a disk that syncs in 1 ms. One primary is the limit of this design; above it, ledgers are parted by account |
| history | 864 M jobs a day | 5 KB each | 4 TB a day: jobs, decisions and journal must be parted by day and moved to cold storage after the challenge window. Not built |
| chain | 10,000 jobs/s in batches of 100,000 | 36 gas a job at 100 accounts and 500 nodes in a batch; a batch that touches more nodes costs about 5,000 gas for each | one batch every 10 s, 3.6 M gas at 500 nodes; ${nodes.toLocaleString('en')} paid nodes would need 500 M: such batches are posted by the hour, or payouts proved against a root. Not built |

So: gateways and routers scale by adding more; the first walls are the one database primary (about 10,000 jobs/s), its growth, and the number of distinct payees per batch.
`
}
