/** `npm run simulate -- fleet [--json] [--write]`: the design target of gateways, routers and nodes, and what it needs. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { DESIGN_TARGET, playFleet, RULES } from './fleet.ts'
import { fleetPage, type LoadRows } from './fleet-page.ts'

/** Shares of all slots that are busy. */
const LOADS = [0.8, 0.92, 0.97]
const capacityPerSecond = (DESIGN_TARGET.nodes * DESIGN_TARGET.slotsPerNode * 1000) / DESIGN_TARGET.jobMs

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, write: { type: 'boolean', default: false } } })
const findings: LoadRows[] = LOADS.map(load => {
  const jobsPerSecond = Math.round(capacityPerSecond * load)
  return { load, jobsPerSecond, rows: RULES.map(rule => playFleet(rule, { ...DESIGN_TARGET, jobsPerSecond })) }
})
const page = fleetPage(findings)
if (values.write) writeFileSync(join(import.meta.dirname, '..', '..', 'docs/reference/capacity-plan.md'), page)
process.stdout.write(values.json ? `${JSON.stringify(findings, null, 2)}\n` : page)
if (process.connected) process.disconnect()
