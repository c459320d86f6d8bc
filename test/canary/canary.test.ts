import { expect, test } from 'vitest'

test('this test must fail: it proves that a failing TypeScript test makes the run red', () => {
  expect(1 + 1).toBe(3)
})
