import { z } from 'zod'
import { canonicalHash } from './canonical.ts'
import { addressSchema, type Bytes32, bytes32Schema, jobIdSchema, memberSignatureSchema } from './ids.ts'

/**
 * The five rank keys of wp §2.2.2, highest first. `warm` and `referred` are 0 or 1; the other three are 10 % buckets
 * (0–10) relative to the best candidate, so that near-equals tie.
 */
export const rankKeysSchema = z.object({
  warm: z.number().int().min(0).max(1),
  referred: z.number().int().min(0).max(1),
  efficiencyBucket: z.number().int().min(0).max(10),
  votesBucket: z.number().int().min(0).max(10),
  uptimeBucket: z.number().int().min(0).max(10),
})
export type RankKeys = z.output<typeof rankKeysSchema>

/** Raw facts from which the keys follow, so that a replay can recompute them. Votes are decimal strings. */
export const candidateFactsSchema = z.object({
  warm: z.boolean(),
  referred: z.boolean(),
  unitsPerSecond: z.number().nonnegative(),
  votes: z.string().regex(/^\d+$/),
  uptimeBps: z.number().int().min(0).max(10_000),
  freeSlots: z.number().int(),
  /** Null when the chain knows no owner. */
  owner: addressSchema.nullable(),
})

export const candidateSchema = z.object({
  nodeId: addressSchema,
  facts: candidateFactsSchema,
  /** Empty when eligible, else why the filter refused the node. */
  refused: z.array(z.string()),
  /** Present for eligible candidates. */
  keys: rankKeysSchema.optional(),
})
export type Candidate = z.output<typeof candidateSchema>

/** What decides how much a job counts as organic demand (DESIGN §6.3): could the payer have steered it to its own nodes? */
export const routeFactsSchema = z.object({
  /** A node that the frontend refers to was among the eligible. */
  referred: z.boolean(),
  /** The payer narrowed the choice of nodes: an allow list, a deny list or a region. */
  pinned: z.boolean(),
  /** Distinct owners of the eligible candidates. */
  owners: z.number().int().nonnegative(),
})
export type RouteFacts = z.output<typeof routeFactsSchema>

export const ROUTE_CLASSES = ['open', 'referred', 'pinned', 'single-owner'] as const
/** Index into {@link ROUTE_CLASSES}, as it stands in receipts. */
export type RouteClass = 0 | 1 | 2 | 3

/** Fewer owners than this among the candidates, and whoever pays may well pay itself. */
export const OPEN_ROUTE_OWNERS = 3

/**
 * 0 open, 1 referred, 2 pinned, 3 single-owner (fewer than {@link OPEN_ROUTE_OWNERS} owners among the candidates; a pod hosted by one
 * owner is the extreme of it). Only open jobs count fully. The first that applies is said.
 *
 * @example routeClass(decision.record) // 0
 */
export function routeClass({ route }: { readonly route: RouteFacts }): RouteClass {
  if (route.referred) return 1
  if (route.pinned) return 2
  return route.owners < OPEN_ROUTE_OWNERS ? 3 : 0
}

/** Everything needed to repeat one routing decision (law R2). */
export const decisionRecordSchema = z.object({
  version: z.literal(1),
  jobId: jobIdSchema,
  attempt: z.number().int().positive(),
  podId: bytes32Schema,
  decidedAtMs: z.number().int(),
  /** Seed of the tie-break draw. */
  seed: bytes32Schema,
  candidates: z.array(candidateSchema),
  route: routeFactsSchema,
  chosen: addressSchema.nullable(),
})
export type DecisionRecord = z.output<typeof decisionRecordSchema>

export const signedDecisionSchema = z.object({
  record: decisionRecordSchema,
  recordHash: bytes32Schema,
  routerSignature: memberSignatureSchema,
  router: addressSchema,
})
export type SignedDecision = z.output<typeof signedDecisionSchema>

export function decisionHash(record: DecisionRecord): Bytes32 {
  return canonicalHash(record)
}
