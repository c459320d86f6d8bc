import type { Address } from '#protocol'
import type { GenesisPart } from './options.ts'
import type { Step, World } from './world.ts'

/** Distributes the genesis supply that the deployer holds; what no part names stays with it. */
export function genesisSteps(world: World): Step[] {
  const parts = world.options.genesis ?? []
  const vesting = parts.filter(({ holder }) => holder !== 'emission')
  return [
    ...parts.filter(({ holder }) => holder === 'emission').map(part => emissionStep(world, part)),
    ...vesting.map((part, index) => vestingStep(world, part, index)),
  ]
}

function emissionStep({ client, at }: World, { name, schedule: { total } }: GenesisPart): Step {
  const address = at('EmissionController')
  return {
    name: `fund ${name}`,
    to: address,
    data: '0x',
    valueWei: total,
    done: async () => (await client.getBalance({ address })) >= total,
  }
}

/** Wallets are created in the order of the parts, so their number tells how many are done. */
function vestingStep({ calls, at, epochGenesisSeconds }: World, { name, holder, schedule, revocable }: GenesisPart, index: number): Step {
  const beneficiary = holder === 'treasury' ? at('HeuristTimelock') : (holder as Address) // cast: `emission` has no wallet
  const { total, startBps, cliffSeconds, vestSeconds } = schedule
  const terms = {
    beneficiary,
    start: BigInt(epochGenesisSeconds),
    revocable,
    schedule: { total, startBps, cliffSeconds: Number(cliffSeconds), vestSeconds: Number(vestSeconds) },
  }
  return {
    name: `vest ${name}`,
    ...calls.encode({ contract: 'VestingWallets', call: 'create', args: [name, terms], valueWei: total }),
    done: async () => (await calls.read('VestingWallets', 'walletCount', [])) > BigInt(index),
  }
}
