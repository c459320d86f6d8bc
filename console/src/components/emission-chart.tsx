import type { EmissionPoint } from '../economy-api.ts'

const WIDTH = 480
const HEIGHT = 220
const LEFT = 44
const BOTTOM = 44
/** Percent of the supply a year. */
const MOST_REVENUE = 10
const MOST_EMISSION = 6

const x = (revenue: number): number => LEFT + (Math.min(revenue, MOST_REVENUE) / MOST_REVENUE) * (WIDTH - LEFT - 12)
const y = (emission: number): number => HEIGHT - BOTTOM - (emission / MOST_EMISSION) * (HEIGHT - BOTTOM - 12)
const percent = (wad: string): number => Number(wad) / 1e16

/** Figure 9's rule as a line, and what the chain really did as dots; the present epoch stands out. */
export function EmissionChart({ history, present }: { history: readonly EmissionPoint[]; present: EmissionPoint }) {
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} className="chart" role="img" aria-label="Emission by revenue: the rule, and the epochs so far">
      {[0, 1.25, 2.5, 3.75, 5].map(emission => (
        <g key={emission}>
          <line x1={LEFT} x2={WIDTH - 12} y1={y(emission)} y2={y(emission)} className="grid" />
          <text x={LEFT - 6} y={y(emission) + 4} textAnchor="end">
            {emission} %
          </text>
        </g>
      ))}
      {[0, 2.5, 5, 7.5, 10].map(revenue => (
        <text key={revenue} x={x(revenue)} y={HEIGHT - BOTTOM + 18} textAnchor={revenue === MOST_REVENUE ? 'end' : 'middle'}>
          {revenue} %
        </text>
      ))}
      <path d={`M${x(0)} ${y(1.25)}L${x(7.5)} ${y(5)}L${x(10)} ${y(5)}`} className="rule" />
      {history.map(point => (
        <circle key={point.epoch} cx={x(percent(point.revenueRateWad))} cy={y(percent(point.emissionRateWad))} r="4" className="past">
          <title>epoch {point.epoch}</title>
        </circle>
      ))}
      <circle cx={x(percent(present.revenueRateWad))} cy={y(percent(present.emissionRateWad))} r="6" className="present">
        <title>epoch {present.epoch}, now</title>
      </circle>
      <text x={WIDTH - 12} y={HEIGHT - 4} textAnchor="end">
        organic revenue, share of the supply a year
      </text>
    </svg>
  )
}
