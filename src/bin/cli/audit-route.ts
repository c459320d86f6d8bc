import type { Command } from 'commander'
import pc from 'picocolors'
import { z } from 'zod'
import { replayDecisions } from '#orchestration'
import {
  type Bytes32,
  bytes32Schema,
  domainSeparator,
  HeuristError,
  type JournalPiece,
  jobDomain,
  jobIdSchema,
  journalPieceSchema,
  type SignedDecision,
  signedDecisionSchema,
} from '#protocol'
import { type NetworkFacts, readNetworkFacts } from '../network/facts.ts'
import type { ApiClient, CliErrorCode } from './client.ts'
import { type Attach, type Context, usageError } from './commands.ts'
import { EXIT } from './output.ts'

/** What the audit needs, checked: the gateway is not believed. */
const jobSchema = z.object({
  decisions: z.array(signedDecisionSchema),
  receipt: z.object({ signed: z.object({ receipt: z.object({ decisionHash: bytes32Schema }) }) }).nullable(),
})
const pageSchema = z.object({
  data: z.array(z.object({ jobId: jobIdSchema, createdAtMs: z.number().int(), decisions: z.array(signedDecisionSchema) })),
})
const journalSchema = z.object({ data: z.array(journalPieceSchema) })

type Audited = {
  readonly attempt: number
  readonly chosen: string | null
  readonly matches: boolean
  readonly differences: readonly string[]
}

async function journalOf(api: ApiClient, decisions: readonly SignedDecision[]): Promise<JournalPiece[]> {
  const segments = new Set(decisions.flatMap(({ record }): Bytes32[] => (record.journal ? [record.journal.segment] : [])))
  const pieces: JournalPiece[] = []
  for (const segment of segments) pieces.push(...journalSchema.parse(await api.get(`/api/journal/${segment}`)).data)
  return pieces
}

/** Replays decisions from the signed journal; one that another key signed proves nothing about this router. */
async function audit(api: ApiClient, facts: NetworkFacts, decisions: readonly SignedDecision[]): Promise<Audited[]> {
  const separator = domainSeparator(jobDomain(facts.chainId, facts.contracts.JobSettlement))
  const replays = replayDecisions(decisions, await journalOf(api, decisions), separator)
  return decisions.map(({ record, router }, i) => {
    const foreign = router === facts.router ? [] : ['signed by another key than the router of this network']
    const differences = [...(replays[i]?.differences ?? []), ...foreign]
    return { attempt: record.attempt, chosen: record.chosen, matches: differences.length === 0, differences }
  })
}

function attemptText({ attempt, chosen, matches, differences }: Audited): string {
  const led = matches ? `the signed record leads to ${chosen ?? 'no node'}` : differences.join('; ')
  return `${matches ? pc.green('ok  ') : pc.red('FAIL')} attempt ${attempt}: ${led}`
}

async function auditJob({ output, config, client }: Context, id: string): Promise<number> {
  const api = client()
  const [facts, answer] = await Promise.all([readNetworkFacts(config), api.get(`/api/jobs/${encodeURIComponent(id)}`)])
  const { decisions, receipt } = jobSchema.parse(answer)
  if (decisions.length === 0)
    throw new HeuristError<CliErrorCode>('CLI_NOT_FOUND', `Job ${id} has no routing decision: it failed before one was made.`)
  const attempts = await audit(api, facts, decisions)
  // The receipt, which both sides signed, names the decision by which the node was chosen.
  const isNamed = !receipt || decisions.some(({ recordHash }) => recordHash === receipt.signed.receipt.decisionHash)
  const matches = isNamed && attempts.every(attempt => attempt.matches)
  output.answer({ jobId: id, matches, receiptNamesDecision: isNamed, attempts }, () =>
    [...attempts.map(attemptText), ...(isNamed ? [] : [`${pc.red('FAIL')} the receipt names another decision`])].join('\n'),
  )
  return matches ? EXIT.ok : EXIT.mismatch
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** "24h", "30m", "7d" before now, or a date. */
export function sinceOf(text: string, nowMs: number): number {
  const [, amount, unit] = /^(\d+)([smhd])$/.exec(text) ?? []
  const ms = unit === undefined ? Date.parse(text) : nowMs - Number(amount) * (UNIT_MS[unit] ?? 0)
  if (Number.isNaN(ms)) throw usageError(`"${text}" is no time. Say how long ago (30m, 24h, 7d) or a date (2026-01-31).`)
  return Math.max(0, ms)
}

const PAGE = 500
const SHOWN = 20

async function auditAll({ output, config, client }: Context, sinceMs: number): Promise<number> {
  const api = client('admin')
  const facts = await readNetworkFacts(config)
  let after = ''
  let jobs = 0
  let decisions = 0
  const failed: (Audited & { readonly jobId: string })[] = []
  for (;;) {
    const { data } = pageSchema.parse(await api.get(`/api/decisions?since=${sinceMs}&limit=${PAGE}${after}`))
    const all = data.flatMap(job => job.decisions.map(decision => ({ jobId: job.jobId, decision })))
    const audited = await audit(
      api,
      facts,
      all.map(({ decision }) => decision),
    )
    failed.push(...audited.flatMap((item, i) => (item.matches ? [] : [{ ...item, jobId: all[i]?.jobId ?? '' }])))
    jobs += data.length
    decisions += all.length
    const last = data.at(-1)
    output.note(`${decisions} decisions of ${jobs} jobs replayed`)
    if (!last || data.length < PAGE) break
    after = `&afterMs=${last.createdAtMs}&afterJob=${last.jobId}`
  }
  const matching = decisions - failed.length
  output.answer({ sinceMs, jobs, decisions, matching, failed }, () =>
    [
      ...failed.slice(0, SHOWN).map(item => `${item.jobId} ${attemptText(item)}`),
      ...(failed.length > SHOWN ? [`… and ${failed.length - SHOWN} more`] : []),
      `${matching} of ${decisions} decisions match (${jobs} jobs since ${new Date(sinceMs).toISOString()})`,
    ].join('\n'),
  )
  return failed.length === 0 ? EXIT.ok : EXIT.mismatch
}

/** `heurist audit route`: works from signed records and the signed journal alone. */
export function auditRouteCommand(group: Command, attach: Attach): void {
  const route = group
    .command('route [job]')
    .description('Replay the routing decisions of a job, or of all, from their signed records')
    .option('--all', "all jobs instead of one (needs the network's admin key)")
    .option('--since <time>', 'with --all: how long ago (30m, 24h, 7d) or a date', '24h')
  attach(route, async (context, [job], options) => {
    if (options.all === true) return auditAll(context, sinceOf(String(options.since), Date.now()))
    if (job === undefined || job === '') throw usageError('Name a job, or say --all.')
    return auditJob(context, job)
  })
}
