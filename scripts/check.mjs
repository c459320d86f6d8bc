// `npm run check`: format and lint, types, unused code; without --static also the fast tests.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { environment, nodeBinary, root } from './setup.mjs'

const tool = path => join(root, 'node_modules', path)
const steps = [
  ['format and lint', [tool('@biomejs/biome/bin/biome'), 'check', '--error-on-warnings', '.']],
  ['types', [tool('typescript/bin/tsc'), '--noEmit', '-p', 'tsconfig.json']],
  ['console types', [tool('typescript/bin/tsc'), '--noEmit', '-p', 'console/tsconfig.json']],
  ['unused code', [tool('knip/bin/knip.js'), '--no-progress']],
]
if (!process.argv.includes('--static')) {
  steps.push([
    'architecture and unit tests',
    [tool('vitest/vitest.mjs'), 'run', 'src', 'test/architecture.test.ts', 'test/public-api.test.ts'],
  ])
}

let failed = 0
for (const [name, args] of steps) {
  const result = spawnSync(nodeBinary, args, { cwd: root, env: environment(), encoding: 'utf8' })
  const ok = result.status === 0
  if (!ok) failed += 1
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name}`)
  if (!ok) process.stdout.write(`${result.stdout}${result.stderr}`)
}
console.log(`check: ${steps.length - failed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
