import { describe, expect, test } from 'vitest'
import { HeuristError } from '#protocol'
import { errorBody, errorHeaders, gatewayError, statusOf, toGatewayError } from './errors.ts'

describe('toGatewayError', () => {
  test('default: what is ours stays', () => {
    const error = gatewayError('model_not_found', 'no such model', { param: 'model' })
    expect(toGatewayError(error)).toBe(error)
    expect(statusOf(error)).toBe(404)
    expect(errorBody(error)).toEqual({
      error: { message: 'no such model', type: 'invalid_request_error', param: 'model', code: 'model_not_found' },
    })
  })

  test('behavior: all four keys, null where nothing is known', () => {
    expect(Object.keys(errorBody(gatewayError('server_error', 'x')).error)).toEqual(['message', 'type', 'param', 'code'])
  })

  test('behavior: what is not known tells no internals', () => {
    const error = toGatewayError(new TypeError('secret /var/lib/heurist.ts:12'))
    expect(statusOf(error)).toBe(500)
    expect(JSON.stringify(errorBody(error))).not.toMatch(/secret|heurist\.ts/)
  })

  test.each([
    ['DATABASE_UNAVAILABLE', 503],
    ['DATABASE_FULL', 503],
    ['CONTROL_FORBIDDEN', 403],
    ['CONTROL_NOT_FOUND', 404],
    ['CONTROL_BAD_REQUEST', 400],
    ['MANIFEST_INVALID', 400],
    ['MODEL_NOT_FOUND', 400],
    ['CHAIN_UNAVAILABLE', 503],
    ['SOMETHING_ELSE', 500],
  ])('behavior: %s answers %i', (code, status) => {
    expect(statusOf(toGatewayError(new HeuristError(code, 'x')))).toBe(status)
  })
})

describe('errorHeaders', () => {
  test('behavior: says when to try again, and when not to', () => {
    expect(errorHeaders(gatewayError('rate_limit_exceeded', 'x', { retryAfterMs: 1_200 }))).toEqual({
      'retry-after': '2',
      'retry-after-ms': '1200',
    })
    expect(errorHeaders(gatewayError('insufficient_quota', 'x'))).toEqual({ 'x-should-retry': 'false' })
    expect(errorHeaders(gatewayError('invalid_api_key', 'x'))).toEqual({ 'www-authenticate': 'Bearer' })
  })

  test('behavior: both limits have the word that clients know', () => {
    expect(errorBody(gatewayError('token_limit_exceeded', 'x')).error).toMatchObject({ code: 'rate_limit_exceeded', type: 'tokens' })
  })
})
