/** `npm run simulate -- [--json] [--write]`: the ten years and the adversaries. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { collateralRows, sensitivityRows, washRows } from './adversaries.ts'
import { charts, economicsPage, type Findings, type Years } from './report.ts'
import { playModel, SCENARIOS } from './ten-years.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, write: { type: 'boolean', default: false } } })
const tell = (what: string): void => console.error(`simulate: ${what}`)
const plain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value)

function playYears(): Years[] {
  return SCENARIOS.map(scenario => {
    tell(`ten years, ${scenario.name}: model`)
    return { scenario, records: playModel(scenario) }
  })
}

const findings: Findings = {
  years: playYears(),
  proof: 'The ten years were played on the model.',
  wash: washRows(tell),
  moves: sensitivityRows(tell),
  collateral: collateralRows(),
}
const page = economicsPage(findings)
if (values.write) {
  for (const [path, content] of new Map([...charts(findings.years), ['docs/reference/economics.md', page]])) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true })
    writeFileSync(join(ROOT, path), content)
    tell(`wrote ${path}`)
  }
}
process.stdout.write(values.json ? `${JSON.stringify(findings, plain, 2)}\n` : page)
if (process.connected) process.disconnect()
