/** What the adversary simulators find, as plain rows for a terminal, a page and `--json`. */
import { BPS } from '#protocol'
import { bestHitAndRun, COLLATERAL_STRATEGIES, PROPOSED_SETTING, type Setting } from './collateral.ts'
import { breakEvenBps, DEFAULT, DESIGNED, type Sensitivity, STRATEGIES, sensitivities, WIDENED } from './wash-trade.ts'

export type WashRow = {
  readonly strategy: string
  readonly how: string
  readonly designed: string
  readonly byDefault: string
  readonly widened: string
}

/** Basis points of capacity as people read them; null: no share below all of it pays. */
export const shareText = (bps: bigint | null): string => {
  if (bps === null) return 'never'
  return bps <= 1n ? 'any share' : `${(Number(bps) / 100).toFixed(1)} %`
}

export function washRows(tell: (what: string) => void): WashRow[] {
  return STRATEGIES.map(strategy => {
    tell(`wash trader: ${strategy.name}`)
    const share = breakEvenBps(strategy, WIDENED)
    const drawn = strategy.route === 'captured' && share !== null ? (share * BPS) / WIDENED.openCapacityBps : null
    const ofDraw = drawn === null ? '' : ` of the network, ${shareText(drawn)} of the draw`
    return {
      strategy: strategy.name,
      how: strategy.how,
      designed: shareText(breakEvenBps(strategy, DESIGNED)),
      byDefault: shareText(breakEvenBps(strategy, DEFAULT)),
      widened: shareText(share) + ofDraw,
    }
  })
}

export function sensitivityRows(tell: (what: string) => void): Sensitivity[] {
  tell('wash trader: how the break-even moves')
  return sensitivities()
}

export type CollateralRow = { readonly strategy: string; readonly how: string; readonly proposedHeu: number; readonly withoutHeu: number }

/** Validators that do not follow up a failed audit, a floor for 3 audits, a benchmark every second epoch, capital for nothing. */
const WITHOUT: Setting = {
  ...PROPOSED_SETTING,
  parameters: { ...PROPOSED_SETTING.parameters, auditsToDetect: 3n },
  escalates: false,
  benchmarkChance: 0.5,
  capitalCost: 0,
}

export function collateralRows(): CollateralRow[] {
  return COLLATERAL_STRATEGIES.map(({ name, how, gainOf }) => ({
    strategy: name,
    how,
    proposedHeu: gainOf(PROPOSED_SETTING),
    withoutHeu: gainOf(WITHOUT),
  }))
}

export const hitAndRunText = (): string => {
  const { tasks, gain } = bestHitAndRun({ ...PROPOSED_SETTING, escalates: false, capitalCost: 0 })
  return `${tasks} tasks for ${gain.toPrecision(3)} HEU`
}
