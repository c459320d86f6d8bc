// `npm run chaos [-- --kills 1000] [--seed 7]`: kill -9 of random roles of a real cluster under load, then outages and clock jumps.
// `npm test` does the same with 30 kills; a night's run has 1,000.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { environment, installDependencies, nodeBinary, root } from './setup.mjs'

const { values } = parseArgs({ options: { kills: { type: 'string', default: '1000' }, seed: { type: 'string' } } })
for (const [name, value] of Object.entries(values)) {
  if (/^\d+$/.test(value)) continue
  console.error(`--${name} takes a whole number, not "${value}".`)
  process.exit(2)
}
installDependencies()
const seed = values.seed ?? String(Date.now() % 1_000_000)
const settings = { HEURIST_CHAOS_KILLS: values.kills, HEURIST_CHAOS_SEED: seed }
const args = [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', 'test/e2e/chaos.test.ts']
process.exit(spawnSync(nodeBinary, args, { cwd: root, env: environment(settings), stdio: 'inherit' }).status ?? 1)
