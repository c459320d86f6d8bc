import type { Command } from 'commander'
import pc from 'picocolors'
import { z } from 'zod'
import { auditMoney, type MoneyAudit } from '#orchestration'
import { type Chain, createLogger, systemClock } from '#platform'
import { createRpcChain } from '#platform/chain'
import { addressSchema, jsonText } from '#protocol'
import type { Config } from '../config.ts'
import { type NetworkFacts, readNetworkFacts } from '../network/facts.ts'
import type { Attach } from './commands.ts'
import { EXIT, table } from './output.ts'

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

/** The chain as the auditor reads it: through an RPC server of its own choice when one is configured. */
export function auditedChain(config: Config, facts: NetworkFacts): Chain {
  return createRpcChain(
    { rpcUrl: config.chainRpcUrl || facts.rpcUrl, chainId: facts.chainId, contracts: facts.contracts },
    { clock: systemClock, logger: createLogger({ level: 'error', role: 'cli' }) },
  )
}

export function mark(ok: boolean): string {
  return ok ? pc.green('ok  ') : pc.red('FAIL')
}

function moneyJson(audited: MoneyAudit): unknown {
  return JSON.parse(jsonText(audited))
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

/** `heurist audit money`: the database's word against the chain's. */
export function auditMoneyCommand(audit: Command, attach: Attach): void {
  attach(
    audit.command('money').description('Compare every capture in the database with every settlement on the chain, to the wei'),
    async ({ output, config, client }) => {
      const facts = await readNetworkFacts(config)
      const api = client('admin')
      const read = async () => capturedMoneySchema.parse(await api.get('/api/audit/money')).data
      const audited = await auditMoney(read, auditedChain(config, facts))
      output.answer(moneyJson(audited), () => moneyText(audited))
      return audited.ok ? EXIT.ok : EXIT.mismatch
    },
  )
}
