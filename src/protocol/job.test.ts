import { describe, expect, test } from 'vitest'
import { canMove, isTerminal, JOB_TRANSITIONS, type JobState, jobPreferencesSchema, outputHash } from './job.ts'

const STATES = Object.keys(JOB_TRANSITIONS) as JobState[] // cast: the keys of the literal table

describe('job states', () => {
  test('behavior: L2 the three terminal states have no way out, all others can end', () => {
    expect(STATES.filter(isTerminal)).toEqual(['succeeded', 'failed', 'cancelled'])
    for (const state of STATES.filter(each => !isTerminal(each))) {
      expect(canMove(state, 'failed'), state).toBe(true)
      expect(canMove(state, 'cancelled'), state).toBe(true)
    }
  })

  test('behavior: only a running job succeeds, and no other transition exists', () => {
    const allowed = STATES.flatMap(from => STATES.filter(to => canMove(from, to)).map(to => `${from} -> ${to}`))
    expect(allowed).toEqual([
      'held -> leased',
      'held -> failed',
      'held -> cancelled',
      'leased -> held',
      'leased -> running',
      'leased -> failed',
      'leased -> cancelled',
      'running -> held',
      'running -> succeeded',
      'running -> failed',
      'running -> cancelled',
    ])
  })
})

describe('preferences', () => {
  test('default: retry, at most three attempts', () => {
    expect(jobPreferencesSchema.parse({})).toEqual({ on_failure: 'retry', max_attempts: 3, on_cold: 'wait' })
  })

  test('error: unknown names and values out of bounds are refused', () => {
    for (const bad of [
      { max_price: 1 },
      { deadline_ms: 0 },
      { deadline_ms: -5 },
      { max_attempts: 99 },
      { on_failure: 'explode' },
      { allow_nodes: ['node-1'] },
      { max_price_credits: -1 },
    ]) {
      expect(jobPreferencesSchema.safeParse(bad).success, JSON.stringify(bad)).toBe(false)
    }
  })
})

describe('outputHash', () => {
  const choice = (index: number, text: string) => ({ index, text, toolCalls: [], finishReason: 'stop' as const })

  test('behavior: the order of arrival does not matter, the content does', () => {
    expect(outputHash([choice(1, 'b'), choice(0, 'a')])).toBe(outputHash([choice(0, 'a'), choice(1, 'b')]))
    expect(outputHash([choice(0, 'a')])).not.toBe(outputHash([choice(0, 'b')]))
    expect(outputHash([{ ...choice(0, 'a'), finishReason: 'length' }])).not.toBe(outputHash([choice(0, 'a')]))
  })
})
