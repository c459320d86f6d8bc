import { type Chain, recoverMember } from '#platform'
import {
  type Bytes32,
  bytesToHex,
  domainSeparator,
  type HeuristError,
  isHeuristError,
  jobDomain,
  merkleTree,
  receiptDigest,
  receiptProof,
  type SignedReceipt,
  ZERO_BYTES32,
} from '#protocol'

export type ReceiptCheck = {
  readonly name: 'node signature' | 'router signature' | 'batch' | 'receipts root' | 'inclusion'
  readonly ok: boolean
  /** What was compared, or why it failed. */
  readonly detail: string
}
export type ReceiptVerification = { readonly ok: boolean; readonly digest: Bytes32; readonly checks: readonly ReceiptCheck[] }

/** Where the database says that the receipt was settled; null while it waits. `leaves`: the digests of that batch. */
export type ReceiptPlace = { readonly batchNumber: number; readonly leaves: readonly Bytes32[] }

/**
 * Checks a receipt as anyone can: both signatures over its digest, and its Merkle proof against the root that the chain
 * holds. Nothing of what the database says is believed. @throws HeuristError CHAIN_UNAVAILABLE
 */
export async function verifyReceipt(
  signed: SignedReceipt,
  place: ReceiptPlace | null,
  chain: Pick<Chain, 'chainId' | 'contracts' | 'receiptsRoot' | 'verifyReceipt' | 'batchEvent'>,
): Promise<ReceiptVerification> {
  const separator = domainSeparator(jobDomain(chain.chainId, chain.contracts.JobSettlement))
  const digestBytes = receiptDigest(separator, signed.receipt)
  const digest = bytesToHex(digestBytes)
  const checks = [
    signatureCheck('node signature', recoverMember(separator, digestBytes, signed.nodeSignature), signed.receipt.node),
    signatureCheck('router signature', recoverMember(separator, digestBytes, signed.routerSignature), signed.router),
    ...(await chainChecks(digest, place, chain)),
  ]
  return { ok: checks.every(check => check.ok), digest, checks }
}

function signatureCheck(name: ReceiptCheck['name'], signer: string | null, expected: string): ReceiptCheck {
  if (signer === expected) return { name, ok: true, detail: `signed by ${expected}` }
  const found = signer === null ? 'not a valid signature' : `signed by ${signer}`
  return { name, ok: false, detail: `${found}, expected ${expected}` }
}

async function chainChecks(
  digest: Bytes32,
  place: ReceiptPlace | null,
  chain: Pick<Chain, 'receiptsRoot' | 'verifyReceipt' | 'batchEvent'>,
): Promise<ReceiptCheck[]> {
  if (place === null) return [{ name: 'batch', ok: false, detail: 'not in a batch yet; try again when it is settled' }]
  const { batchNumber, leaves } = place
  const root = await chain.receiptsRoot(batchNumber)
  if (root === ZERO_BYTES32) return [{ name: 'batch', ok: false, detail: `the chain has no batch ${batchNumber} yet` }]
  const event = await chain.batchEvent(batchNumber).catch(ignoreRevert)
  const where = event ? ` in transaction ${event.transactionHash}, block ${event.blockNumber}` : ''
  const own = leaves.length > 0 ? merkleTree(leaves).root : 'none'
  const proof = receiptProof(leaves, digest)
  const included = proof !== null && (await chain.verifyReceipt(batchNumber, digest, proof))
  return [
    { name: 'batch', ok: true, detail: `batch ${batchNumber} is on the chain${where}` },
    { name: 'receipts root', ok: own === root, detail: own === root ? root : `the chain has ${root}, the stored receipts give ${own}` },
    { name: 'inclusion', ok: included, detail: inclusionDetail(included, proof, digest) },
  ]
}

function inclusionDetail(included: boolean, proof: readonly Bytes32[] | null, digest: Bytes32): string {
  if (proof === null) return `${digest} is not among the batch's receipts`
  return included
    ? `the settlement contract accepts ${digest} with ${proof.length} proof words`
    : 'the settlement contract refuses the proof'
}

/** The transaction is shown when it is known; the checks do not need it. */
function ignoreRevert(error: unknown): null {
  if (isHeuristError(error, 'CHAIN_REVERTED')) return null
  throw error as HeuristError // cast: the port throws nothing else
}
