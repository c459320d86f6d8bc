import { beforeAll, describe, expect, test } from 'vitest'
import type { SignedDecision } from '#protocol'
import type { Database, JobStore } from '../port.ts'
import type { TestDatabase } from '../testing/index.ts'
import { ASSET, address, apiKey, failure, jobStart, success, transfer, word } from './fixtures.ts'

export function jobConformance(subject: () => TestDatabase): void {
  describe('jobs', () => {
    let database: Database
    let jobs: JobStore
    beforeAll(() => {
      database = subject().database
      jobs = database.jobs
    })

    test('default: a started job is open, a finished one has everything', async () => {
      const start = jobStart()
      await jobs.start(start)
      expect(await jobs.get(start.jobId)).toMatchObject({
        jobId: start.jobId,
        state: 'held',
        price: null,
        units: null,
        maxPrice: 100n,
        timeline: [],
      })
      expect(await jobs.get(start.jobId)).not.toHaveProperty('ownerEpoch')

      const outcome = success(start, { decisions: [{ recordHash: word(), router: address() } as SignedDecision] }) // cast: stored as given
      await jobs.finish(outcome)
      const { ownerEpoch: _, ...known } = start
      expect(await jobs.get(start.jobId)).toEqual({
        ...known,
        state: 'succeeded',
        nodeId: outcome.nodeId,
        attempts: 1,
        price: 10n,
        units: { inputUnits: 10, outputUnits: 20 },
        errorCode: null,
        errorMessage: null,
        finishedAtMs: 6_000,
        timeline: outcome.timeline,
      })
      expect(await jobs.decisions(start.jobId)).toEqual(outcome.decisions)
      expect(await jobs.receipt(start.jobId)).toEqual({
        ...outcome.receipt,
        jobId: start.jobId,
        sequence: expect.any(Number),
        batchNumber: null,
      })
      expect(await jobs.discard(start.jobId)).toBeNull()
      expect(await database.ledger.balance(`earned:node:${outcome.nodeId}`, ASSET)).toBe(10n)
    })

    test('behavior: decisions are listed from a time on, page by page, those of one millisecond too', async () => {
      const atMs = 9_000_000_000_000
      const decision = { recordHash: word(), router: address() } as SignedDecision // cast: stored as given
      const starts = [0, 0, 1, 5].map(offset => jobStart({ createdAtMs: atMs + offset }))
      for (const item of starts) await jobs.finish(success(item, { decisions: [decision] }))
      const first = await jobs.decisionsSince({ sinceMs: atMs, limit: 3 })
      const rest = await jobs.decisionsSince({ sinceMs: atMs, limit: 3, after: first.at(-1)! })
      expect(new Set([...first, ...rest].map(({ jobId }) => jobId))).toEqual(new Set(starts.map(({ jobId }) => jobId)))
      expect([first.length, rest.length]).toEqual([3, 1])
      expect(first[0]!.decisions).toEqual([decision])
      expect(await jobs.decisionsSince({ sinceMs: atMs + 6, limit: 3 })).toEqual([])
    })

    test('behavior: a failed job has a discard receipt, no receipt and no ledger event (L3)', async () => {
      const outcome = failure()
      await jobs.finish(outcome)
      expect(await jobs.get(outcome.start.jobId)).toMatchObject({ state: 'failed', errorCode: 'ROUTER_NO_CANDIDATE', price: 0n })
      expect(await jobs.discard(outcome.start.jobId)).toEqual(outcome.discard)
      expect(await jobs.receipt(outcome.start.jobId)).toBeNull()
    })

    test('behavior: a job that was never started can be finished; a late start does not open it again', async () => {
      const outcome = success()
      await jobs.finish(outcome)
      await jobs.start(outcome.start)
      await Promise.all([jobs.finish(outcome), jobs.start(outcome.start)])
      expect((await jobs.get(outcome.start.jobId))?.state).toBe('succeeded')
      expect((await jobs.orphaned('e1:other')).map(job => job.jobId)).not.toContain(outcome.start.jobId)
    })

    test('behavior: the same end told twice is written once, at the same time, too', async () => {
      const outcome = success()
      await Promise.all([jobs.finish(outcome), jobs.finish(outcome), jobs.finish(outcome)])
      await jobs.finish(outcome)
      expect(await database.ledger.balance(`earned:node:${outcome.nodeId}`, ASSET)).toBe(10n)
    })

    test('error: another end of the same job is refused and charges nothing (L2)', async () => {
      const start = jobStart()
      await jobs.finish(failure(start))
      const late = success(start)
      await expect(jobs.finish(late)).rejects.toMatchObject({ code: 'JOB_ALREADY_ENDED', payload: { state: 'failed' } })
      expect(await database.ledger.balance(`earned:node:${late.nodeId}`, ASSET)).toBe(0n)
      expect(await jobs.receipt(start.jobId)).toBeNull()
      await expect(subject().query(`update jobs set state = 'succeeded' where job_id = '${start.jobId}'`)).rejects.toThrow(/append-only/)
    })

    test('behavior: one bad outcome does not fail its neighbours', async () => {
      const good = Array.from({ length: 20 }, () => success())
      const overdrawn = success(jobStart(), { ledger: [transfer(`credits:${address()}`, 'vault', 1n)] })
      const unbalanced = success(jobStart(), {
        ledger: [transfer('a', 'b', 1n, { postings: [{ account: 'a', asset: ASSET, amount: 1n }] })],
      })
      const tooLarge = success(jobStart(), { price: 10n ** 90n })
      const results = await Promise.allSettled(
        [...good, overdrawn, unbalanced, tooLarge, ...good.slice(0, 1)].map(outcome => jobs.finish(outcome)),
      )
      expect(results.map(result => result.status)).toEqual([
        ...good.map(() => 'fulfilled'),
        'rejected',
        'rejected',
        'rejected',
        'fulfilled',
      ])
      expect(results.slice(20, 22)).toMatchObject([{ reason: { code: 'LEDGER_OVERDRAWN' } }, { reason: { code: 'LEDGER_UNBALANCED' } }])
      for (const { start } of good) expect((await jobs.get(start.jobId))?.state).toBe('succeeded')
      for (const { start } of [overdrawn, unbalanced, tooLarge]) expect(await jobs.get(start.jobId)).toBeNull()
    })

    test('behavior: what clients and nodes send may be any text', async () => {
      const errorMessage = 'zero \0 lone \ud800 pair 😀 "quote" \\ {1,2} NULL'
      const outcome = failure(jobStart({ model: 'm\0\udfff' }), {
        errorMessage,
        timeline: [{ step: 'done', atMs: 1, detail: { text: '\0\ud800"\\' } }],
      })
      await jobs.finish(outcome)
      const view = await jobs.get(outcome.start.jobId)
      expect(view?.errorMessage).toBe('zero \ufffd lone \ufffd pair 😀 "quote" \\ {1,2} NULL')
      expect(view?.model).toBe('m\ufffd\ufffd')
      expect(view?.timeline[0]?.detail).toEqual({ text: '\0\ud800"\\' })
    })

    test('behavior: the key has spent what its jobs cost', async () => {
      const key = apiKey({ budget: 10_000n })
      await database.keys.create(key)
      await Promise.all(Array.from({ length: 5 }, () => jobs.finish(success(jobStart({ keyId: key.keyId })))))
      expect((await database.keys.bySecretHash(key.secretHash))?.spent).toBe(5_000n)
    })

    test('behavior: processes that end jobs of the same keys and accounts never block each other', async () => {
      const keys = Array.from({ length: 12 }, () => apiKey())
      for (const key of keys) await database.keys.create(key)
      const nodes = Array.from({ length: 12 }, () => `earned:node:${address()}`)
      const other = await subject().open()
      const deadlocks = async () =>
        (await subject().query('select deadlocks from pg_stat_database where datname = current_database()'))[0]?.deadlocks
      const before = await deadlocks()
      const ends = Array.from({ length: 400 }, (_, i) => {
        const ledger = [transfer(nodes[(i * 7) % 12] ?? '', nodes[(i * 5 + 1) % 12] ?? '', 1n)]
        return (i % 2 ? other : database).jobs.finish(success(jobStart({ keyId: keys[(i * 11) % 12]?.keyId ?? '' }), { ledger }))
      })
      await Promise.all(ends)
      await other.stop()
      expect(await deadlocks()).toEqual(before)
      const spent = await Promise.all(keys.map(key => database.keys.bySecretHash(key.secretHash)))
      expect(spent.reduce((sum, key) => sum + (key?.spent ?? 0n), 0n)).toBe(400_000n)
    })

    test('behavior: list by account, pod, state and time, newest first', async () => {
      const [payer, podId] = [address(), word()]
      const made = [1, 2, 3, 4].map(n => jobStart({ payer, createdAtMs: n * 1_000, ...(n % 2 === 0 && { podId }) }))
      const [first, second, third, fourth] = made.map(start => start.jobId)
      await Promise.all([
        jobs.finish(success(made[0])),
        jobs.finish(failure(made[1])),
        jobs.start(made[2] ?? jobStart()),
        jobs.finish(success(made[3])),
      ])
      const ids = async (options: Partial<Parameters<JobStore['list']>[0]>) =>
        (await jobs.list({ account: payer, limit: 10, ...options })).map(job => job.jobId)
      expect(await ids({})).toEqual([fourth, third, second, first])
      expect(await ids({ limit: 2 })).toEqual([fourth, third])
      expect(await ids({ beforeMs: 3_000 })).toEqual([second, first])
      expect(await ids({ state: 'succeeded' })).toEqual([fourth, first])
      expect(await ids({ state: 'held' })).toEqual([third])
      expect(await ids({ podId })).toEqual([fourth, second])
      expect(await ids({ account: address() })).toEqual([])
    })

    test('behavior: open jobs of earlier epochs of an instance are orphans, those of other instances are not', async () => {
      const [dead, alive, other] = ['one:dead', 'one:alive', 'two:dead'].map(ownerEpoch => jobStart({ ownerEpoch }))
      await Promise.all([dead, alive, other].map(start => jobs.start(start!)))
      const ids = (await jobs.orphaned('one:alive')).map(job => job.jobId)
      expect(ids).toContain(dead!.jobId)
      expect(ids).not.toContain(alive!.jobId)
      expect(ids).not.toContain(other!.jobId)
      await jobs.finish(failure(dead!))
      expect((await jobs.orphaned('one:alive')).map(job => job.jobId)).not.toContain(dead!.jobId)
    })

    test('behavior: an idempotency key has one holder, whoever asks at once, and keeps its answer, per account', async () => {
      const account = address()
      const takers = ['job_1', 'job_2', 'job_3'].map(jobId => ({ requestHash: word(), jobId }))
      const held = await Promise.all(takers.map(taker => jobs.takeKey(account, 'retry-1', taker)))
      const { jobId, requestHash } = held[0]!
      expect(held.map(each => each.jobId)).toEqual([jobId, jobId, jobId])
      expect(held[0]).toMatchObject({ status: 0, body: '' })
      await jobs.rememberAnswer(account, 'retry-1', { status: 200, body: 'of another job', jobId: 'job_9' })
      await jobs.rememberAnswer(account, 'retry-1', { status: 200, body: '{"a":1}', jobId })
      await jobs.releaseKey(account, 'retry-1', jobId)
      expect(await jobs.takeKey(account, 'retry-1', { requestHash: word(), jobId: 'job_4', instead: jobId })).toMatchObject({
        requestHash,
        status: 200,
        body: '{"a":1}',
        jobId,
      })
      expect((await jobs.takeKey(address(), 'retry-1', { requestHash, jobId: 'job_5' })).jobId).toBe('job_5')
    })

    test('behavior: a key without an answer can be given up, and taken over from a job that is named', async () => {
      const account = address()
      const take = async (jobId: string, instead?: string) =>
        (await jobs.takeKey(account, 'retry-2', { requestHash: word(), jobId, ...(instead && { instead }) })).jobId
      expect(await take('job_1')).toBe('job_1')
      expect(await take('job_2', 'job_0')).toBe('job_1')
      expect(await take('job_2', 'job_1')).toBe('job_2')
      await jobs.releaseKey(account, 'retry-2', 'job_1')
      expect(await take('job_3')).toBe('job_2')
      await jobs.releaseKey(account, 'retry-2', 'job_2')
      expect(await take('job_3')).toBe('job_3')
    })

    test('behavior: unknown jobs', async () => {
      const { jobId } = jobStart()
      expect(await jobs.get(jobId)).toBeNull()
      expect(await jobs.receipt(jobId)).toBeNull()
      expect(await jobs.discard(jobId)).toBeNull()
      expect(await jobs.decisions(jobId)).toEqual([])
    })
  })
}
