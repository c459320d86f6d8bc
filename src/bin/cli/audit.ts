import type { Command } from 'commander'
import pc from 'picocolors'
import { z } from 'zod'
import { auditMoney, type MoneyAudit, type Replay, replayDecision, verifyReceipt } from '#orchestration'
import { createLogger, systemClock } from '#platform'
import { createRpcChain } from '#platform/chain'
import {
  addressSchema,
  bytes32Schema,
  domainSeparator,
  HeuristError,
  jobDomain,
  signedDecisionSchema,
  signedReceiptSchema,
} from '#protocol'
import type { Config } from '../config.ts'
import { type NetworkFacts, readNetworkFacts } from '../network/facts.ts'
import type { ApiClient, CliErrorCode } from './client.ts'
import type { Attach } from './commands.ts'
import { EXIT, table } from './output.ts'

/** What the audits need of a job, checked: the gateway is not believed. */
const auditedJobSchema = z.object({
  decisions: z.array(signedDecisionSchema),
  receipt: z.object({ signed: signedReceiptSchema, batchNumber: z.number().int().nullable() }).nullable(),
})

async function auditedJob(client: ApiClient, id: string): Promise<z.output<typeof auditedJobSchema>> {
  return auditedJobSchema.parse(await client.get(`/api/jobs/${encodeURIComponent(id)}`))
}

const capturedMoneySchema = z.object({
  data: z.array(
    z.object({
      source: z.enum(['ledger', 'receipts']),
      batchNumber: z.number().int().nullable(),
      role: z.string(),
      account: addressSchema,
      asset: addressSchema,
      amount: z
        .string()
        .regex(/^-?\d+$/)
        .transform(BigInt),
    }),
  ),
})

function chainOf(config: Config, facts: NetworkFacts) {
  return createRpcChain(
    { rpcUrl: config.chainRpcUrl || facts.rpcUrl, chainId: facts.chainId, contracts: facts.contracts },
    { clock: systemClock, logger: createLogger({ level: 'error', role: 'cli' }) },
  )
}

function moneyJson(audited: MoneyAudit): unknown {
  return JSON.parse(JSON.stringify(audited, (_key, member) => (typeof member === 'bigint' ? member.toString() : member)))
}

function moneyText({ ok, batches, lines, escrow, problems }: MoneyAudit): string {
  const head = ['', 'role', 'account', 'asset', 'captured', 'settled', 'waiting']
  const rows = lines.map(line => [
    mark(line.ok),
    line.role,
    line.account,
    line.asset,
    `${line.captured}`,
    `${line.settled}`,
    `${line.waiting}`,
  ])
  const owed = escrow.map(({ ok: isEqual, account, asset, pot, credited, claimed, owed }) => [
    mark(isEqual),
    pot ? 'pot' : 'account',
    account,
    asset,
    `${credited}`,
    `${claimed}`,
    `${owed}`,
  ])
  const verdict = ok ? `Database and chain agree to the last unit over ${batches} batches.` : 'Database and chain differ.'
  const escrowHead = ['', 'owed to', 'account', 'asset', 'credited', 'claimed', 'owed']
  return [table(head, rows), table(escrowHead, owed), ...problems.map(problem => `${mark(false)} ${problem}`), verdict].join('\n')
}

/** A record that another key signed proves nothing about this router. */
function withRouter(replay: Replay, isOurs: boolean): Replay {
  return isOurs ? replay : { matches: false, differences: [...replay.differences, 'signed by another key than the router of this network'] }
}

function mark(ok: boolean): string {
  return ok ? pc.green('ok  ') : pc.red('FAIL')
}

/** `heurist audit route` and `heurist receipt verify`: both work from signed records and the chain alone. */
export function auditCommands(audit: Command, receipt: Command, attach: Attach): void {
  attach(
    audit.command('route <job>').description('Replay a routing decision from its signed record'),
    async ({ output, config, client }, [id = '']) => {
      const [facts, job] = await Promise.all([readNetworkFacts(config), auditedJob(client(), id)])
      if (job.decisions.length === 0)
        throw new HeuristError<CliErrorCode>('CLI_NOT_FOUND', `Job ${id} has no routing decision: it failed before one was made.`)
      const separator = domainSeparator(jobDomain(facts.chainId, facts.contracts.JobSettlement))
      const attempts = job.decisions.map(decision => ({
        attempt: decision.record.attempt,
        chosen: decision.record.chosen,
        ...withRouter(replayDecision(decision, separator), decision.router === facts.router),
      }))
      const matches = attempts.every(attempt => attempt.matches)
      output.answer({ jobId: id, matches, attempts }, () =>
        attempts
          .map(
            attempt =>
              `${mark(attempt.matches)} attempt ${attempt.attempt}: ${attempt.matches ? `the record leads to ${attempt.chosen}, signed by the router` : attempt.differences.join('; ')}`,
          )
          .join('\n'),
      )
      return matches ? EXIT.ok : EXIT.mismatch
    },
  )
  attach(
    audit.command('money').description('Compare every capture in the database with every settlement on the chain, to the wei'),
    async ({ output, config, client }) => {
      const facts = await readNetworkFacts(config)
      const api = client('admin')
      const read = async () => capturedMoneySchema.parse(await api.get('/api/audit/money')).data
      const audited = await auditMoney(read, chainOf(config, facts))
      output.answer(moneyJson(audited), () => moneyText(audited))
      return audited.ok ? EXIT.ok : EXIT.mismatch
    },
  )
  attach(
    receipt.command('verify <job>').description('Check both signatures of a receipt and its inclusion on chain'),
    async ({ output, config, client }, [id = '']) => {
      const api = client()
      const [facts, job] = await Promise.all([readNetworkFacts(config), auditedJob(api, id)])
      if (!job.receipt)
        throw new HeuristError<CliErrorCode>('CLI_NOT_FOUND', `Job ${id} has no receipt: only jobs that succeeded have one.`)
      const { batchNumber, signed } = job.receipt
      const batch =
        batchNumber === null ? null : z.object({ leaves: z.array(bytes32Schema) }).parse(await api.get(`/api/batches/${batchNumber}`))
      const chain = chainOf(config, facts)
      const verified = await verifyReceipt(signed, batch && batchNumber !== null ? { batchNumber, leaves: batch.leaves } : null, chain)
      output.answer({ jobId: id, valid: verified.ok, digest: verified.digest, checks: verified.checks }, () =>
        verified.checks.map(check => `${mark(check.ok)} ${check.name}: ${check.detail}`).join('\n'),
      )
      return verified.ok ? EXIT.ok : EXIT.mismatch
    },
  )
}
