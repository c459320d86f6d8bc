import { encodeAbiParameters, keccak256 } from 'viem'
import { expect, test } from 'vitest'
import { votersPotOf } from './voters-pot.ts'

test('the pot of a pod is the account that the contract computes', () => {
  const podId = keccak256('0x01')
  const encoded = encodeAbiParameters([{ type: 'string' }, { type: 'bytes32' }], ['pod voters', podId])
  expect(votersPotOf(podId)).toBe(`0x${keccak256(encoded).slice(-40)}`)
})
