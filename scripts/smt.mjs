// Proofs of the pure libraries by solc's SMTChecker, for `npm run contracts prove`. What is to be proved stands in contracts/test/smt:
// one function per property, which ends in an assertion. The compiler from npm has no solver inside and asks us: Z3 answers.
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { repositoryRoot } from './forge.mjs'

const solc = createRequire(import.meta.url)('solc')
const FOLDER = 'contracts/test/smt'
/** The checker can not read OpenZeppelin's assembly; this says what it computes. */
const MODELS = { '@openzeppelin/contracts/utils/math/Math.sol': `${FOLDER}/models/Math.sol` }
const TARGETS = ['assert', 'overflow', 'underflow', 'divByZero']
/** Far above what any proof here needs; reached in some seconds. */
const STEPS_PER_QUERY = 10_000_000
/** The checker's word for "proved" (`BMC: … check is safe!`). */
const PROVED_CODE = '2961'
/** It has checked, and found an example or gave up: violation of an assertion, under- or overflow, division by zero; "might" and "happens". */
const OPEN_CODES = new Set(['4661', '7812', '4144', '8312', '2661', '8065', '3046', '5272'])

/** Starts Z3 in a thread. `solve` waits for it, as solc's callback must; `stop` ends the thread. */
function startSolver() {
  const isAnswered = new Int32Array(new SharedArrayBuffer(4))
  const { port1, port2 } = new MessageChannel()
  const workerData = { port: port2, isAnswered, stepsPerQuery: STEPS_PER_QUERY }
  const worker = new Worker(new URL('./z3-worker.mjs', import.meta.url), { workerData, transferList: [port2] })
  return {
    solve(query) {
      Atomics.store(isAnswered, 0, 0)
      port1.postMessage(query)
      Atomics.wait(isAnswered, 0, 0)
      return { contents: receiveMessageOnPort(port1).message }
    },
    stop: () => worker.terminate(),
  }
}

const read = path => readFileSync(join(repositoryRoot, path), 'utf8')

function importOf(path) {
  try {
    return { contents: read(MODELS[path] ?? (path.startsWith('@') ? `node_modules/${path}` : path)) }
  } catch (error) {
    return { error: error.message }
  }
}

/** Runs the checker over one file of properties. @returns {{ errorCode: string, severity: string, message: string, sourceLocation?: { file: string, start: number } }[]} */
function checkFile(path, solve) {
  const contract = /^contract (\w+)/m.exec(read(path))[1]
  const modelChecker = {
    // Straight-line functions: bounded checking is complete.
    engine: 'bmc',
    solvers: ['smtlib2'],
    targets: TARGETS,
    contracts: { [path]: [contract] },
    showProvedSafe: true,
    showUnproved: true,
  }
  const input = { language: 'Solidity', sources: { [path]: { content: read(path) } }, settings: { modelChecker, outputSelection: {} } }
  return JSON.parse(solc.compile(JSON.stringify(input), { import: importOf, smtSolver: solve })).errors ?? []
}

/** The functions of a file of properties, with the sentence above each and the stretch of text that is theirs. */
function propertiesOf(path) {
  const found = [...read(path).matchAll(/((?: *\/\/\/.*\n)+) *function (\w+)/g)]
  return found.map(({ 1: comment, 2: name, index: start }, index) => ({
    name,
    start,
    end: found[index + 1]?.index ?? Number.POSITIVE_INFINITY,
    says: comment
      .replace(/ *\/\/\/ *@dev [\s\S]*/, '')
      .replace(/ *\/\/\/ ?(@notice )?/g, ' ')
      .replace(/\s+/g, ' ')
      .trim(),
  }))
}

/**
 * The properties of some files with what was decided. `sides`: the checker looks at every operation on the way too.
 * @param {string[]} files Paths in the folder of properties.
 * @returns {{ file: string, properties: { name: string, says: string, proved: boolean }[], sidesProved: number, sidesOpen: string[] }[]}
 */
export async function prove(files) {
  const solver = startSolver()
  try {
    return files.map(file => proveFile(file, solver.solve))
  } finally {
    await solver.stop()
  }
}

/** Every file of properties but the canary. */
export function propertyFiles() {
  return readdirSync(join(repositoryRoot, FOLDER))
    .filter(name => name.endsWith('.sol'))
    .sort()
}

/** False on purpose: it must not be proved. */
export const CANARY = 'canary/Canary.sol'

function proveFile(file, solve) {
  const path = `${FOLDER}/${file}`
  const messages = checkFile(path, solve)
  const broken = messages.find(({ severity }) => severity === 'error')
  if (broken) throw new Error(`${path} does not compile: ${broken.message}`)
  const judged = messages.filter(({ errorCode }) => errorCode === PROVED_CODE || OPEN_CODES.has(errorCode))
  const isOwn = message => message.sourceLocation?.file === path && message.message.includes('Assertion')
  const sides = judged.filter(message => !isOwn(message))
  const properties = propertiesOf(path).map(({ name, says, start, end }) => {
    const verdicts = judged.filter(m => isOwn(m) && m.sourceLocation.start >= start && m.sourceLocation.start < end)
    return { name, says, proved: verdicts.length > 0 && verdicts.every(({ errorCode }) => errorCode === PROVED_CODE) }
  })
  return {
    file,
    properties,
    sidesProved: sides.filter(({ errorCode }) => errorCode === PROVED_CODE).length,
    sidesOpen: sides.filter(({ errorCode }) => errorCode !== PROVED_CODE).map(m => `${m.sourceLocation?.file}: ${m.message}`),
  }
}

/** The page that says what is proved. */
export function proofsPage(results) {
  const rows = results.flatMap(({ file, properties }) =>
    properties.map(({ name, says, proved }) => `| ${proved ? 'proved' : '**open**'} | ${says} | \`${file}\` \`${name}\` |`),
  )
  const sides = results.reduce((sum, { sidesProved }) => sum + sidesProved, 0)
  const open = results.flatMap(({ sidesOpen }) => sidesOpen)
  return `# What is proved

Written by \`npm run contracts prove\`: solc's SMTChecker (bounded model checking of straight-line functions, which is complete for
them) with Z3, over \`${FOLDER}\`. Each is proved for every input inside the bounds that its function demands. On the way the checker
proved ${sides} times that an operation neither overflows nor underflows nor divides by zero; open: ${open.length}.

What is taken on trust: solc, Z3, and that OpenZeppelin's \`mulDiv\` is \`x * y / denominator\` where the product fits 256 bits (its own
first branch; the checker can not read assembly, so it sees \`${FOLDER}/models/Math.sol\`, and proves that the products fit).

| | property | where |
|---|---|---|
${rows.join('\n')}

Not decided, and so left to fuzzing and invariants: that \`StreamLib.advance\` loses nothing and \`StreamLib.add\` never moves an end back
(Z3 gave up after 3 million steps: quotients by unknown times). Not tried: the packed words of \`EscrowLib\`, \`MoneyLib\` and \`RowLib\`, and
\`SecurityModel\`. Nothing here is about storage, calls or reentrancy: that is what the invariants are for.
`
}
