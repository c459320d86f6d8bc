// `npm run contracts [build|test|gas|check|lint|format|canary|deep|prove]`: the Solidity side, through forge's own binary.
//   (none)  lint, then test
//   build   compiles and prints contract sizes
//   test    check, all tests, the trees beside them, and the gas snapshots; ends with "contracts: N passed, N failed"
//   gas     writes the gas snapshots (contracts/snapshots/gas)
//   check   formatting and size limit
//   lint    forge's linter and every compiler warning; compiles for itself
//   format  formats
//   canary  the test that must fail
//   prove   the properties in contracts/test/smt by solver, in one to three minutes; writes docs/reference/proofs.md
//   deep    the tests with ten times the fuzz runs and many more invariant calls
// ABI, bytecode and storage layout are the business of `npm run gen -- --check`.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot, runForge } from './forge.mjs'
import { CANARY, proofsPage, propertyFiles, prove } from './smt.mjs'

const tests = join(repositoryRoot, 'contracts', 'test')
const gasFolder = join(repositoryRoot, 'contracts', 'snapshots', 'gas')
const proofs = join(repositoryRoot, 'docs', 'reference', 'proofs.md')
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

/** Runs a profile's tests and counts each. Returns the names that ran, by file, and forge's own results. */
async function runTests(label, environment = {}) {
  const startedAt = performance.now()
  const run = await runForge(['test', '--json'], { environment })
  const { suites, error } = parseReport(run)
  const names = new Map()
  if (error !== undefined) {
    fail(`${label}: forge test`, error)
    return { names, suites: {} }
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
  return { names, suites }
}

function filesUnder(folder, suffix) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith(suffix))
    .map(path => join(folder, path))
    .sort()
}

/** A tree and its test file tell the same story: each leaf names a test that ran, each test is a leaf. */
function checkTrees(names) {
  // Nothing ran: that failure is counted already.
  if (names.size === 0) return
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

/** Runs the gas tests; returns snapshot file -> its content. */
async function measureGas() {
  const { suites } = await runTests('gas', { FOUNDRY_PROFILE: 'gas' })
  const groups = {}
  for (const { test_results: results } of Object.values(suites)) {
    for (const { gas_snapshots: snapshots } of Object.values(results)) {
      for (const [group, values] of Object.entries(snapshots)) {
        groups[group] = { ...groups[group], ...values }
      }
    }
  }
  const sorted = values =>
    Object.fromEntries(
      Object.entries(values)
        .map(([name, gas]) => [name, Number(gas)])
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    )
  return new Map(Object.entries(groups).map(([group, values]) => [`${group}.json`, sorted(values)]))
}

/** forge's own comparison says nothing in its JSON mode, so the figures are compared here. */
function compareGas(measured) {
  const differences = []
  for (const [file, values] of measured) {
    const path = join(gasFolder, file)
    const committed = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {}
    for (const name of new Set([...Object.keys(committed), ...Object.keys(values)])) {
      if (committed[name] !== values[name]) differences.push(`${file} ${name}: ${committed[name] ?? 'none'} -> ${values[name] ?? 'none'}`)
    }
  }
  if (differences.length === 0 && measured.size > 0) pass()
  else fail('gas differs from contracts/snapshots/gas; when that is meant, run `npm run contracts gas`', differences.join('\n'))
}

const commands = {
  async build() {
    const { stdout } = await step('forge build', ['build', 'contracts/src', '--sizes'])
    console.log(stdout)
  },
  async format() {
    await step('forge fmt', ['fmt', 'contracts'])
  },
  async check() {
    await step('forge fmt: run `npm run contracts format`', ['fmt', '--check', 'contracts'])
    await step('forge build --sizes: it does not compile, or a contract is over the size limit', ['build', 'contracts/src', '--sizes'])
  },
  async lint() {
    // Its own folders keep it from replacing the artifacts that tests deploy.
    const folders = { FOUNDRY_OUT: join('contracts', 'cache', 'lint-out'), FOUNDRY_CACHE_PATH: join('contracts', 'cache', 'lint') }
    await step('forge lint', ['lint', '--deny', 'warnings'], folders)
  },
  async test() {
    await commands.check()
    const { names } = await runTests('unit, vectors, invariants')
    checkTrees(names)
    compareGas(await measureGas())
  },
  async gas() {
    for (const [file, values] of await measureGas()) writeFileSync(join(gasFolder, file), `${JSON.stringify(values, null, 2)}\n`)
  },
  async prove() {
    const results = await prove(propertyFiles())
    for (const { file, properties, sidesOpen } of results) {
      for (const { name, proved } of properties) proved ? pass() : fail(`${file} ${name} is not proved`)
      if (sidesOpen.length > 0) fail(`${file}: not proved on the way`, sidesOpen.join('\n'))
    }
    const [canary] = await prove([CANARY])
    if (canary.properties.length === 1 && !canary.properties[0].proved) pass()
    else fail(`${CANARY} is false and was not refused: no proof here counts`)
    if (totals.failed === 0) writeFileSync(proofs, proofsPage(results))
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
for (const command of wanted ? [wanted] : ['lint', 'test']) await commands[command]()
console.log(`contracts: ${totals.passed} passed, ${totals.failed} failed`)
process.exitCode = totals.failed === 0 && totals.passed > 0 ? 0 : 1
