import { readFileSync } from 'node:fs'
import { hashTypedData } from 'viem'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { ZERO_ADDRESS } from './ids.ts'
import { bytesToHex } from './keccak.ts'
import {
  DECISION_TYPE,
  DISCARD_RECEIPT_TYPE,
  decisionDigest,
  discardReceiptDigest,
  domainSeparator,
  encodeType,
  jobDomain,
  NODE_CHALLENGE_TYPE,
  RECEIPT_TYPE,
  typedDataDigest,
} from './typed-data.ts'

const word = (digit: string): `0x${string}` => `0x${digit.repeat(64)}`
const account = (digit: string): `0x${string}` => `0x${digit.repeat(40)}`
const domain = jobDomain(31_337, account('a'))
const separator = domainSeparator(domain)
const typesOf = (type: typeof RECEIPT_TYPE) => ({ [type.name]: type.fields.map(([name, kind]) => ({ name, type: kind })) })

/** An independent implementation must come to the same digest. */
describe('typed data', () => {
  test('behavior: digests equal those of another EIP-712 implementation', () => {
    const receipt = {
      jobId: word('1'),
      podId: word('2'),
      manifestHash: word('3'),
      requestHash: word('4'),
      outputHash: word('5'),
      seedCommitment: word('6'),
      decisionHash: word('7'),
      inputUnits: 12n,
      outputUnits: 345n,
      asset: account('b'),
      price: 10n ** 24n + 1n,
      payer: account('c'),
      frontend: ZERO_ADDRESS,
      node: account('d'),
      leaseId: word('8'),
      attempt: 2,
      fencingToken: 7_354_331_840_860_163n,
      startedAtMs: 1_800_000_000_000n,
      finishedAtMs: 1_800_000_000_001n,
      routeClass: 3,
      computeUnits: 2n ** 53n - 1n,
    }
    expect(bytesToHex(typedDataDigest(separator, RECEIPT_TYPE, receipt))).toBe(
      hashTypedData({ domain, types: typesOf(RECEIPT_TYPE), primaryType: 'Receipt', message: receipt }),
    )
    const challenge = {
      node: account('1'),
      router: account('2'),
      role: 'node',
      nonce: word('9'),
      expiresAtMs: 5n,
      session: 'a1',
      generation: 7n,
    }
    expect(bytesToHex(typedDataDigest(separator, NODE_CHALLENGE_TYPE, challenge))).toBe(
      hashTypedData({ domain, types: typesOf(NODE_CHALLENGE_TYPE), primaryType: 'NodeChallenge', message: challenge }),
    )
    const jobId = `job_${'ab'.repeat(16)}` as const
    const padded: `0x${string}` = `0x${'ab'.repeat(16).padEnd(64, '0')}`
    expect(bytesToHex(decisionDigest(separator, jobId, 3, word('4')))).toBe(
      hashTypedData({
        domain,
        types: typesOf(DECISION_TYPE),
        primaryType: 'Decision',
        message: { jobId: padded, attempt: 3, recordHash: word('4') },
      }),
    )
    const discard = {
      jobId,
      podId: word('2'),
      requestHash: word('4'),
      decisionHash: word('7'),
      payer: account('c'),
      attempts: 1,
      reason: 'ROUTER_NODE_LOST',
      discardedAtMs: 9,
    }
    expect(bytesToHex(discardReceiptDigest(separator, discard))).toBe(
      hashTypedData({
        domain,
        types: typesOf(DISCARD_RECEIPT_TYPE),
        primaryType: 'DiscardReceipt',
        message: { ...discard, jobId: padded },
      }),
    )
  })

  test('behavior: another chain or contract gives another domain', () => {
    const hashes = [domain, jobDomain(1, account('a')), jobDomain(31_337, account('b'))].map(each => bytesToHex(domainSeparator(each)))
    expect(new Set(hashes).size).toBe(3)
  })

  test('behavior: the receipt of the vectors that the contract checks has this type', () => {
    const { receipt } = z
      .object({ receipt: z.record(z.string(), z.unknown()) })
      .parse(JSON.parse(readFileSync(new URL('../../vectors/receipts.json', import.meta.url), 'utf8')))
    expect(Object.keys(receipt)).toEqual(RECEIPT_TYPE.fields.map(([name]) => name))
    expect(encodeType(DECISION_TYPE)).toBe('Decision(bytes32 jobId,uint32 attempt,bytes32 recordHash)')
  })

  test.each([
    'WrappedHeuPermit',
    'StakedHeuPermit',
    'WrappedHeuTransferWithAuthorization',
    'WrappedHeuReceiveWithAuthorization',
    'WrappedHeuCancelAuthorization',
  ])('behavior: %s of the vectors, which the tokens take, has the digest of our own hashing', key => {
    const all = JSON.parse(readFileSync(new URL('../../vectors/authorizations.json', import.meta.url), 'utf8'))
    const contract = key.startsWith('Wrapped') ? 'WrappedHeu' : 'StakedHeu'
    const place = { name: all.names[contract], version: '1', chainId: all.chainId, verifyingContract: all.places[contract] }
    const { fields, digest, ...message } = all[key]
    const named = fields.split(',').map((field: string) => field.split(' ').reverse())
    const numbers = Object.fromEntries(
      named.map(([name, kind]: [string, string]) => [name, kind === 'uint256' ? BigInt(message[name]) : message[name].toLowerCase()]),
    )
    const type = { name: key.slice(contract.length), fields: named }
    expect(bytesToHex(typedDataDigest(domainSeparator(place), type, numbers))).toBe(digest)
  })

  test('error: a negative number is no unsigned field', () => {
    expect(() => decisionDigest(separator, `job_${'ab'.repeat(16)}`, -1, word('1'))).toThrow(RangeError)
  })
})
