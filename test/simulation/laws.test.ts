import { describe, expect, test } from 'vitest'
import { PLANTED_BUGS } from './laws/bugs.ts'
import { LAWS } from './laws/laws.ts'
import { playSeed } from './laws/play.ts'
import { scenarioOf } from './laws/scenario.ts'
import { shrink } from './laws/shrink.ts'

const STEPS = 500

/** The first seed in which the planted bug breaks its law. */
async function catchBug({ law, seams }: (typeof PLANTED_BUGS)[number]): Promise<number | null> {
  for (let seed = 1; seed <= 60; seed++) if ((await playSeed(seed, STEPS, seams)).broken?.law === law) return seed
  return null
}

describe('laws', () => {
  test('default: a network with faults keeps every law, and work gets done', async () => {
    let [acknowledged, faults] = [0, 0]
    for (let seed = 1; seed <= 8; seed++) {
      const { broken, counts } = await playSeed(seed, STEPS)
      expect(broken, `seed ${seed}`).toBeNull()
      expect(counts.settled).toBeGreaterThanOrEqual(counts.acknowledged)
      acknowledged += counts.acknowledged
      faults += counts.faults
    }
    expect(Math.min(acknowledged, faults)).toBeGreaterThan(0)
  })

  test('default: links that break in the middle of a job are resumed, and no law notices', async () => {
    let resumed = 0
    for (let seed = 1; seed <= 40; seed++) {
      const { broken, counts } = await playSeed(seed, STEPS)
      expect(broken, `seed ${seed}`).toBeNull()
      resumed += counts.resumed
    }
    expect(resumed).toBeGreaterThan(10)
  })

  test('default: every law has a planted bug', () => {
    expect(new Set(PLANTED_BUGS.map(({ law }) => law))).toEqual(new Set(LAWS))
  })

  test.each(PLANTED_BUGS)('behavior: $law is seen to break when $name', async bug => {
    expect(await catchBug(bug)).not.toBeNull()
  })

  test('behavior: a seed tells the same story again, to the last word', async () => {
    const [first, second] = [await playSeed(3, STEPS), await playSeed(3, STEPS)]
    expect(second.trace).toEqual(first.trace)
    expect(second.steps).toBe(first.steps)
    expect(second.virtualMs).toBe(first.virtualMs)
  })

  test('behavior: hundreds of nodes', async () => {
    const scenario = scenarioOf(49)
    expect(scenario.nodes.length).toBeGreaterThanOrEqual(100)
    expect((await playSeed(49, STEPS)).broken).toBeNull()
  })

  test('behavior: a story that breaks a law shrinks to what matters', async () => {
    const { law, seams } = PLANTED_BUGS.find(({ name }) => name.startsWith('a deposit'))!
    const seed = (await catchBug({ name: '', law, seams }))!
    const { broken, scenario } = await shrink(scenarioOf(seed), law, { steps: STEPS, seams })
    expect(broken?.law).toBe(law)
    expect(scenario.happenings.map(({ kind }) => kind)).toEqual(['deposit'])
  })
})
