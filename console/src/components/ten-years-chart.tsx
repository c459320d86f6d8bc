import type { Curve, EmissionPoint } from '../economy-api.ts'

// About what it has on a wide screen, so that its text has the size of other text.
const WIDTH = 980
const HEIGHT = 300
const LEFT = 44
const BOTTOM = 60
const YEARS = 10
const EPOCHS = 520
/** Percent of the supply a year: of emission, and of revenue, which goes further. */
const MOST = 15

const x = (epoch: number): number => LEFT + (epoch / EPOCHS) * (WIDTH - LEFT - 12)
const y = (percent: number): number => HEIGHT - BOTTOM - (Math.min(percent, MOST) / MOST) * (HEIGHT - BOTTOM - 12)
const percentOf = (wad: string): number => Number(wad) / 1e16
const pathOf = (points: readonly { epoch: number; percent: number }[]): string =>
  points.map(({ epoch, percent }, index) => `${index === 0 ? 'M' : 'L'}${x(epoch).toFixed(1)} ${y(percent).toFixed(1)}`).join('')

/** Figure 9: ten years of emission (full) and revenue (dashed) as the model has them, and the epochs of this chain as dots. */
export function TenYearsChart({
  curves,
  history,
  present,
}: {
  curves: readonly Curve[]
  history: readonly EmissionPoint[]
  present: EmissionPoint
}) {
  return (
    <svg
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      className="chart"
      role="img"
      aria-label="Ten years of emission: three scenarios, and this chain"
    >
      {[0, 2.5, 5, 10, 15].map(percent => (
        <g key={percent}>
          <line x1={LEFT} x2={WIDTH - 12} y1={y(percent)} y2={y(percent)} className="grid" />
          <text x={LEFT - 6} y={y(percent) + 4} textAnchor="end">
            {percent} %
          </text>
        </g>
      ))}
      {[0, 2, 4, 6, 8, 10].map(year => (
        <text key={year} x={x((year * EPOCHS) / YEARS)} y={HEIGHT - BOTTOM + 18} textAnchor={year === YEARS ? 'end' : 'middle'}>
          {year === 0 ? 'start' : `year ${year}`}
        </text>
      ))}
      {curves.map(({ name, points }, index) => (
        <g key={name} className={`scenario scenario-${index}`}>
          <path d={pathOf(points.map(point => ({ epoch: point.epoch, percent: percentOf(point.emissionRateWad) })))} />
          <path d={pathOf(points.map(point => ({ epoch: point.epoch, percent: percentOf(point.revenueRateWad) })))} className="revenue" />
          <text x={LEFT + (index * (WIDTH - LEFT)) / curves.length} y={HEIGHT - 8}>
            {name}
          </text>
        </g>
      ))}
      {history.map(point => (
        <circle key={point.epoch} cx={x(point.epoch)} cy={y(percentOf(point.emissionRateWad))} r="4" className="past">
          <title>epoch {point.epoch}</title>
        </circle>
      ))}
      <circle cx={x(present.epoch)} cy={y(percentOf(present.emissionRateWad))} r="6" className="present">
        <title>epoch {present.epoch}, now</title>
      </circle>
    </svg>
  )
}
