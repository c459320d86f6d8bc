import { readFile, rename, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { createSigner, silentLogger } from '#platform'
import { type Deployment, type DeploymentStore, deployContracts, readChainId } from '#platform/chain'
import { addressSchema, type Hex, messageOf, parseUnits } from '#protocol'
import { LAUNCH_COLLATERAL } from '../src/bin/network/chain-parameters.ts'

const USAGE = `Puts the contracts on a chain and hands them to the timelock. Idempotent: run it again after a failure and it goes on.

  node scripts/deploy.ts --rpc URL --key-file FILE --sequencer ADDRESS [options]

  --rpc URL                   JSON-RPC server of the chain
  --key-file FILE             private key (0x and 64 hex digits) of the deployer, who pays and owns nothing in the end
  --sequencer ADDRESS         may post batches
  --record FILE               where addresses are recorded (default: deployment.json)
  --stablecoin ADDRESS        the chain's stablecoin; without it a DevUsd is deployed (development chains only)
  --heu-price USD             USD per HEU (default: 0.05)
  --challenge-window SECONDS  how long earnings wait (default: 86400)
  --withdrawal-delay SECONDS  between request and payment of a withdrawal (default: 86400)
  --unbonding-delay SECONDS   between a node's exit and its collateral (default: 604800)
  --min-collateral HEU        asked of a node (default: 1000)
  --allocation-manager ADDRESS  the chain's restaking protocol; without it a simulated one is deployed (development chains only)
  --strategy ADDRESS          an ETH strategy of it whose shares count; may be repeated, ascending
  --guardian ADDRESS          may pause new money for two weeks at most (default: the sequencer)
  --exit-delay SECONDS        between asking for staked HEU back and getting it (default: 31536000)
  --voting-delay SECONDS      between a proposal and its vote (default: 86400)
  --voting-period SECONDS     how long a proposal can be voted on (default: 432000)
  --timelock-delay SECONDS    between a passed vote and its execution (default: 172800)
  --quorum-percent PERCENT    of all wrapped HEU (default: 4)
  --quorum-floor HEU          least votes for a quorum (default: 5000000)
  --proposal-threshold HEU    votes that a proposer needs (default: 100000)
  --pool ADDRESS              Uniswap v3 pool of wrapped HEU and stablecoin where buybacks trade; without it governance names one
  --buyback-slippage BPS      that one buyback may move the price, at most twice the pool's fee (default: 60)
  --buyback-limit USD         spent on buybacks in a week at most (default: 100000)
  --l1-cost HEU               that the base layer costs in a week (default: 0)
  --l1-cost-receiver ADDRESS  who pays the base layer (default: the sequencer)
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
  'allocation-manager': { type: 'string' },
  strategy: { type: 'string', multiple: true },
  guardian: { type: 'string' },
  'exit-delay': { type: 'string', default: '31536000' },
  'voting-delay': { type: 'string', default: '86400' },
  'voting-period': { type: 'string', default: '432000' },
  'timelock-delay': { type: 'string', default: '172800' },
  'quorum-percent': { type: 'string', default: '4' },
  'quorum-floor': { type: 'string', default: '5000000' },
  'proposal-threshold': { type: 'string', default: '100000' },
  pool: { type: 'string' },
  'buyback-slippage': { type: 'string', default: '60' },
  'buyback-limit': { type: 'string', default: '100000' },
  'l1-cost': { type: 'string', default: '0' },
  'l1-cost-receiver': { type: 'string' },
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
      guardian: addressSchema.parse(values.guardian ?? sequencer),
      exitDelaySeconds: Number(values['exit-delay']),
      governance: {
        votingDelaySeconds: Number(values['voting-delay']),
        votingPeriodSeconds: Number(values['voting-period']),
        // A fifth of the vote is left to answer a late quorum.
        lateQuorumExtensionSeconds: Math.floor(Number(values['voting-period']) / 5),
        timelockDelaySeconds: Number(values['timelock-delay']),
        quorumPercent: BigInt(values['quorum-percent']),
        quorumFloorWei: parseUnits(values['quorum-floor'], 18),
        proposalThresholdWei: parseUnits(values['proposal-threshold'], 18),
      },
      collateral: LAUNCH_COLLATERAL,
      heuPriceUsdWad: parseUnits(values['heu-price'], 18),
      challengeWindowSeconds: Number(values['challenge-window']),
      withdrawalDelaySeconds: Number(values['withdrawal-delay']),
      unbondingDelaySeconds: Number(values['unbonding-delay']),
      minCollateralWei: parseUnits(values['min-collateral'], 18),
      ...(values['allocation-manager'] !== undefined && {
        restaking: {
          allocationManager: addressSchema.parse(values['allocation-manager']),
          strategies: (values.strategy ?? []).map(strategy => addressSchema.parse(strategy)),
        },
      }),
      l1Cost: {
        perEpochWei: parseUnits(values['l1-cost'], 18),
        receiver: addressSchema.parse(values['l1-cost-receiver'] ?? sequencer),
      },
      ...(values.pool !== undefined && {
        market: {
          pool: addressSchema.parse(values.pool),
          guards: {
            twapWindowSeconds: 1_800,
            maxDeviationTicks: 100,
            maxSlippageBps: Number(values['buyback-slippage']),
            epochLimitUsd: parseUnits(values['buyback-limit'], 6),
          },
        },
      }),
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
