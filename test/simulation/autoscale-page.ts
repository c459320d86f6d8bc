import { LOAD_MS, type Scaled, SLOTS } from './autoscale.ts'

const HEAD = '| rule | jobs that found no warm replica | wait p50 | wait p99 | replica hours |\n| --- | --- | --- | --- | --- |'

function table({ rows }: Scaled): string {
  const lines = rows.map(
    ({ rule, coldPercent, p50Ms, p99Ms, hours }) =>
      `| ${rule} | ${coldPercent.toFixed(2)} % | ${p50Ms} ms | ${p99Ms} ms | ${hours.toFixed(hours < 100 ? 1 : 0)} |`,
  )
  return [HEAD, ...lines].join('\n')
}

const jobsOf = ({ jobs }: Scaled): string => jobs.toLocaleString('en-US')

/** The page of the reference: both demands, and what the figures are worth. */
export function scalePage(day: Scaled, hour: Scaled, pods: number): string {
  return `# Autoscaler, simulated

Written by \`npm run simulate -- autoscaler --write\`; do not edit. It is a simulation of the rule (\`orchestration/autoscaler/decide.ts\`), not a measurement of
the network. A replica serves ${SLOTS} jobs at once and loads for ${LOAD_MS / 1000} s.

## A real hour of language models

${jobsOf(hour)} requests to two services on Azure, 16 November 2023 (Patel et al., "Splitwise", ISCA 2024; CC-BY-4.0,
\`test/simulation/traces\`). The trace has the tokens; the time they take is ours: 0.2 ms a prompt token, 30 ms an answer token. Both pods start from zero.

${table(hour)}

## A generated day

A day of ${pods} pods, ${jobsOf(day)} jobs, generated from the published statistics of the Azure Functions trace of July 2019 (Shahrad et al., "Serverless in the
Wild", USENIX ATC 2020): 45 % of the applications are called at most once an hour, 81 % at most once a minute, execution times are log-normal.

${table(day)}

## How to read them

"Knative's defaults": windows of 60 s and 6 s, 70 % of the slots as the target, 30 s of grace before zero. "Perfect forecast" knows each job: it
loads every replica just in time and keeps it through a gap that is shorter than a load, so that nobody waits for the fewest replica hours; a rule can hold
fewer only while its jobs wait. What our rule pays more than Knative's on the generated day are the five minutes for which it keeps a replica that might be
needed again; \`spec.scaling.scaleDownAfterMs\` sets them.
`
}
