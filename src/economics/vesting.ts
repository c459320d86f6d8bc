import { BPS, mulDivDown } from '#protocol'

/** A twelfth of 365 days (seconds): the month of every schedule. */
export const MONTH_SECONDS = 2_628_000n

/** A part at the start, nothing more until the cliff, then linear for `vestSeconds` (all at the cliff when that is zero). */
export type VestingSchedule = {
  readonly total: bigint
  readonly startBps: number
  readonly cliffSeconds: bigint
  readonly vestSeconds: bigint
}

/** What has vested `elapsedSeconds` after the start (wei), rounded down. Negative times are before it: nothing. */
export function vestedDown(schedule: VestingSchedule, elapsedSeconds: bigint): bigint {
  if (elapsedSeconds < 0n) return 0n
  const atStart = mulDivDown(schedule.total, BigInt(schedule.startBps), BPS)
  const sinceCliff = elapsedSeconds - schedule.cliffSeconds
  if (sinceCliff < 0n) return atStart
  if (sinceCliff >= schedule.vestSeconds) return schedule.total
  return atStart + mulDivDown(schedule.total - atStart, sinceCliff, schedule.vestSeconds)
}
