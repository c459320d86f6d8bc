import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { metricsIn, readMetrics } from './support/metrics.ts'
import { ROOT } from './support/source.ts'

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const metrics = readMetrics()
const names = new Set(metrics.map(({ name }) => name))

const dashboardSchema = z.object({
  schemaVersion: z.number(),
  panels: z.array(
    z.object({
      id: z.number(),
      title: z.string(),
      type: z.string(),
      gridPos: z.object({ h: z.number(), w: z.number(), x: z.number(), y: z.number() }),
      targets: z.array(z.object({ expr: z.string() })).optional(),
    }),
  ),
})
const alertSchema = z.strictObject({
  alert: z.string().regex(/^[A-Z]\w+$/),
  expr: z.string(),
  for: z
    .string()
    .regex(/^\d+[smh]$/)
    .optional(),
  labels: z.strictObject({ severity: z.enum(['page', 'ticket']) }),
  annotations: z.strictObject({ law: z.string(), summary: z.string(), action: z.string() }),
})
const rulesSchema = z.strictObject({ groups: z.array(z.strictObject({ name: z.string(), rules: z.array(alertSchema) })) })

const dashboard = dashboardSchema.parse(JSON.parse(read('deploy/grafana/heurist.json')))
const alerts = rulesSchema.parse(parse(read('deploy/prometheus/alerts.yml'))).groups.flatMap(({ rules }) => rules)

describe('metrics', () => {
  test('default: there are metrics of every feature that runs by itself', () => {
    const areas = new Set(metrics.map(({ name }) => name.split('_')[1]))
    const features = ['autoscaler', 'bus', 'database', 'gateway', 'indexer', 'keeper', 'ledger', 'node', 'payment', 'router', 'sequencer']
    expect([...areas]).toEqual(expect.arrayContaining(features))
  })

  test('behavior: each has one name in base units and a help text that is a sentence', () => {
    expect(names.size).toBe(metrics.length)
    for (const { name, type, help, labels } of metrics) {
      expect(name, name).toMatch(/^heurist_[a-z]+_[a-z_]+[a-z]$/)
      expect(name.endsWith('_total'), `${name}: counters and only counters end with _total`).toBe(type === 'counter')
      if (type === 'histogram') expect(name, name).toMatch(/_(seconds|bytes)$/)
      expect(name, name).not.toMatch(/_(ms|milliseconds|kb|mb|percent)(_|$)/)
      expect(help, name).toMatch(/^[A-Z0-9][^\n]{10,}\.$/)
      for (const label of labels)
        expect(label, `${name}: a label with many values costs a series each`).not.toMatch(/job|account|key|node_?id/i)
    }
  })
})

describe('dashboard', () => {
  test('behavior: every query asks for metrics that exist, and every metric is on it', () => {
    const queries = dashboard.panels.flatMap(panel => (panel.targets ?? []).map(({ expr }) => expr))
    const shown = new Set(queries.flatMap(query => metricsIn(query, metrics)))
    expect([...shown].filter(name => !names.has(name))).toEqual([])
    expect([...names].filter(name => !shown.has(name) && !/reorganisations|indexer_events/.test(name))).toEqual([])
  })

  test('behavior: panels do not overlap', () => {
    const cells = new Map<string, string>()
    for (const { title, gridPos } of dashboard.panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(cells.get(`${x},${y}`), `${title} lies on another panel`).toBeUndefined()
          cells.set(`${x},${y}`, title)
        }
      }
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24)
    }
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length)
  })
})

describe('alerts', () => {
  const guide = read('docs/guides/operate.md')

  test('behavior: each asks for metrics that exist and cites a law of the guide, word for word', () => {
    expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length)
    for (const { alert, expr, annotations } of alerts) {
      const asked = metricsIn(expr, metrics)
      if (alert !== 'RoleDown') expect(asked.length, alert).toBeGreaterThan(0)
      expect(
        asked.filter(name => !names.has(name)),
        alert,
      ).toEqual([])
      const [, law = '', text = ''] = /^([LRCN]\d): (.+)$/.exec(annotations.law) ?? []
      expect(guide, `${alert} cites ${law}`).toContain(`| ${law} | ${text}`)
      expect(guide, `${alert} is explained`).toContain(`\`${alert}\``)
    }
  })

  test('behavior: labels in a query are labels that the metric has', () => {
    for (const { alert, expr } of alerts) {
      for (const [, series = '', selector = ''] of expr.matchAll(/\b(heurist_\w+)\{([^}]*)\}/g)) {
        const labels = metrics.find(({ name }) => name === series)?.labels ?? []
        for (const [, label = ''] of selector.matchAll(/(\w+)\s*[=!]/g)) expect(labels, `${alert}: ${series}`).toContain(label)
      }
    }
  })

  test('behavior: the laws of money and jobs are guarded', () => {
    const guarded = new Set(alerts.map(({ annotations }) => annotations.law.slice(0, 2)))
    expect([...guarded]).toEqual(expect.arrayContaining(['L1', 'L2', 'L3', 'L5', 'L6', 'L7', 'L8', 'R1', 'R2', 'R3', 'C2', 'C6']))
  })
})
