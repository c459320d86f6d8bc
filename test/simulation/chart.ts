/** Line charts as SVG, without a library: axes, a legend, one path for each series. */
export type Series = { readonly name: string; readonly points: readonly number[]; readonly isDashed?: boolean; readonly colour: string }
export type Chart = {
  readonly title: string
  readonly series: readonly Series[]
  /** Unit of the upright axis, and what the first and the last point stand for on the other. */
  readonly unit: string
  readonly from: string
  readonly to: string
}

const [WIDTH, HEIGHT] = [760, 400]
const EDGE = { left: 64, right: 20, top: 44, bottom: 84 }
const TICKS = 5

/** A round number at or above `value`: 1, 2, 2.5 or 5 times a power of ten. */
function roundUp(value: number): number {
  if (value <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 2.5, 5, 10].find(step => step * power >= value * 0.999_999) ?? 10) * power
}

const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;')
const short = (value: number): string => String(Number(value.toPrecision(4)))

/** The axis starts at zero unless all values are far from it. */
function rangeOf(series: readonly Series[]): { readonly low: number; readonly high: number } {
  const all = series.flatMap(({ points }) => points)
  const [low, high] = [Math.min(...all), Math.max(...all)]
  if (low > 0.5 * high)
    return { low: Math.floor(low * 10) / 10, high: Math.floor(low * 10) / 10 + roundUp(high - Math.floor(low * 10) / 10) }
  return { low: 0, high: roundUp(high) }
}

export function lineChart({ title, series, unit, from, to }: Chart): string {
  const { low, high } = rangeOf(series)
  const [wide, tall] = [WIDTH - EDGE.left - EDGE.right, HEIGHT - EDGE.top - EDGE.bottom]
  const y = (value: number): number => EDGE.top + tall * (1 - (value - low) / (high - low))
  const x = (index: number, count: number): number => EDGE.left + (wide * index) / Math.max(1, count - 1)
  const path = ({ points }: Series): string =>
    points.map((value, index) => `${index ? 'L' : 'M'}${x(index, points.length).toFixed(1)} ${y(value).toFixed(1)}`).join('')
  const ticks = Array.from({ length: TICKS + 1 }, (_, index) => low + ((high - low) * index) / TICKS)
  const columns = 3
  const legend = (index: number): { readonly left: number; readonly top: number } => ({
    left: EDGE.left + (index % columns) * (wide / columns),
    top: HEIGHT - EDGE.bottom + 44 + Math.floor(index / columns) * 18,
  })
  const stroke = ({ colour, isDashed }: Series): string => `stroke="${colour}" stroke-width="2"${isDashed ? ' stroke-dasharray="6 4"' : ''}`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#333">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${EDGE.left}" y="24" font-size="15" font-weight="bold">${escaped(title)}</text>`,
    ...ticks.map(
      value =>
        `<path d="M${EDGE.left} ${y(value).toFixed(1)}h${wide}" stroke="#ddd"/><text x="${EDGE.left - 8}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end">${short(value)}${unit}</text>`,
    ),
    `<text x="${EDGE.left}" y="${HEIGHT - EDGE.bottom + 20}">${escaped(from)}</text>`,
    `<text x="${WIDTH - EDGE.right}" y="${HEIGHT - EDGE.bottom + 20}" text-anchor="end">${escaped(to)}</text>`,
    ...series.map(line => `<path d="${path(line)}" fill="none" ${stroke(line)}/>`),
    ...series.map((line, index) => {
      const { left, top } = legend(index)
      return `<path d="M${left} ${top - 4}h24" ${stroke(line)}/><text x="${left + 30}" y="${top}">${escaped(line.name)}</text>`
    }),
    '</svg>\n',
  ].join('\n')
}
