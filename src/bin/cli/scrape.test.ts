import { expect, test } from 'vitest'
import { createMetrics } from '#platform'
import { parseSamples, quantileOf, sumOf } from './scrape.ts'

test('default: reads what our own registry writes', async () => {
  const metrics = createMetrics()
  metrics.counter('heurist_a_total', 'Things.', ['outcome']).inc({ outcome: 'say "ok", {yes}\\' }, 3)
  metrics.gauge('heurist_b', 'A number.').set(-1.5e-7)
  const samples = parseSamples(await metrics.registry.metrics())
  expect(samples).toHaveLength(2)
  expect(sumOf(samples, 'heurist_a_total')).toBe(3)
  expect(sumOf(samples, 'heurist_a_total', ({ outcome }) => outcome === 'error')).toBe(0)
  expect(sumOf(samples, 'heurist_b')).toBe(-1.5e-7)
  expect(parseSamples('<html>\nno metrics here</html>')).toEqual([])
})

test('behavior: quantiles over all labels, since the scrape before, and none without observations', async () => {
  const metrics = createMetrics()
  const seconds = metrics.histogram('heurist_c_seconds', 'Time.', { labels: ['model'], buckets: [0.1, 0.2, 1] })
  const take = async () => parseSamples(await metrics.registry.metrics())
  for (let i = 0; i < 10; i++) seconds.observe({ model: 'a' }, 5)
  const before = await take()
  expect(quantileOf(0.5, 'heurist_c_seconds', before, [])).toBe(1)
  expect(quantileOf(0.5, 'heurist_c_seconds', before, before)).toBeNull()
  for (let i = 0; i < 10; i++) seconds.observe({ model: i % 2 ? 'a' : 'b' }, 0.15)
  const now = await take()
  expect(quantileOf(0.5, 'heurist_c_seconds', now, before)).toBeCloseTo(0.15)
  expect(quantileOf(1, 'heurist_c_seconds', now, before)).toBeCloseTo(0.2)
  expect(quantileOf(0.5, 'heurist_other_seconds', now, before)).toBeNull()
})
