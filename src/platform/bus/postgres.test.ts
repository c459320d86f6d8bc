import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { systemClock } from '../clock.ts'
import { createTestDatabase, type TestDatabase } from '../database/testing/index.ts'
import { silentLogger } from '../logger.ts'
import { createMetrics } from '../metrics.ts'
import { busConformance } from './conformance.ts'
import { createPostgresBus } from './postgres.ts'

let subject: TestDatabase
beforeAll(async () => {
  subject = await createTestDatabase()
})
afterAll(() => subject.stop())

const waitFor = (condition: () => void | Promise<void>): Promise<void> => vi.waitFor(condition, { timeout: 30_000, interval: 20 })
const dependencies = { logger: silentLogger, clock: systemClock }
const BACKENDS = `from pg_stat_activity where application_name = 'heurist bus' and datname = current_database()`

busConformance('PostgreSQL', async () => ({
  open: () => createPostgresBus({ connectionString: subject.connectionString }, dependencies),
  async interrupt() {
    expect(await subject.query(`select pg_terminate_backend(pid) as killed ${BACKENDS}`)).toContainEqual({ killed: true })
  },
}))

describe('PostgreSQL bus', () => {
  test('behavior: what was published in one tick is one transaction', async () => {
    const bus = await createPostgresBus({ connectionString: subject.connectionString }, dependencies)
    const transactions = async (): Promise<number> => Number((await subject.query('select txid_current() as id'))[0]?.id)
    const before = await transactions()
    for (let i = 0; i < 400; i++) bus.publish('tick', String(i))
    await bus.stop()
    // One of the bus and one for asking; other tests' databases share the counter and may add a few.
    expect((await transactions()) - before).toBeLessThan(50)
  })

  test('behavior: what is published while the connection is broken is dropped, and counted', async () => {
    const metrics = createMetrics()
    const counted = async (name: string): Promise<number> => (await metrics.registry.getSingleMetric(name)?.get())?.values[0]?.value ?? 0
    // The first try to come back is at random() × 100 ms, which this makes a minute that never ends.
    const clock = { ...systemClock, after: () => () => undefined }
    const bus = await createPostgresBus({ connectionString: subject.connectionString }, { logger: silentLogger, clock, metrics })
    const heard: string[] = []
    bus.subscribe('lost', payload => heard.push(payload))
    expect(await counted('heurist_bus_connected')).toBe(1)
    await subject.query(`select pg_terminate_backend(pid) ${BACKENDS}`)
    await waitFor(async () => expect(await counted('heurist_bus_connected')).toBe(0))
    for (const payload of ['1', '2', '3']) bus.publish('lost', payload)
    expect(await counted('heurist_bus_dropped_total')).toBe(3)
    // This process needs no server to hear itself.
    await waitFor(() => expect(heard).toEqual(['1', '2', '3']))
    await bus.stop()
  })

  test('behavior: a server that falls silent counts as broken after its time', async () => {
    const options = { connectionString: subject.connectionString, pingEveryMs: 20, answerTimeoutMs: 500 }
    const bus = await createPostgresBus(options, dependencies)
    const [row] = await subject.query(`select pid ${BACKENDS}`)
    const pid = Number(row?.pid)
    process.kill(pid, 'SIGSTOP')
    try {
      await waitFor(async () => {
        const pids = (await subject.query(`select pid ${BACKENDS}`)).map(row => row.pid)
        expect(pids.some(other => other !== pid)).toBe(true)
      })
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    await bus.stop()
  })

  test('error: no server', async () => {
    const connectionString = 'postgres://user:secret@127.0.0.1:1/none'
    const refused = createPostgresBus({ connectionString }, dependencies)
    await expect(refused).rejects.toMatchObject({
      code: 'BUS_UNAVAILABLE',
      retryable: true,
      message: expect.not.stringContaining('secret'),
    })
  })
})
