/** `npm run simulate -- autoscaler [--json] [--write]`: the autoscaler's rule beside others, on a generated day and on a real hour. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { generatedDay, tracedHour } from './autoscale.ts'
import { scalePage } from './autoscale-page.ts'

const PODS = 100
const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, write: { type: 'boolean', default: false } } })
const findings = { day: generatedDay(PODS), hour: tracedHour() }
const page = scalePage(findings.day, findings.hour, PODS)
if (values.write) writeFileSync(join(import.meta.dirname, '..', '..', 'docs/reference/autoscaler.md'), page)
process.stdout.write(values.json ? `${JSON.stringify(findings, null, 2)}\n` : page)
if (process.connected) process.disconnect()
