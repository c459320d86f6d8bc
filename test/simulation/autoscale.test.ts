import { describe, expect, test } from 'vitest'
import { fixedRule, forecastReplicaMs, generatedDay, ourRule, play, SLOTS, tracedHour } from './autoscale.ts'
import { azureRequests, dayOf } from './demand.ts'
import { seededRandom } from './random.ts'

describe('a simulated day', () => {
  test('default: our rule lets fewer jobs find it cold than Knative does, for far less than always on', () => {
    const { rows } = generatedDay(4)
    const of = (name: string) => rows.find(({ rule }) => rule.startsWith(name))
    expect(of('heurist')?.coldPercent).toBeLessThan(of('Knative')?.coldPercent ?? 0)
    expect(of('heurist')?.hours).toBeLessThan(0.7 * (of('always on')?.hours ?? 0))
    expect(of('heurist')?.hours).toBeGreaterThan(of('perfect')?.hours ?? Number.POSITIVE_INFINITY)
  })

  test('behavior: demand has the published shape', () => {
    const random = seededRandom(7)
    expect(dayOf(0.45, random).length).toBeGreaterThan(8)
    expect(dayOf(0.45, random).length).toBeLessThan(48)
    const minutely = dayOf(0.81, random)
    expect(minutely.length / 1_440).toBeCloseTo(1, 0)
    const median = minutely.map(({ durationMs }) => durationMs).sort((a, b) => a - b)[Math.floor(minutely.length / 2)] ?? 0
    expect(median / 1_000).toBeCloseTo(Math.exp(-0.38), 0)
  })

  test('behavior: every job is served, and with enough replicas none waits', () => {
    const day = dayOf(0.95, seededRandom(3))
    const { peak } = forecastReplicaMs(day)
    const enough = play(day, fixedRule(peak), { present: peak })
    expect(Math.max(...enough.waitsMs)).toBe(0)
    expect(enough.coldStarts).toBe(0)
    // The last may still wait at midnight.
    expect(play(day, ourRule()).waitsMs.length).toBeGreaterThan(day.length - 2 * SLOTS)
  })

  test('behavior: the real hour has the published requests, and our rule lets fewer of them wait long than Knative does', () => {
    expect(azureRequests('code').length).toBe(8_819)
    expect(azureRequests('conv').length).toBe(19_366)
    expect(azureRequests('conv').at(-1)?.atMs).toBe(3_501_722)
    const { rows, jobs } = tracedHour()
    expect(jobs).toBe(8_819 + 19_366)
    const of = (name: string) => rows.find(({ rule }) => rule.startsWith(name))
    expect(of('heurist')?.p99Ms).toBeLessThan(of('Knative')?.p99Ms ?? 0)
    expect(of('heurist')?.hours).toBeLessThan(of('always on')?.hours ?? 0)
  })
})
