import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readHotMessage } from './link-checks.ts'
import { nodeMessageSchema } from './messages.ts'

const hex = (bytes: number) => fc.uint8Array({ minLength: bytes, maxLength: bytes }).map(value => `0x${Buffer.from(value).toString('hex')}`)
const count = fc.nat()
/** What a peer may put anywhere instead of what belongs there. */
const junk = fc.oneof(
  fc.constantFrom(null, undefined, -1, 1.5, 0, 2 ** 60, '', '0x', [], {}, true, Number.NaN),
  fc.jsonValue(),
  hex(32),
  hex(65),
)
const ref = { leaseId: hex(32), fencingToken: fc.integer({ min: 1 }) }
const finish = fc.record({ index: count, reason: fc.constantFrom('stop', 'length', 'content_filter', 'tool_calls') })
const done = fc.record({
  type: fc.constant('done'),
  ...ref,
  outputHash: hex(32),
  inputUnits: count,
  outputUnits: count,
  finish: fc.array(finish, { minLength: 1, maxLength: 2 }),
})
const signed = fc.record({
  type: fc.constant('signed'),
  leases: fc.array(fc.record({ ...ref, digest: hex(32) }), { minLength: 1, maxLength: 4 }),
  signature: hex(65),
})
const message = fc.oneof(done, signed)

/** `value` with one member, at any depth, replaced. */
function spoiled(value: unknown, path: readonly number[], by: unknown): unknown {
  if (path.length === 0 || typeof value !== 'object' || value === null) return by
  const keys = Object.keys(value)
  const key = keys[path[0]! % Math.max(1, keys.length)]
  if (key === undefined) return by
  const copy = structuredClone(value) as Record<string, unknown> // cast: read and written by its own keys
  copy[key] = spoiled(copy[key], path.slice(1), by)
  return copy
}

describe('hot messages', () => {
  test('property: well-formed ones are read as the schema reads them', () => {
    fc.assert(
      fc.property(message, fc.dictionary(fc.string(), junk, { maxKeys: 2 }), (value, more) => {
        const given = { ...more, ...value }
        const read = readHotMessage(given)
        const isUsual = value.type === 'signed' || value.finish.length === 1
        expect(read !== null).toBe(isUsual)
        if (read) expect(read).toEqual(nodeMessageSchema.parse(given))
      }),
    )
  })

  test('property: nothing passes that the schema refuses', () => {
    const path = fc.array(fc.nat({ max: 8 }), { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(message, path, junk, (value, at, by) => {
        const given = spoiled(value, at, by)
        const read = readHotMessage(given)
        if (read) expect(nodeMessageSchema.parse(given)).toEqual(read)
      }),
      { numRuns: 2000 },
    )
  })

  test('error: other messages and things that are none are left to the schema', () => {
    for (const value of [null, 7, 'done', [], {}, { type: 'heartbeat', sentAtMs: 1 }, { type: 'done' }, { type: 'signed' }]) {
      expect(readHotMessage(value), JSON.stringify(value)).toBeNull()
    }
  })
})
