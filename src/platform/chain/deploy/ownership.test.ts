import { type Abi, type AbiFunction, type AbiParameter, BaseError, encodeFunctionData, toFunctionSelector } from 'viem'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Address, contractAbis, type Hex } from '#protocol'
import { CONTRACT_NAMES, type ContractName } from '../port.ts'
import { lower } from '../reads.ts'
import { createRpcClient } from '../rpc.ts'
import { startTestChain, type TestChain } from '../testing/index.ts'
import { GUARDED_CONTRACTS, OWNED_CONTRACTS, ROLES } from './handover.ts'

let testChain: TestChain
beforeAll(async () => {
  testChain = await startTestChain()
})
afterAll(() => testChain?.stop())

const client = () => createRpcClient({ rpcUrl: testChain.devChain.rpcUrl })
const stranger: Address = '0x00000000000000000000000000000000000000aa'

const REFUSALS = [
  'OwnableUnauthorizedAccount(address)',
  'GovernorOnlyExecutor(address)',
  'TimelockUnauthorizedCaller(address)',
  'AccessControlUnauthorizedAccount(address,bytes32)',
].map(signature => toFunctionSelector(`function ${signature}`))

/** Setters that are open on purpose: each acts for its caller alone. A new one must be named here with its reason. */
const OPEN_SETTERS: Readonly<Record<string, string>> = {
  'Compounder.setPlan': "only the node's owner",
  'CreditVault.setSpendingCap': 'the caller caps its own account',
  'CreditVault.setSpendingCapBySig': "with the account's signature",
  'EmissionController.setTipBps': "only the node's owner",
  'NodeRegistry.setPayout': "only the node's owner",
  'NodeRegistry.setJailed': 'only the jailer',
  'PodRegistry.setActive': "only the pod's deployer",
  'Reservoir.setGrantReceiver': "only the grant's receiver",
  'SimulatedRestaking.setAVSRegistrar': 'a service names its own registrar',
  'SimulatedRestaking.setPaused': 'stands in for a protocol that is not ours, on development chains',
  'SimulatedRestaking.updateAVSMetadataURI': 'a service describes itself',
  'StakedHeu.setOperator': 'the caller names its own operator (ERC-7540)',
}

const writesOf = (name: ContractName): AbiFunction[] =>
  (contractAbis[name] as Abi).filter(
    (entry): entry is AbiFunction =>
      entry.type === 'function' && (entry.stateMutability === 'nonpayable' || entry.stateMutability === 'payable'),
  )

/** The simplest value of a type: enough to come as far as the check of the caller. */
function simplest({ type, ...rest }: AbiParameter): unknown {
  if (type.endsWith('[]')) return []
  if (type === 'tuple') return Object.fromEntries(('components' in rest ? rest.components : []).map(part => [part.name, simplest(part)]))
  if (type === 'address') return stranger
  if (type === 'bool') return false
  if (type === 'string') return ''
  if (type === 'bytes') return '0x'
  const fixed = /^bytes(\d+)$/.exec(type)
  return fixed ? `0x${'00'.repeat(Number(fixed[1]))}` : 0n
}

async function isRefused(name: ContractName, entry: AbiFunction, account: Address): Promise<boolean> {
  const data = encodeFunctionData({ abi: [entry], functionName: entry.name, args: entry.inputs.map(simplest) })
  try {
    await client().call({ account, to: testChain.contracts[name], data })
    return false
  } catch (error) {
    const carrier = error instanceof BaseError ? error.walk(inner => typeof (inner as { data?: unknown }).data === 'string') : null
    const reason = (carrier as { data?: Hex } | null)?.data ?? '0x'
    return REFUSALS.includes(reason.slice(0, 10) as Hex)
  }
}

const read = <T>(name: ContractName, functionName: string, args: readonly unknown[] = []): Promise<T> =>
  client().readContract({ address: testChain.contracts[name], abi: contractAbis[name] as Abi, functionName, args }) as Promise<T>

describe('after the deployment', () => {
  test('default: the timelock owns everything that has an owner, and nothing waits to be taken', async () => {
    expect(OWNED_CONTRACTS.length).toBeGreaterThanOrEqual(5)
    for (const name of OWNED_CONTRACTS) {
      expect(lower(await read<string>(name, 'owner')), name).toBe(testChain.contracts.HeuristTimelock)
      expect(BigInt(await read<string>(name, 'pendingOwner')), name).toBe(0n)
    }
  })

  test('behavior: only the governor moves the timelock, with its delay; the deployer kept no role', async () => {
    const { HeuristGovernor, HeuristTimelock } = testChain.contracts
    const deployer = testChain.treasury.address
    for (const [name, role] of Object.entries(ROLES)) {
      expect(await read('HeuristTimelock', `${name.toUpperCase()}_ROLE`), name).toBe(role)
      expect(await read('HeuristTimelock', 'hasRole', [role, HeuristGovernor]), name).toBe(true)
      expect(await read('HeuristTimelock', 'hasRole', [role, deployer]), name).toBe(false)
      expect(await read('HeuristTimelock', 'hasRole', [role, `0x${'00'.repeat(20)}`]), `${name} is not open`).toBe(false)
    }
    const admin = `0x${'00'.repeat(32)}`
    expect(await read('HeuristTimelock', 'hasRole', [admin, deployer])).toBe(false)
    expect(await read('HeuristTimelock', 'hasRole', [admin, HeuristTimelock])).toBe(true)
    expect(await read('HeuristTimelock', 'getMinDelay')).toBe(10n)
    expect(lower(await read<string>('HeuristGovernor', 'timelock'))).toBe(HeuristTimelock)
  })

  test('behavior: what the owner may do, nobody else may: not the deployer, the sequencer, the guardian or a stranger', async () => {
    const { HeuristTimelock, HeuristGovernor } = testChain.contracts
    const others = [stranger, testChain.treasury.address, testChain.sequencer.address, HeuristGovernor]
    const entries = CONTRACT_NAMES.flatMap(name => writesOf(name).map(entry => ({ name, entry, title: `${name}.${entry.name}` })))
    const asked = entries.filter(({ name }) => name !== 'HeuristTimelock') // Its roles are for the governor: see above.
    const judged = await Promise.all(
      asked.map(async ({ name, entry, title }) => ({
        title,
        others: await Promise.all(others.map(account => isRefused(name, entry, account))),
        timelock: await isRefused(name, entry, HeuristTimelock),
      })),
    )
    for (const { title, others: refused } of judged) expect(new Set(refused).size, `${title} treats strangers alike`).toBe(1)
    const refusals = judged.filter(({ others: refused }) => refused[0])
    const closed = refusals.map(({ title }) => title)
    // These wait for a proposal, or for an offer.
    const forOwner = refusals.filter(({ title }) => !/^HeuristGovernor\.|\.acceptOwnership$/.test(title))
    expect(forOwner.filter(({ timelock }) => timelock)).toEqual([])
    const setters = judged.map(({ title }) => title).filter(title => /\.(?:set|update)[A-Z]/.test(title))
    const open = setters.filter(title => !closed.includes(title))
    expect(open.sort()).toEqual(Object.keys(OPEN_SETTERS).sort())
    expect(closed).toEqual(expect.arrayContaining(['JobSettlement.setSequencer', 'Reservoir.rent', 'HeuristGovernor.setVotingDelay']))
  })

  test('behavior: the guardian is named everywhere, and nobody else may pause', async () => {
    for (const name of GUARDED_CONTRACTS) expect(lower(await read<string>(name, 'guardian')), name).toBe(testChain.treasury.address)
  })
})
