/** `npm run simulate -- [--json] [--write] [--model-only]`: ten years on the model and on the real contracts, and the adversaries. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { EMISSION_EPOCHS, EPOCHS_PER_YEAR, SCENARIOS, type Scenario } from '#economics'
import { collateralRows, sensitivityRows, washRows } from './adversaries.ts'
import { withDevChain } from './dev-rpc.ts'
import { charts, economicsPage, type Findings, type Years } from './report.ts'
import { type EpochRecord, playModel } from './ten-years.ts'
import { deployWorld, leftovers, playChain } from './ten-years-chain.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    'model-only': { type: 'boolean', default: false },
  },
})
const tell = (what: string): void => console.error(`simulate: ${what}`)
const plain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value)

/** Ten years on a dev chain of their own. @throws at the first epoch in which chain and model differ */
async function playOnChain(scenario: Scenario, model: readonly EpochRecord[]): Promise<EpochRecord[]> {
  return await withDevChain(async rpc => {
    const world = await deployWorld(rpc)
    const records = await playChain(world, scenario, model.length, epoch => {
      if ((epoch + 1) % EPOCHS_PER_YEAR === 0) tell(`ten years, ${scenario.name}: contracts, year ${(epoch + 1) / EPOCHS_PER_YEAR}`)
    })
    for (const [index, record] of records.entries()) assert.deepEqual(record, model[index], `${scenario.name}, epoch ${index}`)
    assert.equal((await leftovers(world)).vault, 0n, 'the emission vault is empty')
    return records
  })
}

async function playYears(): Promise<Years[]> {
  const years: Years[] = []
  for (const scenario of SCENARIOS) {
    tell(`ten years, ${scenario.name}: model`)
    const model = playModel(scenario)
    years.push({ scenario, records: values['model-only'] ? model : await playOnChain(scenario, model) })
  }
  return years
}

const PROOF = {
  model: 'The ten years were played on the model alone.',
  chain: `The ten years were played on the real contracts, on a dev chain whose time was moved: ${SCENARIOS.length} × ${EMISSION_EPOCHS} epochs with payments settled,
nodes voted for, reported, closed and claimed. Each number is the chain's, and the model's to the wei; the vault ended at zero.`,
}
const findings: Findings = {
  years: await playYears(),
  proof: values['model-only'] ? PROOF.model : PROOF.chain,
  wash: washRows(tell),
  moves: sensitivityRows(tell),
  collateral: collateralRows(),
}
const page = economicsPage(findings)
if (values.write) {
  for (const [path, content] of new Map([...charts(findings.years), ['docs/reference/economics.md', page]])) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true })
    writeFileSync(join(ROOT, path), content)
    tell(`wrote ${path}`)
  }
}
process.stdout.write(values.json ? `${JSON.stringify(findings, plain, 2)}\n` : page)
if (process.connected) process.disconnect()
