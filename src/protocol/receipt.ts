import { z } from 'zod'
import { ROUTE_CLASSES } from './decision.ts'
import { addressSchema, bytes32Schema, jobIdSchema, memberSignatureSchema } from './ids.ts'

/** An amount as JSON carries it, a decimal string; read as a bigint. */
export const amountSchema = z
  .string()
  .regex(/^\d{1,78}$/, 'must be a decimal integer')
  .transform(BigInt)
  .or(z.bigint().nonnegative())

/**
 * What a node did and what it earns (DESIGN §4.8). Signed by the node, countersigned by the router (EIP-712 `Receipt`);
 * its digest is the Merkle leaf that a settlement batch commits to. `price` is in atomic units of `asset`, `computeUnits` in
 * MiB-milliseconds (`economics/compute-units.ts`), `routeClass` a position in {@link ROUTE_CLASSES}.
 * `frontend` is the zero address when the job came without one.
 */
export const receiptSchema = z.object({
  jobId: jobIdSchema,
  podId: bytes32Schema,
  manifestHash: bytes32Schema,
  requestHash: bytes32Schema,
  outputHash: bytes32Schema,
  seedCommitment: bytes32Schema,
  decisionHash: bytes32Schema,
  inputUnits: z.number().int().nonnegative(),
  outputUnits: z.number().int().nonnegative(),
  asset: addressSchema,
  price: amountSchema,
  payer: addressSchema,
  frontend: addressSchema,
  node: addressSchema,
  leaseId: bytes32Schema,
  attempt: z.number().int().positive(),
  fencingToken: z.number().int().positive(),
  startedAtMs: z.number().int().nonnegative(),
  finishedAtMs: z.number().int().nonnegative(),
  routeClass: z
    .number()
    .int()
    .min(0)
    .max(ROUTE_CLASSES.length - 1),
  computeUnits: z.number().int().nonnegative(),
})
export type Receipt = z.output<typeof receiptSchema>

/** Both signatures are members of group signatures (signed-group.ts). */
export const signedReceiptSchema = z.object({
  receipt: receiptSchema,
  nodeSignature: memberSignatureSchema,
  routerSignature: memberSignatureSchema,
  router: addressSchema,
})
export type SignedReceipt = z.output<typeof signedReceiptSchema>

/** Proof that a failed job cost nothing: signed by the router, never settled (law L3). `reason` is an error code. */
export const discardReceiptSchema = z.object({
  jobId: jobIdSchema,
  podId: bytes32Schema,
  requestHash: bytes32Schema,
  decisionHash: bytes32Schema,
  payer: addressSchema,
  attempts: z.number().int().nonnegative(),
  reason: z.string().min(1).max(100),
  discardedAtMs: z.number().int().nonnegative(),
})
export type DiscardReceipt = z.output<typeof discardReceiptSchema>

export const signedDiscardReceiptSchema = z.object({
  discard: discardReceiptSchema,
  routerSignature: memberSignatureSchema,
  router: addressSchema,
})
export type SignedDiscardReceipt = z.output<typeof signedDiscardReceiptSchema>

/** JSON form with amounts as decimal strings; `receiptSchema` reads it back. */
export function receiptToJson(receipt: Receipt): Record<string, string | number> {
  return { ...receipt, price: receipt.price.toString() }
}
