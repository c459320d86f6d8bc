import type { JobPreferences, PodRecord } from '#protocol'
import { testPod } from '../../../src/orchestration/router/testing/harness.ts'
import { type Chance, createChance } from './chance.ts'
import { CALM, STORM } from './network.ts'
import type { NodeKind, NodePlan } from './node.ts'

/** One thing that a story does to the network, at its time. */
export type Happening = { readonly atMs: number } & (
  | { readonly kind: 'request'; readonly request: RequestPlan }
  | { readonly kind: 'deposit'; readonly payer: number; readonly amount: bigint; readonly times: number }
  | { readonly kind: 'gateway'; readonly downMs: number }
  | { readonly kind: 'sequencer'; readonly downMs: number }
  | { readonly kind: 'database'; readonly downMs: number }
  | { readonly kind: 'node'; readonly node: number; readonly how: 'crash' | 'power' | 'cut' | 'break' | 'jail'; readonly downMs: number }
  | { readonly kind: 'chain'; readonly how: 'away' | 'unsteady' | 'lost block'; readonly forMs: number }
)
export type RequestPlan = {
  readonly payer: number
  readonly pod: number
  readonly maxTokens: number
  readonly isStream: boolean
  readonly preferences: Partial<JobPreferences>
  /** The client leaves so long after it asked; null: it stays. */
  readonly leavesAfterMs: number | null
}
export type Scenario = {
  readonly seed: number
  readonly pods: readonly PodRecord[]
  readonly nodes: readonly NodePlan[]
  readonly payers: number
  readonly happenings: readonly Happening[]
}

/** Faults and requests of a story lie within this much virtual time. */
const STORY_MS = 10_000
const PRICE = { input: '1000000000000', output: '1000000000000' }
const TIMEOUTS = { queueMs: 4_000, loadMs: 8_000, firstTokenMs: 3_000, betweenTokensMs: 1_500, totalMs: 15_000 }
const SCALING = { min: 0, max: 8, scaleDownAfterMs: 4_000 }

function podOf(name: string): PodRecord {
  const resources = { gpuCount: 1, vramBytes: 2 ** 34 }
  const pod = testPod(name, { price: PRICE, timeouts: TIMEOUTS, scaling: SCALING, resources })
  return { ...pod, deployer: '0x0000000000000000000000000000000000000002' }
}

const KINDS: readonly NodeKind[] = ['honest', 'honest', 'honest', 'honest', 'flaky', 'liar', 'mute', 'weak']

function nodePlan(index: number, pods: readonly PodRecord[], chance: Chance): NodePlan {
  return {
    name: `node${index}`,
    // One that does all well, so that a network has somebody to come back to.
    kind: index === 0 ? 'honest' : chance.of(KINDS),
    pods: index === 0 ? pods : pods.filter(() => chance.happens(0.8)),
    slots: chance.between(1, 3),
    weather: index > 0 && chance.happens(0.2) ? STORM : CALM,
    skewMs: chance.between(-2_000, 2_000),
    isCold: chance.happens(0.3),
  }
}

function request(chance: Chance, payers: number, pods: number): RequestPlan {
  const preferences: Partial<JobPreferences> = {
    on_failure: chance.happens(0.8) ? 'retry' : 'discard',
    max_attempts: chance.between(1, 3),
    ...(chance.happens(0.1) && { deadline_ms: chance.between(200, 5_000) }),
    ...(chance.happens(0.25) && { hedge_after_ms: chance.between(5, 400) }),
  }
  return {
    payer: chance.between(0, payers - 1),
    pod: chance.between(0, pods - 1),
    maxTokens: chance.between(1, 12),
    isStream: chance.happens(0.7),
    preferences,
    leavesAfterMs: chance.happens(0.15) ? chance.between(1, 1_500) : null,
  }
}

function fault(chance: Chance, nodes: number): Happening {
  const atMs = chance.between(200, STORY_MS)
  const downMs = chance.between(50, 4_000)
  const dice = chance.next()
  if (dice < 0.15) return { kind: 'gateway', atMs, downMs }
  if (dice < 0.25) return { kind: 'sequencer', atMs, downMs }
  if (dice < 0.35) return { kind: 'database', atMs, downMs: chance.happens(0.1) ? 20_000 : downMs }
  if (dice < 0.5) return { kind: 'chain', atMs, how: chance.of(['away', 'unsteady', 'lost block'] as const), forMs: downMs }
  const how = chance.of(['crash', 'power', 'cut', 'break', 'break', 'jail'] as const)
  return { kind: 'node', atMs, node: chance.between(0, nodes - 1), how, downMs: chance.happens(0.2) ? 20_000 : downMs }
}

/** The story of a seed: who is there, what is asked, and what goes wrong. One in fifty has hundreds of nodes. */
export function scenarioOf(seed: number): Scenario {
  const chance = createChance(seed).stream('scenario')
  const pods = ['chat/one', 'chat/two'].slice(0, chance.between(1, 2)).map(podOf)
  const count = seed % 50 === 49 ? chance.between(100, 300) : chance.between(1, 7)
  const nodes = Array.from({ length: count }, (_, index) => nodePlan(index, pods, chance))
  const payers = chance.between(1, 4)
  const requests = Array.from({ length: chance.between(10, 60) }, (): Happening => {
    const isRush = chance.happens(0.5)
    return {
      kind: 'request',
      atMs: isRush ? chance.between(500, 1_500) : chance.between(0, STORY_MS),
      request: request(chance, payers, pods.length),
    }
  })
  const deposits = Array.from({ length: payers }, (_, payer): Happening => {
    const amount = chance.happens(0.2) ? 300n : 1_000_000n
    return { kind: 'deposit', atMs: chance.between(0, 50), payer, amount, times: chance.between(1, 2) }
  })
  const faults = Array.from({ length: chance.between(0, 8) }, () => fault(chance, count))
  const happenings = [...deposits, ...requests, ...faults].sort((a, b) => a.atMs - b.atMs)
  return { seed, pods, nodes, payers, happenings }
}
