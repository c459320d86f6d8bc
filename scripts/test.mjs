// `npm test`: every suite (Solidity, TypeScript, browser), two canaries that must fail, one closing line.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildConsole, environment, installDependencies, nodeBinary, root } from './setup.mjs'

const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
const scratch = mkdtempSync(join(tmpdir(), 'heurist-test-'))
const totals = { passed: 0, failed: 0 }

/** Skipped tests need something that this machine lacks; their names say what. */
function count(suite, passed, failed, skipped = 0) {
  totals.passed += passed
  totals.failed += failed
  console.log(`${suite}: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`)
}

function node(args, options = {}) {
  return spawnSync(nodeBinary, args, { cwd: root, env: environment(options.env), encoding: 'utf8', stdio: options.stdio ?? 'inherit' })
}

/** A suite whose last line is "<name>: N passed, N failed"; a crash or a missing line counts as one failure. */
function lineSuite(suite, args) {
  const result = node(args, { stdio: ['ignore', 'pipe', 'inherit'] })
  process.stdout.write(result.stdout ?? '')
  const match = /(\d+) passed, (\d+) failed\s*$/.exec((result.stdout ?? '').trimEnd())
  if (!match || (result.status !== 0 && match[2] === '0')) return count(suite, match ? Number(match[1]) : 0, 1)
  count(suite, Number(match[1]), Number(match[2]))
}

/** A suite that needs what is not installed says so in its title. */
function skipReasons(testResults) {
  const titles = testResults.flatMap(file => file.assertionResults).flatMap(({ ancestorTitles }) => ancestorTitles)
  return new Set(titles.flatMap(title => /\(skipped: (.*)\)$/.exec(title)?.[1] ?? []))
}

/** Runs vitest and reads its own JSON report; a run that dies without one counts as one failure. */
function vitestSuite(suite, args) {
  const report = join(scratch, `${suite}.json`)
  const result = node([vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...args])
  try {
    const { numPassedTests, numFailedTests, numFailedTestSuites, numPendingTests, testResults } = JSON.parse(readFileSync(report, 'utf8'))
    for (const reason of skipReasons(testResults)) console.log(`Skipped: ${reason}`)
    // A file that can not even be loaded has no failed test, but a failed suite.
    const failed = numFailedTests || numFailedTestSuites
    count(suite, numPassedTests, result.status === 0 ? failed : Math.max(1, failed), numPendingTests)
  } catch {
    count(suite, 0, 1)
  }
}

/** A run that must be red: proves that this runner can tell. */
function canary(name, args) {
  const result = node(args, { stdio: 'pipe', env: { HEURIST_CANARY: '1' } })
  // Red because its test ran and failed, not because the run itself broke.
  const red = result.status !== 0 && /1 failed/.test(`${result.stdout}${result.stderr}`)
  if (!red) console.error(`The ${name} canary passed although its test must fail: a green run would prove nothing.`)
  count(`canary ${name}`, red ? 1 : 0, red ? 0 : 1)
}

installDependencies()
buildConsole()
const only = process.argv[2]
const suites = {
  contracts: () => lineSuite('contracts', ['scripts/contracts.mjs', 'test']),
  generated: () => lineSuite('generated', ['scripts/gen.mjs', '--check']),
  check: () => lineSuite('check', ['scripts/check.mjs', '--static']),
  typescript: () => vitestSuite('typescript', []),
  // Every seed is a story of its own; `npm run simulate -- laws --seed N` tells one that failed.
  simulation: () => lineSuite('simulation', ['test/simulation/run-laws.ts', '--seeds', '2000']),
  canaries: () => {
    canary('typescript', [vitest, 'run', '--config', 'test/canary/vitest.config.ts'])
    canary('contracts', ['scripts/contracts.mjs', 'canary'])
  },
}
for (const [name, suite] of Object.entries(suites)) if (!only || only === name) suite()
rmSync(scratch, { recursive: true, force: true })
console.log(`${totals.passed} passed, ${totals.failed} failed`)
process.exit(totals.failed === 0 && totals.passed > 0 ? 0 : 1)
