import { concat, encodeAbiParameters, encodeFunctionData, encodePacked, numberToHex, keccak256 as viemKeccak } from 'viem'
import { describe, expect, test } from 'vitest'
import { jobSettlementAbi, keccak256 } from '#protocol'
import { formBatch } from './batch.ts'

const account = (digit: number) => `0x${String(digit).repeat(40)}` as const

/** The sequencer writes ABI bytes by hand (RPC libraries stay behind the chain port); here they are held against the library's. */
describe('settle call', () => {
  test('default: bytes and hash equal what the library and the contract compute', () => {
    const receipt = { payer: account(1), asset: account(8), price: 10_000n, routeClass: 0 } as never
    const split = [
      { role: 'node', account: account(2), amount: 9_000n },
      { role: 'protocol', account: account(3), amount: 1_000n },
    ]
    const stored = { sequence: 1, jobId: 'job_1', signed: { receipt } as never, digest: keccak256('leaf'), split, batchNumber: null }
    const batch = formBatch(
      [stored],
      { number: 41, hash: keccak256('before') },
      { heu: account(7), usd: account(8) },
      { countsOpenRoutes: true },
    )
    const struct = {
      number: 42n,
      previousHash: keccak256('before'),
      receiptsRoot: batch.receiptsRoot,
      jobCount: 1,
      openHeu: 0n,
      openUsd: 10_000n,
      debits: batch.debits,
      credits: batch.credits,
    }
    expect(batch.calldata).toBe(encodeFunctionData({ abi: jobSettlementAbi, functionName: 'settle', args: [struct] }))

    const rowsHash = (rows: readonly bigint[]) => viemKeccak(concat(rows.map(row => numberToHex(row, { size: 32 }))))
    const types = ['uint64', 'uint32', 'uint96', 'uint96', 'bytes32', 'bytes32'].map(type => ({ type }))
    const values = [42n, 1, 0n, 10_000n, rowsHash(batch.debits), rowsHash(batch.credits)]
    const content = viemKeccak(encodeAbiParameters(types, values))
    expect(batch.batchHash).toBe(viemKeccak(concat([struct.previousHash, struct.receiptsRoot, content])))
    expect(encodePacked(['uint256[]'], [batch.credits])).toBe(concat(batch.credits.map(row => numberToHex(row, { size: 32 }))))
  })
})
