import { lower } from '../reads.ts'
import { type Encoded, type Step, setting, type World } from './world.ts'

/** What a node can lose and who may take it: the slasher disciplines nodes, floor and restaking say what covers them. */
export function collateralSteps(world: World): Step[] {
  return [...disciplineSteps(world), ...restakingSteps(world)]
}

function disciplineSteps({ at, calls }: World): Step[] {
  const slasher = at('Slasher')
  const floor = at('CollateralFloor')
  const restake = at('RestakeAdapter')
  const named = (name: string, call: Encoded, get: () => Promise<unknown>, wanted: string): Step => setting(name, { call, get, wanted })
  return [
    named(
      'let the slasher jail nodes',
      calls.encode({ contract: 'NodeRegistry', call: 'setJailer', args: [slasher] }),
      () => calls.read('NodeRegistry', 'jailer', []),
      slasher,
    ),
    ...(['NodeRegistry', 'ValidatorRegistry', 'RefundPot', 'RestakeAdapter'] as const).map(contract =>
      named(
        `name the slasher of ${contract}`,
        calls.encode({ contract, call: 'setSlasher', args: [slasher] }),
        () => calls.read(contract, 'slasher', []),
        slasher,
      ),
    ),
    named(
      'ask the collateral floor of nodes',
      calls.encode({ contract: 'NodeRegistry', call: 'setFloor', args: [floor] }),
      () => calls.read('NodeRegistry', 'floor', []),
      floor,
    ),
    ...(['NodeRegistry', 'CollateralFloor', 'Slasher'] as const).map(contract =>
      named(
        `tell ${contract} of restaked ETH`,
        calls.encode({ contract, call: 'setRestake', args: [restake] }),
        () => calls.read(contract, 'restake', []),
        restake,
      ),
    ),
  ]
}

const METADATA_URI = 'data:application/json,{"name":"Heurist compute nodes"}'

function restakingSteps({ at, calls, options }: World): Step[] {
  const contract = 'RestakeAdapter'
  const { heuPerEthWad, haircutBps, capWei, horizonBlocks } = options.collateral.restaking
  const strategies = options.restaking?.strategies ?? [at('SimulatedRestaking')]
  return [
    setting('ask how long restaked ETH stays slashable', {
      call: calls.encode({ contract, call: 'setHorizon', args: [horizonBlocks] }),
      get: () => calls.read(contract, 'horizonBlocks', []),
      wanted: horizonBlocks,
    }),
    {
      name: 'set what restaked ETH counts',
      ...calls.encode({ contract, call: 'setRates', args: [heuPerEthWad, haircutBps, capWei] }),
      done: async () => (await calls.read(contract, 'rates', []))[0] === heuPerEthWad,
    },
    {
      name: 'open the operator set of restakers',
      ...calls.encode({ contract, call: 'open', args: [METADATA_URI, strategies] }),
      done: async () => (await calls.read(contract, 'strategies', [])).map(lower).join() === strategies.map(lower).join(),
    },
  ]
}
