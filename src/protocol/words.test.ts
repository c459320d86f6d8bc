import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BATCH_HEADER_BYTES, decodeBatchHead, encodeAck, encodeBatch } from './batches.ts'
import { canonicalHash, canonicalJson } from './canonical.ts'
import { isHeuristError } from './errors.ts'
import { addressSchema, jobIdFrom, jobIdSchema, jobIdToBytes32 } from './ids.ts'
import { encodeMessage, LINK_VERSION, readNodeText, readRouterText } from './messages.ts'
import { receiptSchema } from './receipt.ts'
import { formatUnits, mulDivDown, mulDivUp, parseUnits } from './units.ts'

describe('units', () => {
  test('property: parse is the inverse of format', () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 100n), 2n ** 100n), fc.integer({ min: 1, max: 24 }), (value, decimals) => {
        expect(parseUnits(formatUnits(value, decimals), decimals)).toBe(value)
      }),
    )
  })

  test('property: rounding goes where the name says, by less than one', () => {
    const positive = fc.bigInt(1n, 2n ** 90n)
    fc.assert(
      fc.property(positive, positive, positive, (a, b, d) => {
        expect(mulDivDown(a, b, d) * d).toBeLessThanOrEqual(a * b)
        expect(mulDivUp(a, b, d) * d).toBeGreaterThanOrEqual(a * b)
        expect(mulDivUp(a, b, d) - mulDivDown(a, b, d)).toBeLessThanOrEqual(1n)
      }),
    )
  })

  test('error: too many places, signs, words and a zero divisor', () => {
    for (const text of ['1.1234567', '+1', '1e3', '', 'abc', '1.', '.5', '0x10', '1,5'])
      expect(() => parseUnits(text, 6), text).toThrow(RangeError)
    expect(() => mulDivDown(1n, 1n, 0n)).toThrow(RangeError)
  })
})

describe('canonical JSON', () => {
  test('property: the order of keys does not matter, and it is JSON', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), value => {
        const reversed = Object.fromEntries(Object.entries(value).reverse())
        expect(canonicalJson(reversed)).toBe(canonicalJson(value))
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  test('behavior: bigints are decimal strings, absent members are left out', () => {
    expect(canonicalJson({ b: 2n ** 70n, a: undefined, c: [null, 1.5] })).toBe('{"b":"1180591620717411303424","c":[null,1.5]}')
    expect(canonicalHash({ a: 1 })).not.toBe(canonicalHash({ a: 2 }))
  })
})

describe('ids', () => {
  test('behavior: a job id is its 16 bytes, left-aligned on chain', () => {
    const id = jobIdFrom(Uint8Array.from({ length: 16 }, (_, index) => index))
    expect(id).toBe('job_000102030405060708090a0b0c0d0e0f')
    expect(jobIdSchema.parse(id)).toBe(id)
    expect(jobIdToBytes32(id)).toBe(`0x000102030405060708090a0b0c0d0e0f${'0'.repeat(32)}`)
  })

  test('behavior: addresses are read in any case and kept in lower case', () => {
    expect(addressSchema.parse('0xAbCdEf0000000000000000000000000000000001')).toBe('0xabcdef0000000000000000000000000000000001')
    for (const bad of ['0x12', 'abcdef0000000000000000000000000000000001', '0xzzcdef0000000000000000000000000000000001', 7, null])
      expect(addressSchema.safeParse(bad).success).toBe(false)
  })
})

describe('link messages', () => {
  test('behavior: what one side encodes the other reads, amounts included', () => {
    const hello = { type: 'hello', linkVersion: LINK_VERSION, nodeId: `0x${'1'.repeat(40)}`, chainId: 31_337 } as const
    expect(readNodeText(encodeMessage(hello)).messages()).toEqual([hello])
    const word = (digit: string): `0x${string}` => `0x${digit.repeat(64)}`
    const receipt = receiptSchema.parse({
      jobId: `job_${'ab'.repeat(16)}`,
      podId: word('2'),
      manifestHash: word('3'),
      requestHash: word('4'),
      outputHash: word('5'),
      seedCommitment: word('6'),
      decisionHash: word('7'),
      inputUnits: 1,
      outputUnits: 2,
      asset: `0x${'b'.repeat(40)}`,
      price: 10n ** 20n,
      payer: `0x${'c'.repeat(40)}`,
      frontend: `0x${'0'.repeat(40)}`,
      node: `0x${'d'.repeat(40)}`,
      leaseId: word('8'),
      attempt: 1,
      fencingToken: 1,
      startedAtMs: 1,
      finishedAtMs: 2,
      routeClass: 1,
      computeUnits: 64,
    })
    const sign = { type: 'sign', leaseId: word('8'), fencingToken: 1, receipt } as const
    const alone = readRouterText(encodeMessage(sign))
    expect(alone.head).toBeNull()
    expect(alone.messages()).toEqual([sign])
    for (const [text, messages] of [
      [encodeMessage(sign), [sign]],
      [`[${encodeMessage(sign)},${encodeMessage(sign)}]`, [sign, sign]],
    ] as const) {
      const batch = readRouterText(String(encodeBatch(text, { number: 7, ack: 3 })))
      expect(batch.head).toEqual({ number: 7, ack: 3 })
      expect(batch.messages()).toEqual(messages)
    }
    expect(readRouterText(encodeAck(3))).toMatchObject({ head: { number: 0, ack: 3 } })
  })

  test('behavior: frames travel with the same head', () => {
    const frames = Buffer.from('frames')
    const batch = encodeBatch(frames, { number: 2 ** 40, ack: 9 }) as Buffer // cast: bytes in, bytes out
    expect(decodeBatchHead(batch)).toEqual({ number: 2 ** 40, ack: 9 })
    expect(batch.subarray(BATCH_HEADER_BYTES)).toEqual(frames)
    expect(() => decodeBatchHead(Buffer.alloc(BATCH_HEADER_BYTES - 1))).toThrow(expect.objectContaining({ code: 'FRAME_MALFORMED' }))
  })

  test('error: anything else is refused with a typed error', () => {
    for (const text of [
      '',
      'null',
      '[]',
      '{',
      '{"type":"unknown"}',
      '{"type":"hello"}',
      `{"type":"hello","linkVersion":1,"nodeId":"0x12","chainId":1}`,
      '{"type":"heartbeat","sentAtMs":1.5}',
      '[{"type":"heartbeat","sentAtMs":1}]',
      '[1,0,{"type":"heartbeat","sentAtMs":1},{}]',
      '[1,0]',
      '[0,0,{"type":"heartbeat","sentAtMs":1}]',
      '[-1,0,{"type":"heartbeat","sentAtMs":1}]',
      '[1,"0",{"type":"heartbeat","sentAtMs":1}]',
      `[1,0,${'{},'.repeat(10_000)}{}]`,
    ]) {
      for (const read of [readNodeText, readRouterText]) {
        const error = (() => {
          try {
            return read(text).messages()
          } catch (caught) {
            return caught
          }
        })()
        expect(isHeuristError(error, 'LINK_MALFORMED'), text).toBe(true)
      }
    }
  })
})
