// `npm run contracts [build|test|gas|check|canary|deep]`: everything about the Solidity side, through forge's own binary.
//   (none)  check, then test
//   build   compiles and prints contract sizes
//   test    all tests, the trees beside them, and the gas snapshots; ends with "contracts: N passed, N failed"
//   gas     writes the gas snapshots (contracts/snapshots/gas)
//   check   formatting, lint, size limit
//   canary  the test that must fail
//   deep    the tests with ten times the fuzz runs and many more invariant calls
// ABI, bytecode and storage layout are the business of `npm run gen -- --check`.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot, runForge } from './forge.mjs'

const tests = join(repositoryRoot, 'contracts', 'test')
const totals = { passed: 0, failed: 0 }

function pass(count = 1) {
  totals.passed += count
}

function fail(what, detail = '') {
  totals.failed += 1
  console.error(`FAIL ${what}${detail ? `\n${detail.trim().replace(/^/gm, '    ')}` : ''}`)
}

/** One forge command that must succeed. */
async function step(name, parameters, environment = {}) {
  const result = await runForge(parameters, { environment })
  if (result.code === 0) pass()
  else fail(name, result.stdout + result.stderr)
  return result
}

/** forge's JSON is the last line of its output; there is none when the build fails. */
function parseReport({ stdout, stderr }) {
  const line = stdout.trimEnd().split('\n').at(-1) ?? ''
  if (!line.startsWith('{')) return { error: stdout + stderr }
  return { suites: JSON.parse(line) }
}

function describeFailure(test, result) {
  const counterexample = result.counterexample ? `\ncounterexample: ${JSON.stringify(result.counterexample)}` : ''
  return [test, `${result.reason ?? 'no reason given'}${counterexample}`]
}

/** Runs a profile's tests, counts each, and returns the names of those that ran. */
async function runTests(label, environment = {}) {
  const startedAt = performance.now()
  const run = await runForge(['test', '--json'], { environment })
  const { suites, error } = parseReport(run)
  const names = new Map()
  if (error !== undefined) {
    fail(`${label}: forge test`, error)
    return names
  }
  const failedBefore = totals.failed
  for (const [suite, { test_results: results }] of Object.entries(suites)) {
    const file = suite.slice(0, suite.lastIndexOf(':'))
    for (const [signature, result] of Object.entries(results)) {
      const name = signature.replace(/\(.*$/, '')
      names.set(file, [...(names.get(file) ?? []), name])
      if (result.status === 'Success') pass()
      else fail(...describeFailure(`${file} ${name}`, result))
    }
  }
  const ran = [...names.values()].flat().length
  if (ran === 0) fail(`${label}: no test ran`)
  if (run.code !== 0 && totals.failed === failedBefore) fail(`${label}: forge exited with ${run.code}`, run.stderr)
  console.log(`${label}: ${ran} tests in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
  return names
}

function filesUnder(folder, suffix) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith(suffix))
    .map(path => join(folder, path))
    .sort()
}

/** A tree and its test file tell the same story: each leaf names a test that ran, each test is a leaf. */
function checkTrees(names) {
  for (const [file, ran] of names) {
    if (!/contracts\/test\/(unit|vectors)\//.test(file)) continue
    const tree = join(repositoryRoot, file.replace(/\.t\.sol$/, '.tree'))
    let text
    try {
      text = readFileSync(tree, 'utf8')
    } catch {
      fail(`${file} has no behaviour tree beside it (${tree})`)
      continue
    }
    const leaves = [...text.matchAll(/\[(test\w+)\]/g)].map(match => match[1])
    const missing = ran.filter(name => !leaves.includes(name))
    const invented = leaves.filter(name => !ran.includes(name))
    if (missing.length + invented.length === 0) pass()
    else fail(`${tree} and its tests differ`, `not in the tree: ${missing.join(' ')}\nno such test: ${invented.join(' ')}`)
  }
  const tested = [...names.keys()].map(file => join(repositoryRoot, file.replace(/\.t\.sol$/, '.tree')))
  for (const tree of filesUnder(tests, '.tree')) if (!tested.includes(tree)) fail(`${tree} has no tests beside it`)
}

const commands = {
  async build() {
    await step('forge build', ['build', 'contracts/src', '--sizes'])
  },
  async check() {
    await step('forge fmt (run `forge fmt` through scripts/forge.mjs)', ['fmt', '--check', 'contracts'])
    // Lint compiles for itself; its own folders keep it from replacing the artifacts that tests deploy.
    const folders = { FOUNDRY_OUT: join('contracts', 'cache', 'lint-out'), FOUNDRY_CACHE_PATH: join('contracts', 'cache', 'lint') }
    await step('forge lint', ['lint', '--deny', 'warnings'], folders)
    await step('forge build --sizes: a contract is over the size limit', ['build', 'contracts/src', '--sizes'])
  },
  async test() {
    const names = await runTests('unit, vectors, invariants')
    checkTrees(names)
    await runTests('gas, against the snapshots', { FOUNDRY_PROFILE: 'gas', FORGE_SNAPSHOT_CHECK: 'true' })
  },
  async gas() {
    await runTests('gas, writing the snapshots', { FOUNDRY_PROFILE: 'gas', FORGE_SNAPSHOT_CHECK: 'false' })
  },
  async canary() {
    await runTests('canary', { FOUNDRY_PROFILE: 'canary' })
  },
  async deep() {
    await runTests('deep', { FOUNDRY_PROFILE: 'deep' })
  },
}

const wanted = process.argv[2]
if (wanted !== undefined && !(wanted in commands)) {
  console.error(`Unknown command ${wanted}. Known: ${Object.keys(commands).join(', ')}.`)
  process.exit(2)
}
for (const command of wanted ? [wanted] : ['check', 'test']) await commands[command]()
console.log(`contracts: ${totals.passed} passed, ${totals.failed} failed`)
process.exitCode = totals.failed === 0 && totals.passed > 0 ? 0 : 1
