import { describe, expect, test } from 'vitest'
import { createManualClock } from '#platform'
import { isHeuristError } from '#protocol'
import { createRateLimiter, durationText } from './rate-limit.ts'

const key = { keyId: 'a', requestsPerMinute: 60 }

function setUp(options: { tokensPerMinute?: number; concurrentRequests?: number } = {}) {
  const clock = createManualClock()
  return { clock, limiter: createRateLimiter({ tokensPerMinute: 6_000, concurrentRequests: 100, ...options }, { clock }) }
}

function refusalOf(run: () => unknown) {
  try {
    run()
  } catch (error) {
    if (isHeuristError(error))
      return { code: error.code, payload: error.payload as { retryAfterMs: number; headers: Record<string, string> } } // cast: the gateway's own payload
    throw error
  }
  throw new Error('was admitted')
}

describe('createRateLimiter', () => {
  test('default: tells what is left', () => {
    const { limiter } = setUp()
    expect(limiter.admit(key, 100).headers).toEqual({
      'x-ratelimit-limit-requests': '60',
      'x-ratelimit-remaining-requests': '59',
      'x-ratelimit-reset-requests': '1s',
      'x-ratelimit-limit-tokens': '6000',
      'x-ratelimit-remaining-tokens': '5900',
      'x-ratelimit-reset-tokens': '1s',
    })
  })

  test('behavior: requests per minute refill evenly, and the answer says when', () => {
    const { limiter, clock } = setUp()
    for (let i = 0; i < 60; i++) limiter.admit(key, 0).end(0)
    const refused = refusalOf(() => limiter.admit(key, 0))
    expect(refused.code).toBe('rate_limit_exceeded')
    expect(refused.payload.retryAfterMs).toBe(1_000)
    expect(refused.payload.headers['x-ratelimit-remaining-requests']).toBe('0')
    clock.advance(999)
    refusalOf(() => limiter.admit(key, 0))
    clock.advance(1)
    limiter.admit(key, 0)
  })

  test('behavior: tokens that were used beyond the estimate become a debt, unused ones return', () => {
    const { limiter, clock } = setUp()
    limiter.admit(key, 10).end(7_000)
    expect(refusalOf(() => limiter.admit(key, 1)).code).toBe('token_limit_exceeded')
    clock.advance(10_020)
    limiter.admit(key, 1).end(0)
    clock.advance(60_000)
    const admission = limiter.admit(key, 6_000)
    admission.end(1_000)
    admission.end(0)
    expect(limiter.admit(key, 0).headers['x-ratelimit-remaining-tokens']).toBe('5000')
  })

  test('behavior: a request larger than the whole bucket needs a full one', () => {
    const { limiter, clock } = setUp()
    limiter.admit(key, 50_000).end(50_000)
    refusalOf(() => limiter.admit(key, 1))
    clock.advance(8 * 60_000 + 30_000)
    limiter.admit(key, 1)
  })

  test('behavior: running requests are counted until they end', () => {
    const { limiter } = setUp({ concurrentRequests: 2 })
    const first = limiter.admit(key, 0)
    limiter.admit(key, 0)
    expect(refusalOf(() => limiter.admit(key, 0)).code).toBe('rate_limit_exceeded')
    first.end(0)
    limiter.admit(key, 0)
  })

  test('behavior: keys do not share', () => {
    const { limiter } = setUp({ concurrentRequests: 1 })
    limiter.admit(key, 0)
    limiter.admit({ keyId: 'b', requestsPerMinute: 1 }, 0)
    refusalOf(() => limiter.admit(key, 0))
  })

  test('behavior: idle keys are forgotten, so a stream of keys holds no memory', () => {
    const { limiter, clock } = setUp({ concurrentRequests: 1 })
    const running = limiter.admit({ keyId: 'busy', requestsPerMinute: 60 }, 0)
    for (let i = 0; i < 25_000; i++) {
      limiter.admit({ keyId: `k${i}`, requestsPerMinute: 60 }, 0).end(0)
      if (i % 1_000 === 0) clock.advance(2_000)
    }
    // The busy key must still be counted after the sweeps.
    refusalOf(() => limiter.admit({ keyId: 'busy', requestsPerMinute: 60 }, 0))
    running.end(0)
  })
})

test('durationText', () => {
  expect([60, 999.2, 1000, 1_540, 59_900, 360_000].map(durationText)).toEqual(['60ms', '1000ms', '1s', '1.6s', '59.9s', '6m0s'])
})
