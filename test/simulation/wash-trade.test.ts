import { describe, expect, test } from 'vitest'
import { DEFAULT_SPLIT_BPS } from '#economics'
import { BPS, WAD } from '#protocol'
import { breakEvenBps, LAUNCH, PROPOSED, profitOf, STRATEGIES, type Strategy } from './wash-trade.ts'

/** wp §3.2.1 asks for organic demand; DESIGN §6.3 for the share of capacity below which faking it loses money. */
const GOAL_BPS = 6_000n

const called = (name: string): Strategy => {
  const found = STRATEGIES.find(strategy => strategy.name === name)
  if (!found) throw new Error(`no strategy is called ${name}`)
  return found
}

describe('a wash trader under the proposed parameters', () => {
  test.each(STRATEGIES.map(strategy => [strategy.name, strategy] as const))(
    'default: below 60 %% of open capacity it loses: %s',
    (_, strategy) => {
      const breakEven = breakEvenBps(strategy, PROPOSED)
      // A captured draw takes place among part of the network: capacity in it is what the attacker must have.
      const open = strategy.route === 'captured' ? PROPOSED.openCapacityBps : BPS
      if (breakEven !== null) expect((breakEven * BPS) / open).toBeGreaterThanOrEqual(GOAL_BPS)
    },
  )

  test('behavior: above the break-even the attack pays, so the search can fail', () => {
    const breakEven = breakEvenBps(called('open'), PROPOSED) ?? 0n
    const market = { honestWei: 4_000n * WAD, washWei: 4_000n * WAD }
    expect(profitOf({ ...market, capacityBps: breakEven + 100n }, called('open'), PROPOSED)).toBeGreaterThan(0n)
    expect(profitOf({ ...market, capacityBps: breakEven - 100n }, called('open'), PROPOSED)).toBeLessThan(0n)
  })
})

describe('a wash trader under the launch parameters', () => {
  test('default: launch splits as the contracts do', () => {
    expect(LAUNCH.split).toEqual(DEFAULT_SPLIT_BPS)
  })

  test('behavior: paying oneself under open routing breaks even at 65 %', () => {
    expect(breakEvenBps(called('open'), LAUNCH)).toBe(6_539n)
    expect(breakEvenBps(called('open in bursts'), LAUNCH)).toBe(6_539n)
  })

  test('behavior: pinned and referred jobs never pay without votes', () => {
    expect(breakEvenBps(called('pinned'), LAUNCH)).toBeNull()
    expect(breakEvenBps(called('referred'), LAUNCH)).toBeNull()
  })

  // Open findings (ADR 0015): each of these fails when it is fixed, and then moves to the list above.
  test.each([
    ['open with votes', 5_764n],
    ['pinned with votes', 1n],
    ['sybil owners', 1n],
    ['captured pod with votes', 1n],
    ['slow nodes', 1n],
  ])('finding: %s pays from %s basis points of capacity', (name, breakEven) => {
    expect(breakEvenBps(called(name), LAUNCH)).toBe(breakEven)
  })
})
