/** docs/reference/economics.md and its charts. */
import { collateralFloorUp, EPOCHS_PER_YEAR, type Scenario } from '#economics'
import { formatUnits, WAD } from '#protocol'
import type { CollateralRow, WashRow } from './adversaries.ts'
import { hitAndRunText, shareText } from './adversaries.ts'
import { type Chart, lineChart } from './chart.ts'
import { PROPOSED_SETTING } from './collateral.ts'
import type { EpochRecord } from './ten-years.ts'
import { DESIGNED, type Sensitivity, WIDENED } from './wash-trade.ts'

export type Years = { readonly scenario: Scenario; readonly records: readonly EpochRecord[] }
export type Findings = {
  readonly years: readonly Years[]
  /** How the years were played: on the model alone, or on both and found equal. */
  readonly proof: string
  readonly wash: readonly WashRow[]
  readonly moves: readonly Sensitivity[]
  readonly collateral: readonly CollateralRow[]
}

const COLOURS = ['#1f77b4', '#2ca02c', '#d62728']
const SUPPLY_HEU = 1_000_000_000
const heu = (wei: bigint): number => Number(wei / 10n ** 12n) / 1e6
const colour = (index: number): string => COLOURS[index] ?? '#333'
const span = { from: 'epoch 0', to: 'epoch 519 (ten years)' }

/** Percent of the supply a year. */
const emissionPercent = ({ base, dynamic }: EpochRecord): number => (heu(base + dynamic) * EPOCHS_PER_YEAR * 100) / SUPPLY_HEU

export function charts(years: readonly Years[]): ReadonlyMap<string, string> {
  const draw = (chart: Omit<Chart, 'from' | 'to'>): string => lineChart({ ...chart, ...span })
  const figure9 = years.flatMap(({ scenario, records }, index) => [
    { name: `emission, ${scenario.name}`, points: records.map(emissionPercent), colour: colour(index) },
    {
      name: `revenue, ${scenario.name}`,
      points: records.map(({ revenueRateWad }) => (Number(revenueRateWad) * 100) / Number(WAD)),
      colour: colour(index),
      isDashed: true,
    },
  ])
  const byScenario = (pointOf: (record: EpochRecord) => number) =>
    years.map(({ scenario, records }, index) => ({ name: scenario.name, points: records.map(pointOf), colour: colour(index) }))
  return new Map([
    [
      'docs/images/emission-and-revenue.svg',
      draw({ title: 'Annualised emission and revenue, percent of the supply (wp figure 9)', unit: ' %', series: figure9 }),
    ],
    [
      'docs/images/reservoir.svg',
      draw({
        title: 'Put into the reservoir, million HEU',
        unit: '',
        series: byScenario(({ reservoirTotal }) => heu(reservoirTotal) / 1e6),
      }),
    ],
    [
      'docs/images/stheu-rate.svg',
      draw({
        title: 'HEU for one stHEU, 200 M HEU staked, buybacks alone',
        unit: '',
        series: byScenario(({ stakeRateWad }) => heu(stakeRateWad)),
      }),
    ],
  ])
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n')

const yearEnds = ({ scenario, records }: Years): string[][] =>
  [1, 3, 5, 10].map(year => {
    const record = records[year * EPOCHS_PER_YEAR - 1]
    if (!record) return [scenario.name, String(year), '-', '-', '-', '-']
    const revenue = `${((Number(record.revenueRateWad) * 100) / Number(WAD)).toFixed(2)} %`
    const emission = `${emissionPercent(record).toFixed(2)} %`
    const reservoir = `${(heu(record.reservoirTotal) / 1e6).toFixed(1)} M`
    return [scenario.name, String(year), revenue, emission, reservoir, heu(record.stakeRateWad).toFixed(4)]
  })

function washSection({ wash, moves }: Findings): string {
  const { split } = WIDENED
  return `## Paying oneself

A wash trader pays for jobs, is deployer, frontend and voter of its own pod, and hopes that emission is worth more than what
leaks. Each strategy is played for a year on the real arithmetic with and without the attack, over small and large volumes in dead
and busy markets; a search finds the smallest share of capacity at which any of them pays. Nothing is charged for electricity and
other nodes have no votes at all, so the truth is on the attacker's worse side.

${table(
  ['strategy', 'how', 'pays from, as run', 'by DESIGN §6.3', 'widened'],
  wash.map(({ strategy, how, designed, byDefault, widened }) => [strategy, how, byDefault, designed, widened]),
)}

**As run**, no strategy pays at any share of capacity: every job counts by what the protocol got of it, open or not, its units divided by
the highest multiplier and never more than its payment buys (ADR 0015).

**By DESIGN §6.3**, where open jobs count whole, open routing alone breaks even at 65 %, but:

* Votes. A node at 2.5 beside nodes at 1.0 gets 2.5 times the dynamic reward for the same unit. Open washing then pays from 57.6 %,
  and a pinned job, whose units count by the ${DESIGNED.split.protocol / 100} % that the protocol got, pays at any size: 0.5 × 2.5 × 5 % = 6.25 % comes back for 5 %.
* "At least three owners among the eligible" stops nobody. Three names cost three collaterals, and a pod whose only warm nodes are one's
  own is routed there although strangers are eligible: warm comes first (wp §2.2.2). 95 % comes back, and up to 50 % on top.
* Compute units are time × memory. A node that takes eight times as long claims eight times the units.

**Widened**: what it takes to let open jobs count whole again without the holes above: protocol ${split.protocol / 100} %, deployer ${split.deployer / 100} %, frontend ${split.frontend / 100} %, voters ${split.voters / 100} %,
node ${(10_000 - split.protocol - split.deployer - split.frontend - split.voters) / 100} %; closed jobs earn dynamic rewards for the protocol's share divided by the highest
multiplier, 2.5; a job's units are capped by what its payment buys at the network's price; a job is open only when at least
${Number(WIDENED.openCapacityBps) / 100} % of the network's capacity took part in the draw. Then no strategy pays below 60 % of open capacity.

How the widened break-even moves:

${table(
  ['change', 'open', 'open with votes', 'captured pod with votes, of the network'],
  moves.map(({ what, open, withVotes, captured }) => [what, shareText(open), shareText(withVotes), shareText(captured)]),
)}

What this does not show: whether open jobs land by capacity. Ranking is lexicographic, so an idle network sends every job to its
best node; shares approach capacity only under load. And a cluster registered as one node needs 5 % of the votes for 2.5 times all of it.
`
}

function collateralSection({ collateral }: Findings): string {
  const floor = formatUnits(collateralFloorUp(PROPOSED_SETTING.parameters, 0n), 18)
  return `## Cheating with collateral

What a node at exactly the floor of the corrected Appendix A is expected to earn by cheating, in HEU: a task pays 0.001 HEU, the floor is
${floor} HEU. "Without": a floor for 3 audits, validators
that do not follow up a failed audit, a benchmark in every second epoch, and collateral that costs nothing to hold.

${table(
  ['strategy', 'how', 'gain (HEU)', 'gain without (HEU)'],
  collateral.map(({ strategy, how, proposedHeu, withoutHeu }) => [strategy, how, proposedHeu.toFixed(4), withoutHeu.toFixed(4)]),
)}

* The floor must assume 5 audits, not 3: a node can bank honest evidence first.
* \`latencyTasks\` counts the cheat's tasks: the lag times its top rate, which is \`speedup\` times an honest one's.
* No test that needs several failed audits convicts a node that cheats less often than that (best: ${hitAndRunText()} for nothing lost). After
  a first failed audit everything the node did in the window has to be audited; what is left is less than what its collateral costs to hold.
* Base rewards do not shrink with the network: 240,385 HEU an epoch, among ten nodes 24,038 each. No floor of job prices outweighs that, so a node's
  availability must be zero in an epoch in which it has not passed an unannounced benchmark.
`
}

export function economicsPage(findings: Findings): string {
  return `# Economics, simulated

Written by \`npm run simulate -- --write\`; do not edit. ${findings.proof}

## Ten years

![Emission and revenue](../images/emission-and-revenue.svg)
![Reservoir](../images/reservoir.svg)
![stHEU rate](../images/stheu-rate.svg)

E = min(5 %, 1.25 % + 0.5 R), 520 weekly epochs, R from the last 13 of them; what nodes do not get goes to the reservoir, and the 500 M HEU end
exactly after ten years. The three scenarios are ours: the paper's figure has no numbers.

${table(['scenario', 'year', 'revenue a year', 'emission a year', 'reservoir, HEU', 'stHEU rate'], findings.years.flatMap(yearEnds))}

${washSection(findings)}
${collateralSection(findings)}`
}
