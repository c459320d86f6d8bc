import type { Address, VestingAllocation } from '#protocol'
import type { EconomyDependencies } from './context.ts'

/** The allocations of the genesis; only those of one beneficiary when it is given. */
export async function readVesting({ chain, events }: EconomyDependencies, beneficiary?: Address): Promise<VestingAllocation[]> {
  const created = await events.list({ contract: 'VestingWallets', names: ['VestingWalletCreated'] })
  const { timestampSeconds } = await chain.head()
  const all = await Promise.all(
    created.map(async ({ args }) => {
      const wallet = args.wallet as Address // cast: an address in VestingWalletCreated
      const [terms, owner, vested, released, releasable, revokedAt] = await Promise.all([
        chain.read('VestingWallet', 'terms', [], wallet),
        chain.read('VestingWallet', 'beneficiary', [], wallet),
        chain.read('VestingWallet', 'vestedAt', [BigInt(timestampSeconds)], wallet),
        chain.read('VestingWallet', 'released', [], wallet),
        chain.read('VestingWallet', 'releasable', [], wallet),
        chain.read('VestingWallet', 'revokedAt', [], wallet),
      ])
      const { schedule } = terms
      const startsAt = Number(terms.start)
      return {
        wallet,
        name: String(args.name),
        beneficiary: owner.toLowerCase() as Address, // cast: from the chain
        total: schedule.total,
        vested,
        released,
        releasable,
        startsAt,
        cliffEndsAt: startsAt + schedule.cliffSeconds,
        endsAt: startsAt + schedule.cliffSeconds + schedule.vestSeconds,
        revocable: terms.revocable,
        revokedAt: Number(revokedAt),
      }
    }),
  )
  return beneficiary ? all.filter(allocation => allocation.beneficiary === beneficiary) : all
}
