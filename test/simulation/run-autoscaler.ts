/** `npm run simulate -- autoscaler [--json] [--write]`: a day of the autoscaler's rule beside others. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { scalePage, scaleRows } from './autoscale.ts'

const PODS = 100
const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, write: { type: 'boolean', default: false } } })
const findings = scaleRows(PODS)
const page = scalePage(findings, PODS)
if (values.write) writeFileSync(join(import.meta.dirname, '..', '..', 'docs/reference/autoscaler.md'), page)
process.stdout.write(values.json ? `${JSON.stringify(findings, null, 2)}\n` : page)
if (process.connected) process.disconnect()
