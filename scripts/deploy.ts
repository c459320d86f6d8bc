import { readFile, rename, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { createSigner, silentLogger } from '#platform'
import { type Deployment, type DeploymentStore, deployContracts, readChainId } from '#platform/chain'
import { addressSchema, type Hex, messageOf, parseUnits } from '#protocol'

const USAGE = `Puts the settlement contracts on a chain. Idempotent: run it again after a failure and it goes on.

  node scripts/deploy.ts --rpc URL --key-file FILE --sequencer ADDRESS [options]

  --rpc URL                   JSON-RPC server of the chain
  --key-file FILE             private key (0x and 64 hex digits) of the deployer, who will own the contracts
  --sequencer ADDRESS         may post batches
  --record FILE               where addresses are recorded (default: deployment.json)
  --stablecoin ADDRESS        the chain's stablecoin; without it a DevUsd is deployed (development chains only)
  --heu-price USD             USD per HEU (default: 0.05)
  --challenge-window SECONDS  how long earnings wait (default: 86400)
  --withdrawal-delay SECONDS  between request and payment of a withdrawal (default: 86400)
  --unbonding-delay SECONDS   between a node's exit and its collateral (default: 604800)
  --min-collateral HEU        asked of a node (default: 1000)
`

const OPTIONS = {
  rpc: { type: 'string' },
  'key-file': { type: 'string' },
  sequencer: { type: 'string' },
  record: { type: 'string', default: 'deployment.json' },
  stablecoin: { type: 'string' },
  'heu-price': { type: 'string', default: '0.05' },
  'challenge-window': { type: 'string', default: '86400' },
  'withdrawal-delay': { type: 'string', default: '86400' },
  'unbonding-delay': { type: 'string', default: '604800' },
  'min-collateral': { type: 'string', default: '1000' },
  help: { type: 'boolean', default: false },
} as const

/** Replaced as a whole, so that a crash leaves the old record or the new one. */
function recordIn(path: string): DeploymentStore {
  return {
    async load() {
      const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return null
        throw error
      })
      return text === null ? null : (JSON.parse(text) as Deployment) // cast: written below; the addresses are checked on the chain
    },
    async save(deployment) {
      await writeFile(`${path}.partial`, `${JSON.stringify(deployment, null, 2)}\n`, { flush: true })
      await rename(`${path}.partial`, path)
    },
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS })
  const { rpc, 'key-file': keyFile, sequencer } = values
  if (values.help || !rpc || !keyFile || !sequencer) {
    process.stdout.write(USAGE)
    process.exitCode = values.help ? 0 : 2
    return
  }
  const deployer = createSigner((await readFile(keyFile, 'utf8')).trim() as Hex) // cast: createSigner refuses anything else
  const { contracts } = await deployContracts(
    {
      rpcUrl: rpc,
      chainId: await readChainId(rpc),
      sequencer: addressSchema.parse(sequencer),
      heuPriceUsdWad: parseUnits(values['heu-price'], 18),
      challengeWindowSeconds: Number(values['challenge-window']),
      withdrawalDelaySeconds: Number(values['withdrawal-delay']),
      unbondingDelaySeconds: Number(values['unbonding-delay']),
      minCollateralWei: parseUnits(values['min-collateral'], 18),
      ...(values.stablecoin !== undefined && { stablecoin: addressSchema.parse(values.stablecoin) }),
    },
    {
      deployer,
      store: recordIn(values.record),
      logger: silentLogger,
      onStep: step => process.stderr.write(`${step.done}/${step.total} ${step.name}${step.skipped ? ' (was done)' : ''}\n`),
    },
  )
  process.stdout.write(`${JSON.stringify(contracts, null, 2)}\n`)
}

await main().catch(error => {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = 1
})
