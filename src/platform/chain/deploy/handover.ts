import type { Abi } from 'viem'
import { type Address, contractAbis, type Hex, ZERO_BYTES32 } from '#protocol'
import { CONTRACT_NAMES, type ContractName } from '../port.ts'
import { lower } from '../reads.ts'
import { type Step, setting, type World } from './world.ts'

/** The contracts with an owner. Found in the ABIs, so that none can be forgotten. */
export const OWNED_CONTRACTS = CONTRACT_NAMES.filter(name => has(name, 'acceptOwnership')) as readonly OwnedName[] // cast: just checked
/** The contracts that a guardian may pause. */
export const GUARDED_CONTRACTS = CONTRACT_NAMES.filter(name => has(name, 'setGuardian')) as readonly GuardedName[] // cast: just checked

// Any contract of the kind: their functions are the same.
type OwnedName = 'CreditVault'
type GuardedName = 'StakedHeu'

function has(name: ContractName, functionName: string): boolean {
  const abi: Abi = contractAbis[name]
  return abi.some(entry => entry.type === 'function' && entry.name === functionName)
}

/** The timelock ends as the owner of everything, the governor as its only mover, the deployer with nothing. */
export function handoverSteps(world: World): Step[] {
  return [...OWNED_CONTRACTS.map(name => offer(world, name)), ...acceptance(world), ...roles(world)]
}

export function guardianSteps({ calls, options: { guardian } }: World): Step[] {
  return GUARDED_CONTRACTS.map(contract =>
    setting(`name the guardian of ${contract}`, {
      call: calls.encode({ contract, call: 'setGuardian', args: [guardian] }),
      get: () => calls.read(contract, 'guardian', []),
      wanted: guardian,
    }),
  )
}

function offer({ calls, at }: World, contract: OwnedName): Step {
  const timelock = at('HeuristTimelock')
  return {
    name: `offer ${contract} to the timelock`,
    ...calls.encode({ contract, call: 'transferOwnership', args: [timelock] }),
    done: async () => {
      const owners = await Promise.all([calls.read(contract, 'owner', []), calls.read(contract, 'pendingOwner', [])])
      return owners.some(owner => lower(owner) === timelock)
    },
  }
}

/** One operation of the timelock, possible only while it has no delay: accepts every contract and sets the delay. */
function acceptance({ calls, options }: World): Step[] {
  const contract = 'HeuristTimelock'
  const delay = BigInt(options.governance.timelockDelaySeconds)
  const parts = [
    ...OWNED_CONTRACTS.map(name => calls.encode({ contract: name, call: 'acceptOwnership', args: [] })),
    calls.encode({ contract, call: 'updateDelay', args: [delay] }),
  ]
  const [targets, values, payloads] = [parts.map(({ to }) => to), parts.map(() => 0n), parts.map(({ data }) => data)]
  const operation = [targets, values, payloads, ZERO_BYTES32, ZERO_BYTES32] as const
  const reached = async (state: 'isOperation' | 'isOperationDone'): Promise<boolean> =>
    calls.read(contract, state, [await calls.read(contract, 'hashOperationBatch', operation)])
  return [
    {
      name: 'let the timelock take over',
      ...calls.encode({ contract, call: 'scheduleBatch', args: [...operation, 0n] }),
      done: () => reached('isOperation'),
    },
    {
      name: 'take over and set the delay',
      ...calls.encode({ contract, call: 'executeBatch', args: operation }),
      done: () => reached('isOperationDone'),
    },
  ]
}

function roles({ calls, at, deployer }: World): Step[] {
  const contract = 'HeuristTimelock'
  const governor = at('HeuristGovernor')
  const held = (role: Hex, account: Address): Promise<boolean> => calls.read(contract, 'hasRole', [role, account])
  const given = (name: string, role: Hex): Step => ({
    name: `make the governor ${name}`,
    ...calls.encode({ contract, call: 'grantRole', args: [role, governor] }),
    done: () => held(role, governor),
  })
  const renounced = (name: string, role: Hex): Step => ({
    name: `the deployer is no longer ${name}`,
    ...calls.encode({ contract, call: 'renounceRole', args: [role, deployer] }),
    done: async () => !(await held(role, deployer)),
  })
  const moved = Object.entries(ROLES).flatMap(([name, role]) => [given(name, role), renounced(name, role)])
  return [...moved, renounced('administrator', ZERO_BYTES32)]
}

/** keccak256 of the names, as TimelockController has them. */
export const ROLES = {
  proposer: '0xb09aa5aeb3702cfd50b6b62bc4532604938f21248a27a1d5ca736082b6819cc1',
  canceller: '0xfd643c72710c63c0180259aba6b2d05451e3591a24e58b62239378085726f783',
  executor: '0xd8aa0f3194971a2a116679f7c2090f6939c8d4e01a2a8d7e41d55e5351469e63',
} as const
