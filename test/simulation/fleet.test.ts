import { describe, expect, test } from 'vitest'
import { DESIGN_TARGET, playFleet } from './fleet.ts'

/** A tenth of the design target, at 96 % of its slots: the rules show their difference where room is scarce. */
const SMALL = { ...DESIGN_TARGET, gateways: 10, routers: 20, nodes: 10_000, jobsPerSecond: 1_200, seconds: 30 }

describe('a choice made from half-second-old news', () => {
  test('default: two choices misplace fewer jobs than chance, and do not herd as the freest does', () => {
    const [random, freest, two] = (['random', 'freest', 'two choices'] as const).map(rule => playFleet(rule, SMALL))
    expect(two!.misplaced).toBeLessThan(random!.misplaced / 2)
    expect(two!.misplaced).toBeLessThan(freest!.misplaced / 2)
    expect(two!.worstQueue).toBeLessThan(random!.worstQueue)
  })
  test('behavior: the same seed tells the same story', () => {
    const short = { ...SMALL, seconds: 5 }
    expect(playFleet('two choices', short)).toEqual(playFleet('two choices', short))
  })
})
