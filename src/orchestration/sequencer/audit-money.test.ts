import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CapturedMoney } from '#platform'
import { auditMoney } from './audit-money.ts'
import { createSettlementWorld, type SettlementWorld, USD } from './testing.ts'

/** The ledger's side of what the receipts say: what the gateway commits in the same transaction. */
function withLedger(rows: readonly CapturedMoney[]): CapturedMoney[] {
  return [...rows, ...rows.map(row => ({ ...row, source: 'ledger' as const, batchNumber: null }))]
}

describe('auditMoney', () => {
  let world: SettlementWorld
  let captured: CapturedMoney[]
  const look = (rows: readonly CapturedMoney[]) => auditMoney(async () => rows, world.testChain.chain)

  beforeAll(async () => {
    world = await createSettlementWorld()
    const [one, two] = [await world.payer({ deposit: 10n * USD }), await world.payer({ deposit: 10n * USD })]
    const sequencer = world.sequencer()
    await world.jobs(one, [1_234_567n, 89n])
    await sequencer.flush({ timeoutMs: 20_000 })
    await world.jobs(two, [3n * USD + 1n])
    await sequencer.flush({ timeoutMs: 20_000 })
    await world.jobs(two, [777n])
    captured = withLedger(await world.testDatabase.database.money.captured())
  }, 120_000)
  afterAll(() => world?.stop())

  test('default: database and chain agree to the unit, and what waits is said', async () => {
    const audit = await look(captured)
    expect(audit).toMatchObject({ ok: true, batches: 2, problems: [] })
    const payers = audit.lines.filter(line => line.role === 'payer')
    expect(payers.map(line => [line.settled, line.waiting]).sort()).toEqual(
      [
        [1_234_656n, 0n],
        [3_000_001n, 777n],
      ].sort(),
    )
    expect(audit.lines.reduce((sum, line) => sum + (line.role === 'payer' ? -line.settled : line.settled), 0n)).toBe(0n)
    expect(audit.escrow.length).toBeGreaterThanOrEqual(3)
    expect(audit.escrow.every(line => line.credited === line.claimed + line.owed)).toBe(true)
  })

  test('error: one unit that the ledger has and the chain has not is found', async () => {
    const [first] = captured.filter(row => row.source === 'ledger' && row.role === 'node')
    const audit = await look(captured.map(row => (row === first ? { ...row, amount: row.amount + 1n } : row)))
    expect(audit.ok).toBe(false)
    expect(audit.lines.filter(line => !line.ok)).toHaveLength(1)
  })

  test('error: a batch whose receipts say something else is found', async () => {
    const [first] = captured.filter(row => row.source === 'receipts' && row.batchNumber === 2 && row.role === 'protocol')
    const audit = await look(captured.map(row => (row === first ? { ...row, account: `0x${'9'.repeat(40)}` as const } : row)))
    expect(audit.ok).toBe(false)
    expect(audit.problems).toHaveLength(2)
    expect(audit.problems[0]).toMatch(/batch 2: protocol/)
  })

  test('error: settled rows without any receipt are found', async () => {
    const audit = await look([])
    expect(audit.ok).toBe(false)
    expect(audit.problems.length).toBeGreaterThan(3)
  })
})
