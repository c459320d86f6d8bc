import type { Command } from 'commander'
import { z } from 'zod'
import { verifyReceipt } from '#orchestration'
import { bytes32Schema, HeuristError, signedReceiptSchema } from '#protocol'
import { readNetworkFacts } from '../network/facts.ts'
import { auditedChain, auditMoneyCommand, mark } from './audit-money.ts'
import { auditRouteCommand } from './audit-route.ts'
import type { ApiClient, CliErrorCode } from './client.ts'
import type { Attach } from './commands.ts'
import { EXIT } from './output.ts'

/** What the audits need of a job, checked: the gateway is not believed. */
const auditedJobSchema = z.object({
  receipt: z.object({ signed: signedReceiptSchema, batchNumber: z.number().int().nullable() }).nullable(),
})

async function auditedJob(client: ApiClient, id: string): Promise<z.output<typeof auditedJobSchema>> {
  return auditedJobSchema.parse(await client.get(`/api/jobs/${encodeURIComponent(id)}`))
}

/** `heurist audit route|money` and `heurist receipt verify`: nothing that the gateway says is believed. */
export function auditCommands(audit: Command, receipt: Command, attach: Attach): void {
  auditRouteCommand(audit, attach)
  auditMoneyCommand(audit, attach)
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
      const chain = auditedChain(config, facts)
      const verified = await verifyReceipt(signed, batch && batchNumber !== null ? { batchNumber, leaves: batch.leaves } : null, chain)
      output.answer({ jobId: id, valid: verified.ok, digest: verified.digest, checks: verified.checks }, () =>
        verified.checks.map(check => `${mark(check.ok)} ${check.name}: ${check.detail}`).join('\n'),
      )
      return verified.ok ? EXIT.ok : EXIT.mismatch
    },
  )
}
