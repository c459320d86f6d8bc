import { WAD } from '#protocol'
import { MONTH_SECONDS, type VestingSchedule } from './vesting.ts'

/**
 * Who gets an allocation: `emission` is held by the EmissionController, which has its own schedule; `treasury` by the timelock;
 * `holders` by the accounts that the deployment names. All but the emission goes through a vesting wallet.
 */
export type GenesisHolder = 'emission' | 'treasury' | 'holders'

export type GenesisAllocation = {
  readonly name: string
  readonly holder: GenesisHolder
  readonly schedule: VestingSchedule
  /** Whether the treasury may take back what has not vested. */
  readonly revocable: boolean
}

export type GenesisPreset = 'whitepaper' | 'published'

type Terms = { readonly startBps: number; readonly cliffMonths: bigint; readonly vestMonths: bigint }

const ALL_AT_START: Terms = { startBps: 10_000, cliffMonths: 0n, vestMonths: 0n }

/** `thousands`: thousands of HEU. */
function allocation(name: string, thousands: bigint, terms: Terms, more: Partial<GenesisAllocation> = {}): GenesisAllocation {
  const schedule = {
    total: thousands * 1000n * WAD,
    startBps: terms.startBps,
    cliffSeconds: terms.cliffMonths * MONTH_SECONDS,
    vestSeconds: terms.vestMonths * MONTH_SECONDS,
  }
  return { name, holder: 'holders', schedule, revocable: false, ...more }
}

const INVESTORS: Terms = { startBps: 0, cliffMonths: 3n, vestMonths: 24n }
const TREASURY: Terms = { startBps: 0, cliffMonths: 6n, vestMonths: 48n }

/**
 * The whole supply, by preset. `whitepaper` has the shares of wp §3.4.2, which leaves the vesting to the published documentation:
 * the like rows of `published` fill it in. `published` is that documentation, row by row. Only the team of `whitepaper` is
 * revocable, by our choice (docs/adr/0010): the sources name nobody.
 */
export const GENESIS: Readonly<Record<GenesisPreset, readonly GenesisAllocation[]>> = {
  whitepaper: [
    allocation('early community', 95_000n, ALL_AT_START),
    allocation('marketing and initial liquidity', 45_000n, ALL_AT_START),
    allocation('private sale', 60_000n, INVESTORS),
    allocation('team and advisors', 150_000n, INVESTORS, { revocable: true }),
    allocation('protocol treasury', 150_000n, TREASURY, { holder: 'treasury' }),
    allocation('emission', 500_000n, ALL_AT_START, { holder: 'emission' }),
  ],
  published: [
    allocation('season 1 testnet miners', 50_000n, ALL_AT_START),
    allocation('liquidity', 28_000n, ALL_AT_START),
    allocation('marketing', 18_500n, ALL_AT_START),
    allocation('Imaginaries NFT', 12_845n, ALL_AT_START),
    allocation('grants', 300n, ALL_AT_START),
    allocation('KOLs', 6_500n, { startBps: 2000, cliffMonths: 0n, vestMonths: 6n }),
    allocation('unallocated grants', 6_855n, { startBps: 0, cliffMonths: 3n, vestMonths: 0n }),
    allocation('angels and VC', 60_000n, INVESTORS),
    allocation('team and advisors', 150_000n, INVESTORS),
    allocation('mining', 500_000n, ALL_AT_START, { holder: 'emission' }),
    allocation('treasury', 167_000n, TREASURY, { holder: 'treasury' }),
  ],
}
