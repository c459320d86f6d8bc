import { type Address, type GrantView, RESERVOIR_USES, type ReservoirView } from '#protocol'
import { type EconomyDependencies, integerOf } from './context.ts'

export async function readReservoir(dependencies: EconomyDependencies): Promise<ReservoirView> {
  const { chain, events } = dependencies
  const [balance, unallocated, owedToGrants, fills, grants, uses] = await Promise.all([
    chain.nativeBalance(chain.contracts.Reservoir),
    chain.read('Reservoir', 'unallocated', []),
    chain.read('Reservoir', 'owedToGrants', []),
    events.list({ contract: 'Reservoir', names: ['ReservoirFilled'] }),
    readGrants(dependencies),
    Promise.all(
      RESERVOIR_USES.map(async (use, number) => ({
        use,
        budget: await chain.read('Reservoir', 'budgetOf', [number]),
        spent: await chain.read('Reservoir', 'spentOn', [number]),
      })),
    ),
  ])
  const filled = fills.reduce((sum, event) => sum + integerOf(event, 'amount'), 0n)
  return { balance, unallocated, filled, uses, owedToGrants, grants }
}

export async function readGrants({ chain }: Pick<EconomyDependencies, 'chain'>): Promise<GrantView[]> {
  const count = Number(await chain.read('Reservoir', 'grantCount', []))
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const grantId = BigInt(index + 1)
      const [grant, claimable] = await Promise.all([
        chain.read('Reservoir', 'getGrant', [grantId]),
        chain.read('Reservoir', 'claimableOf', [grantId]),
      ])
      const receiver = grant.receiver.toLowerCase() as Address // cast: from the chain
      const { startsAt, endsAt, amount, claimed } = grant
      return { grantId, receiver, startsAt, endsAt, amount, claimed, claimable }
    }),
  )
}
