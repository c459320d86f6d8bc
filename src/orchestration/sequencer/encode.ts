import { type Bytes32, bytesToHex, type Hex, hexToBytes, keccakBytes } from '#protocol'

/**
 * The `settle` call in ABI form. Written out because this layer has no RPC library; a test holds it against one and
 * against the contract itself.
 */
export type SettleBatch = {
  readonly number: number
  readonly previousHash: Bytes32
  readonly receiptsRoot: Bytes32
  readonly jobCount: number
  /** What open jobs paid, per asset (atomic units). */
  readonly openHeu: bigint
  readonly openUsd: bigint
  /** Packed rows, strictly ascending. */
  readonly debits: readonly bigint[]
  readonly credits: readonly bigint[]
}

const SETTLE_SELECTOR = Buffer.from(
  keccakBytes(Buffer.from('settle((uint64,bytes32,bytes32,uint32,uint96,uint96,uint256[],uint256[]))')).subarray(0, 4),
)

function word(value: bigint | number): Buffer {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex')
}

function packed(rows: readonly bigint[]): Buffer {
  return Buffer.concat(rows.map(word))
}

/** Offsets count from the start of the struct: eight head words, then debits, then credits. */
export function encodeSettle(batch: SettleBatch): Hex {
  const headBytes = 8 * 32
  const debits = packed(batch.debits)
  const struct = [
    word(batch.number),
    hexToBytes(batch.previousHash),
    hexToBytes(batch.receiptsRoot),
    word(batch.jobCount),
    word(batch.openHeu),
    word(batch.openUsd),
    word(headBytes),
    word(headBytes + 32 + debits.length),
    word(batch.debits.length),
    debits,
    word(batch.credits.length),
    packed(batch.credits),
  ]
  return bytesToHex(Buffer.concat([SETTLE_SELECTOR, word(32), ...struct]))
}

/** Reads back what {@link encodeSettle} wrote. @throws RangeError when it is no such call */
export function decodeSettle(calldata: Hex): SettleBatch {
  const bytes = Buffer.from(hexToBytes(calldata))
  const at = (index: number): bigint => BigInt(bytesToHex(bytes.subarray(4 + 32 * index, 36 + 32 * index)))
  const list = (offset: bigint): bigint[] => {
    // Offsets count from the struct, which begins after the call's one word.
    const first = 1 + Number(offset) / 32
    return Array.from({ length: Number(at(first)) }, (_, index) => at(first + 1 + index))
  }
  const batch = {
    number: Number(at(1)),
    previousHash: bytesToHex(bytes.subarray(68, 100)),
    receiptsRoot: bytesToHex(bytes.subarray(100, 132)),
    jobCount: Number(at(4)),
    openHeu: at(5),
    openUsd: at(6),
    debits: list(at(7)),
    credits: list(at(8)),
  }
  if (encodeSettle(batch) !== calldata.toLowerCase()) throw new RangeError('these bytes are no settle call')
  return batch
}

/** The hash by which the next batch names this one; computed as `JobSettlement` does. */
export function hashBatch(batch: SettleBatch): Bytes32 {
  const content = keccakBytes(
    Buffer.concat([
      word(batch.number),
      word(batch.jobCount),
      word(batch.openHeu),
      word(batch.openUsd),
      keccakBytes(packed(batch.debits)),
      keccakBytes(packed(batch.credits)),
    ]),
  )
  return bytesToHex(keccakBytes(Buffer.concat([hexToBytes(batch.previousHash), hexToBytes(batch.receiptsRoot), content])))
}
