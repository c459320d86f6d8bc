/**
 * The cheating node (DESIGN §7.4): what each way to cheat is expected to earn when the node has exactly the collateral that
 * `src/economics/security-model.ts` asks for. Expectations are exact sums; {@link simulateUntilCaught} checks them by lot.
 */
import { collateralFloorUp, deterrentDown, emissionOf, gainUp, LAUNCH_SECURITY, lostFutureDown, type SecurityParameters } from '#economics'
import { WAD } from '#protocol'

/** What the floor does not know: how the validators follow up, and what tying up the collateral costs. */
export type Setting = {
  readonly parameters: SecurityParameters
  /** After a first failed audit everything that the node did in the challenge window is audited. */
  readonly escalates: boolean
  /** Audited requests a node needs to be convicted after a long honest past (knowledge/verification.md §0.6: 5 instead of 3). */
  readonly auditsAfterHonestPast: number
  /** Chance that an epoch has an unannounced benchmark of a node. At one, base rewards count only after a passed one. */
  readonly benchmarkChance: number
  /** Cost of capital for as long as collateral stays bound after the last task, as a part of it. */
  readonly capitalCost: number
}

const HEU = Number(WAD)

export const PROPOSED_SETTING: Setting = {
  parameters: LAUNCH_SECURITY,
  escalates: true,
  auditsAfterHonestPast: 5,
  benchmarkChance: 1,
  // 14 days of unbonding at 10 % a year.
  capitalCost: (0.1 * 14) / 365,
}

/** Gain of one cheated task, audits a cheat survives, and what conviction costs, all in HEU. */
function facts({ parameters }: Setting): { readonly gain: number; readonly audit: number; readonly floor: number; readonly loss: number } {
  const floorWei = collateralFloorUp(parameters, 0n)
  return {
    gain: Number(gainUp(parameters) + parameters.outsideGainWei) / HEU,
    audit: parameters.auditShareBps / 10_000,
    floor: Number(floorWei) / HEU,
    loss: Number(deterrentDown(parameters, floorWei, 0n)) / HEU,
  }
}

/** Cheats on every `1 / fraction`th task until convicted. Tasks served during the lag are cheated at the same fraction. */
export function gainUntilCaught(setting: Setting, auditsToConvict: number, fraction = 1): number {
  const { gain, audit, loss } = facts(setting)
  // Each cheated task is audited by itself with chance a: on average n / a of them until the n-th. Escalation only shortens it.
  const cheated = auditsToConvict / audit
  return gain * (cheated + Number(setting.parameters.latencyTasks) * fraction) - loss
}

/** Chance that at least `needed` of `tasks` cheated tasks are audited. */
function chanceOfAudits(tasks: number, needed: number, audit: number): number {
  let [exactly, below] = [(1 - audit) ** tasks, 0]
  for (let found = 0; found < needed; found += 1) {
    below += exactly
    exactly *= ((tasks - found) / (found + 1)) * (audit / (1 - audit))
  }
  return Math.max(0, 1 - below)
}

/** Cheats on `tasks` tasks, then only waits for its collateral (which stays slashable) and leaves. */
export function gainOfHitAndRun(setting: Setting, tasks: number): number {
  const { gain, audit, floor, loss } = facts(setting)
  const needed = Number(setting.parameters.auditsToDetect)
  const first = setting.escalates ? 1 : needed
  const convicted = tasks < needed ? 0 : chanceOfAudits(tasks, first, audit)
  return gain * tasks - convicted * loss - floor * setting.capitalCost
}

/** The number of tasks with the highest expectation, by trying all that could matter. */
export function bestHitAndRun(setting: Setting): { readonly tasks: number; readonly gain: number } {
  const most = Math.ceil((2 * Number(setting.parameters.auditsToDetect)) / (setting.parameters.auditShareBps / 10_000))
  let best = { tasks: 1, gain: gainOfHitAndRun(setting, 1) }
  for (let tasks = 2; tasks <= most; tasks += 1) {
    const gain = gainOfHitAndRun(setting, tasks)
    if (gain > best.gain) best = { tasks, gain }
  }
  return best
}

/** Base rewards of an epoch without revenue, for all nodes together (HEU). */
const BASE_PER_EPOCH = Number(emissionOf(0, 0n).base) / HEU

/** Claims a node that is not there, for base rewards, until a benchmark finds out; the payout of that epoch is frozen. */
export function gainOfPhantomCapacity(setting: Setting, nodes: number): number {
  return (BASE_PER_EPOCH / nodes) * (1 / setting.benchmarkChance - 1) - facts(setting).loss
}

export type CollateralStrategy = { readonly name: string; readonly how: string; readonly gainOf: (setting: Setting) => number }

export const COLLATERAL_STRATEGIES: readonly CollateralStrategy[] = [
  {
    name: 'exit scam',
    how: 'cheats on everything until it is stopped',
    gainOf: setting => gainUntilCaught(setting, Number(setting.parameters.auditsToDetect)),
  },
  {
    name: 'dilution',
    how: 'cheats on one task of twenty',
    gainOf: setting => gainUntilCaught(setting, Number(setting.parameters.auditsToDetect), 0.05),
  },
  {
    name: 'evidence banking',
    how: 'is honest for a long time, then cheats until it is stopped',
    gainOf: setting => gainUntilCaught(setting, setting.auditsAfterHonestPast),
  },
  {
    name: 'hit and run',
    how: 'cheats just so often that conviction is unlikely, then leaves',
    gainOf: setting => bestHitAndRun(setting).gain,
  },
  {
    name: 'whitewashing',
    how: 'cheats until it is stopped, and comes back under a new name ten times',
    gainOf: setting => {
      const lost = Number(lostFutureDown(setting.parameters)) / HEU
      // The future counted as lost is not: it is lived under the next name.
      return 10 * (gainUntilCaught(setting, Number(setting.parameters.auditsToDetect)) + lost)
    },
  },
  {
    name: 'self-referral',
    how: 'its own frontend sends it all its traffic, at three times the audits, and cheats until it is stopped',
    gainOf: setting => {
      const audited = { ...setting.parameters, auditShareBps: Math.min(10_000, 3 * setting.parameters.auditShareBps) }
      const asked = facts(setting)
      const { gain, audit } = facts({ ...setting, parameters: audited })
      return gain * (Number(audited.auditsToDetect) / audit + Number(audited.latencyTasks)) - asked.loss
    },
  },
  ...[10_000, 1_000, 10].map(nodes => ({
    name: `phantom capacity, ${nodes.toLocaleString('en')} nodes`,
    how: 'claims a node that is not there, for base rewards, until an unannounced benchmark finds out',
    gainOf: (setting: Setting) => gainOfPhantomCapacity(setting, nodes),
  })),
]

/** Mean gain of {@link gainUntilCaught} over `runs` nodes that draw lots for every audit. */
export function simulateUntilCaught(setting: Setting, runs: number, random: () => number): number {
  const { gain, audit, loss } = facts(setting)
  let total = 0
  for (let run = 0; run < runs; run += 1) {
    let [cheated, failed] = [0, 0]
    while (failed < Number(setting.parameters.auditsToDetect)) {
      cheated += 1
      if (random() < audit) failed += 1
    }
    total += gain * (cheated + Number(setting.parameters.latencyTasks)) - loss
  }
  return total / runs
}
