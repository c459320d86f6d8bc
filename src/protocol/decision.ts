import { z } from 'zod'
import { canonicalHash } from './canonical.ts'
import { type Address, addressSchema, type Bytes32, bytes32Schema, jobIdSchema, memberSignatureSchema, type NodeId } from './ids.ts'

/**
 * The five rank keys of wp §2.2.2, highest first. `warm` and `referred` are 0 or 1; the other three are buckets of 10 %, so that
 * near-equals tie: 0–400 of a geometric scale, and tenths of full availability for uptime.
 */
export const rankKeysSchema = z.object({
  warm: z.number().int().min(0).max(1),
  referred: z.number().int().min(0).max(1),
  efficiencyBucket: z.number().int().min(0).max(400),
  votesBucket: z.number().int().min(0).max(400),
  uptimeBucket: z.number().int().min(0).max(10),
})
export type RankKeys = z.output<typeof rankKeysSchema>

/** One host of the pod as a decision saw it: read from the router's journal, and what follows from that. */
export type Candidate = {
  readonly nodeId: NodeId
  readonly owner: Address | null
  readonly freeSlots: number
  /** Empty when eligible, else why the filter refused the node. */
  readonly refused: readonly string[]
  readonly keys: RankKeys
}

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

/** What the job itself asked of nodes. Lists that were not given are absent. */
export const decisionDemandSchema = z.object({
  allow: z.array(addressSchema).optional(),
  deny: z.array(addressSchema).optional(),
  /** Nodes that failed earlier attempts. */
  excluded: z.array(addressSchema),
  /** Hosts of the pod that the frontend refers to. */
  referred: z.array(addressSchema),
  region: z.string().optional(),
})
export type DecisionDemand = z.output<typeof decisionDemandSchema>

/**
 * One routing decision (law R2). The candidates are not listed: `journal.head` is the hash of everything that the router had said about
 * the pod's hosts until then, so the signed journal shows them (ADR 0008).
 */
export const decisionRecordSchema = z.object({
  version: z.literal(2),
  jobId: jobIdSchema,
  attempt: z.number().int().positive(),
  podId: bytes32Schema,
  decidedAtMs: z.number().int(),
  /** Seed of the tie-break draw. */
  seed: bytes32Schema,
  demand: decisionDemandSchema,
  /** Null when nobody hosted the pod. */
  journal: z.object({ segment: bytes32Schema, head: bytes32Schema }).nullable(),
  /** Nodes linked to the router, those of them that host the pod, and those of these that could take the job. */
  linked: z.number().int().nonnegative(),
  hosts: z.number().int().nonnegative(),
  eligible: z.number().int().nonnegative(),
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

/** A part of a journal's segment, signed by its router; `number` counts from 0. `head` is the hash of the segment up to its end. */
export const journalPieceSchema = z.object({
  podId: bytes32Schema,
  segment: bytes32Schema,
  number: z.number().int().nonnegative(),
  text: z.string(),
  head: bytes32Schema,
  routerSignature: memberSignatureSchema,
  router: addressSchema,
})
export type JournalPiece = z.output<typeof journalPieceSchema>
