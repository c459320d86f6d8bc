// Generator: typed ABIs for TypeScript, deployable bytecode, and the committed ABI and storage layout snapshots.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot, runForge } from './forge.mjs'

const CONTRACTS = [
  'WrappedHeu',
  'DevUsd',
  'StakedHeu',
  'VestingWallets',
  'VestingWallet',
  'NodeRegistry',
  'PodRegistry',
  'CollateralFloor',
  'ValidatorRegistry',
  'Slasher',
  'RefundPot',
  'HeuBurn',
  'RestakeAdapter',
  'SimulatedRestaking',
  'Compounder',
  'FrontendRegistry',
  'CreditVault',
  'JobSettlement',
  'NodeGauge',
  'PodGauge',
  'VoterRewards',
  'EmissionController',
  'Reservoir',
  'FeeVault',
  'Buyback',
  'VotingPower',
  'HeuristTimelock',
  'HeuristGovernor',
]

const HEADER = '// Generated from contracts/src by `npm run gen`. Do not edit.\n'

function readArtifact(name) {
  return JSON.parse(readFileSync(join(repositoryRoot, 'contracts', 'out', `${name}.sol`, `${name}.json`), 'utf8'))
}

function kebab(name) {
  return name.replace(/(?<=[a-z0-9])[A-Z]/g, letter => `-${letter}`).toLowerCase()
}

function camel(name) {
  return name[0].toLowerCase() + name.slice(1)
}

function abiModule(name, abi, note) {
  const withoutInternalTypes = (key, value) => (key === 'internalType' ? undefined : value)
  const entries = abi.map(entry => `  ${JSON.stringify(entry, withoutInternalTypes)},`).join('\n')
  return `${HEADER}${note}export const ${camel(name)}Abi = [\n${entries}\n] as const\n`
}

function everyError() {
  const entries = ['Errors', ...CONTRACTS].flatMap(name => readArtifact(name).abi).filter(({ type }) => type === 'error')
  const bySignature = new Map(entries.map(entry => [signatures([entry])[0], entry]))
  return [...bySignature].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry)
}

/** Every ABI under its contract's name, for code that treats all contracts alike. */
function abisByName() {
  const imports = CONTRACTS.map(name => `import { ${camel(name)}Abi } from './${kebab(name)}.ts'`).sort()
  const entries = CONTRACTS.map(name => `  ${name}: ${camel(name)}Abi,`)
  return `${HEADER}${imports.join('\n')}\n\n/** ABI by contract name. */\nexport const contractAbis = {\n${entries.join('\n')}\n} as const\n`
}

/** `name(type,type)` lines: what a reviewer wants to see change. */
function signatures(abi) {
  const type = input => (input.type.startsWith('tuple') ? `(${input.components.map(type).join(',')})${input.type.slice(5)}` : input.type)
  const line = entry => {
    const inputs = (entry.inputs ?? []).map(input => `${type(input)}${input.indexed ? ' indexed' : ''}`).join(',')
    const outputs = entry.outputs?.length ? ` returns (${entry.outputs.map(type).join(',')})` : ''
    const state = entry.stateMutability && entry.stateMutability !== 'nonpayable' ? ` ${entry.stateMutability}` : ''
    return `${entry.type} ${entry.name ?? ''}(${inputs})${state}${outputs}`
  }
  return abi.map(line).sort()
}

/** Slots without compiler-internal numbers, which change with unrelated code. */
function storageLayout(artifact) {
  return artifact.storageLayout.storage.map(({ label, slot, offset, type }) => ({
    label,
    slot: Number(slot),
    offset,
    type: artifact.storageLayout.types[type].label,
    bytes: Number(artifact.storageLayout.types[type].numberOfBytes),
  }))
}

const json = value => `${JSON.stringify(value, null, 2)}\n`

/** @returns {Promise<Map<string, string>>} Path in the repository -> content. */
export async function generateContracts() {
  const build = await runForge(['build', 'contracts/src'])
  if (build.code !== 0) throw new Error(`forge build failed (exit ${build.code}):\n${build.stdout}${build.stderr}`)

  const files = new Map()
  for (const name of CONTRACTS) {
    const artifact = readArtifact(name)
    files.set(`src/protocol/abi/${kebab(name)}.ts`, abiModule(name, artifact.abi, ''))
    files.set(`contracts/artifacts/${name}.json`, json({ contractName: name, bytecode: artifact.bytecode.object }))
    files.set(`contracts/snapshots/${name}.json`, json({ storage: storageLayout(artifact), abi: signatures(artifact.abi) }))
  }
  const note =
    '/** Every custom error of every contract, libraries of others included: decodes a revert that comes from a contract further in. */\n'
  files.set('src/protocol/abi/errors.ts', abiModule('ContractErrors', everyError(), note))
  const exports = [...CONTRACTS.map(name => [camel(name), kebab(name)]), ['contractErrors', 'errors']]
  const index = exports.map(([constant, file]) => `export { ${constant}Abi } from './${file}.ts'`).sort()
  files.set('src/protocol/abi/index.ts', `${HEADER}${index.join('\n')}\nexport { contractAbis } from './by-name.ts'\n`)
  files.set('src/protocol/abi/by-name.ts', abisByName())
  return files
}
