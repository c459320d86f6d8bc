import { describe, expect, test } from 'vitest'
import { uniform } from './philox.ts'
import { type Candidates, type PickContext, pickToken, type SamplingSettings, tokenLogprob } from './sampler.ts'

const free: SamplingSettings = {
  temperature: 1,
  topP: 1,
  topK: 0,
  minP: 0,
  frequencyPenalty: 0,
  presencePenalty: 0,
  logitBias: new Map(),
  seed: 1n,
}
/** Token i has the weight 2^-i. */
const whole: Candidates = {
  ids: [0, 1, 2, 3, 4, 5, 6, 7],
  logits: Array.from({ length: 8 }, (_, i) => -i * Math.LN2),
  totalWeight: 2 - 2 ** -7,
}
const short = (length: number): Candidates => ({
  ids: whole.ids.slice(0, length),
  logits: whole.logits.slice(0, length),
  totalWeight: null,
})

function context(settings: Partial<SamplingSettings>, more: Partial<PickContext> = {}): PickContext {
  return { settings: { ...free, ...settings }, counts: new Map(), allows: null, draw: () => 0.5, vocabularySize: 8, ...more }
}

/** Shares of the tokens over many positions. */
function shares(candidates: Candidates, options: PickContext): number[] {
  const draws = 40_000
  const counts = new Array<number>(8).fill(0)
  for (let position = 0; position < draws; position++) {
    const at = { ...options, draw: (draw: number) => uniform(9n, { choice: 0, position, draw }) }
    const picked = pickToken(candidates, at)
    const id = picked === 'widen' ? pickToken(whole, at, candidates.ids.length) : picked
    if (typeof id !== 'number') throw new Error('no token was picked')
    counts[id]!++
  }
  return counts.map(count => count / draws)
}

function expectShares(actual: readonly number[], weights: readonly number[]): void {
  const total = weights.reduce((a, b) => a + b, 0)
  for (const [i, share] of actual.entries()) expect(Math.abs(share - (weights[i] ?? 0) / total), `token ${i}`).toBeLessThan(0.01)
}

describe('pickToken', () => {
  test('default: every token comes as often as the model says', () => {
    expectShares(shares(whole, context({})), whole.logits.map(Math.exp))
  })

  test.each([0.5, 2])('behavior: temperature %d', temperature => {
    expectShares(
      shares(whole, context({ temperature })),
      whole.logits.map(logit => Math.exp(logit / temperature)),
    )
  })

  test('behavior: temperature 0 takes the best', () => {
    expect(pickToken(whole, context({ temperature: 0, topP: 0.1 }))).toBe(0)
  })

  test('behavior: a short list is widened exactly as often as the tail deserves', () => {
    for (const length of [1, 2, 5]) expectShares(shares(short(length), context({})), whole.logits.map(Math.exp))
    expectShares(
      shares(short(3), context({ temperature: 0.7 })),
      whole.logits.map(logit => Math.exp(logit / 0.7)),
    )
  })

  test('behavior: top_k, top_p and min_p cut the tail', () => {
    expectShares(shares(whole, context({ topK: 3 })), [4, 2, 1])
    // 1/2 + 1/4 reaches 0.7 of the total.
    expectShares(shares(whole, context({ topP: 0.7 })), [2, 1])
    expectShares(shares(whole, context({ minP: 0.2 })), [4, 2, 1])
    expectShares(shares(whole, context({ topP: 0 })), [1])
  })

  test('behavior: bias and penalties move tokens', () => {
    expect(pickToken(whole, context({ temperature: 0, logitBias: new Map([[5, 10]]) }))).toBe(5)
    expect(pickToken(whole, context({ temperature: 0, logitBias: new Map([[0, -100]]) }))).toBe(1)
    const counts = new Map([[0, 2]])
    expect(pickToken(whole, context({ temperature: 0, frequencyPenalty: 0.5 }, { counts }))).toBe(1)
    expect(pickToken(whole, context({ temperature: 0, presencePenalty: 0.5 }, { counts }))).toBe(0)
    expect(pickToken(whole, context({ temperature: 0, presencePenalty: 0.8 }, { counts }))).toBe(1)
  })

  test('behavior: a grammar leaves only what it allows', () => {
    const odd = (id: number) => id % 2 === 1
    expect(pickToken(whole, context({ temperature: 0 }, { allows: odd }))).toBe(1)
    expectShares(
      shares(whole, context({}, { allows: odd })),
      whole.logits.map((logit, id) => (odd(id) ? Math.exp(logit) : 0)),
    )
    expect(pickToken(short(1), context({ temperature: 0 }, { allows: odd }))).toBe('widen')
    expect(pickToken(short(1), context({}, { allows: odd, draw: () => 0.1 }))).toBe('widen')
    expect(pickToken(whole, context({}, { allows: () => false }))).toBeNull()
  })
})

describe('tokenLogprob', () => {
  const options = { top: 2, bytesOf: (id: number) => Buffer.from(id === 3 ? [0xe6, 0x97] : `t${id}`) }

  test('default: the raw model before temperature, truncation and bias', () => {
    const { logprob, token, bytes, top_logprobs } = tokenLogprob(whole, 1, options)
    expect(Math.exp(logprob)).toBeCloseTo(0.5 / (2 - 2 ** -7), 10)
    expect({ token, bytes }).toEqual({ token: 't1', bytes: [116, 49] })
    expect(top_logprobs.map(entry => entry.token)).toEqual(['t0', 't1'])
  })

  test('behavior: half a character keeps its bytes', () => {
    expect(tokenLogprob(whole, 3, options)).toMatchObject({ token: '\ufffd', bytes: [0xe6, 0x97] })
  })

  test('behavior: a token without a figure', () => {
    expect(tokenLogprob(short(2), 1, options).logprob).toBe(-9999)
  })
})
