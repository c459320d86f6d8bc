import type { GatewayRow } from './gateway/measure.ts'

const WIDTH = 760
const BAR = 22
const GAP = 8
const LEFT = 190
const RIGHT = 90

type Panel = { readonly title: string; readonly unit: string; readonly measured: (row: GatewayRow) => number }

const PANELS: readonly Panel[] = [
  { title: 'CPU per unary request (less is better)', unit: 'µs', measured: row => row.unaryCpuUs },
  { title: 'unary requests, 64 callers (more is better)', unit: '/s', measured: row => row.unaryPerSecond },
  { title: 'CPU per streamed token (less is better)', unit: 'µs', measured: row => row.streamCpuUs },
]

function panelOf({ title, unit, measured }: Panel, rows: readonly GatewayRow[], top: number): { text: string; height: number } {
  const shown = rows.filter(row => Number.isFinite(measured(row)))
  const largest = Math.max(...shown.map(measured))
  const bars = shown.map((row, i) => {
    const value = measured(row)
    const y = top + 24 + i * (BAR + GAP)
    const width = Math.max(1, (value / largest) * (WIDTH - LEFT - RIGHT))
    const colour = row.name === 'heurist' ? '#e07b39' : '#9db4c0'
    const number = value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en')
    return [
      `<text x="${LEFT - 8}" y="${y + 15}" text-anchor="end">${row.name}</text>`,
      `<rect x="${LEFT}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" fill="${colour}"/>`,
      `<text x="${(LEFT + width + 6).toFixed(1)}" y="${y + 15}">${number} ${unit}</text>`,
    ].join('\n')
  })
  const height = 24 + shown.length * (BAR + GAP) + 16
  return { text: [`<text x="0" y="${top + 14}" font-weight="bold">${title}</text>`, ...bars].join('\n'), height }
}

/** The gateways side by side, as bars. */
export function comparisonChart(rows: readonly GatewayRow[]): string {
  const panels: string[] = []
  let top = 8
  for (const panel of PANELS) {
    const { text, height } = panelOf(panel, rows, top)
    panels.push(text)
    top += height
  }
  const size = `viewBox="0 0 ${WIDTH} ${top}"`
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="13" fill="#333">\n${panels.join('\n')}\n</svg>\n`
}
