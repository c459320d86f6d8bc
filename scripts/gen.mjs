// Everything generated, in one place. `npm run gen` writes; `npm run gen -- --check` writes nothing and fails on a difference.
// A generator returns Map<path in the repository, content>. To add one: a line in GENERATORS.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { repositoryRoot } from './forge.mjs'
import { generateContracts } from './gen-contracts.mjs'
import { generateMetrics } from './gen-metrics.mjs'
import { generatePodSchema } from './gen-pod-schema.mjs'
import { generateReadme } from './gen-readme.mjs'
import { generateVectors } from './gen-vectors.mjs'

/** @type {{ name: string, generate: () => Promise<Map<string, string>> }[]} */
const GENERATORS = [
  { name: 'contracts', generate: generateContracts },
  { name: 'vectors', generate: generateVectors },
  { name: 'coverage table', generate: generateReadme },
  { name: 'metrics', generate: generateMetrics },
  { name: 'pod schema', generate: generatePodSchema },
]

function differs(path, content) {
  const file = join(repositoryRoot, path)
  return !existsSync(file) || readFileSync(file, 'utf8') !== content
}

function write(path, content) {
  const file = join(repositoryRoot, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
}

const check = process.argv.includes('--check')
let stale = 0
let total = 0
for (const generator of GENERATORS) {
  const files = await generator.generate()
  const changed = [...files].filter(([path, content]) => differs(path, content))
  if (!check) for (const [path, content] of changed) write(path, content)
  stale += changed.length
  total += files.size
  console.log(`${generator.name}: ${files.size} files, ${changed.length} ${check ? 'stale' : 'written'}`)
  for (const [path] of changed) console.log(`  ${path}`)
}
if (check && stale > 0) {
  console.error('Generated files are not up to date. Run npm run gen and commit the result.')
  process.exitCode = 1
}
if (check) console.log(`generated: ${total - stale} passed, ${stale} failed`)
