import { beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../port.ts'
import type { TestDatabase } from '../testing/index.ts'
import { address, apiKey, batch, jobStart, pod, success, word } from './fixtures.ts'

export function recordConformance(subject: () => TestDatabase): void {
  let database: Database
  beforeAll(() => {
    database = subject().database
  })

  describe('keys', () => {
    test('default: found by hash, listed by account, revoked once', async () => {
      const key = apiKey({ budget: 5n, expiresAtMs: 9, frontend: address(), scopes: ['inference', 'read'] })
      await database.keys.create(key)
      expect(await database.keys.bySecretHash(key.secretHash)).toEqual(key)
      expect(await database.keys.bySecretHash('00')).toBeNull()
      expect(await database.keys.list(key.account)).toEqual([key])
      expect((await database.keys.list()).length).toBeGreaterThan(0)
      expect(await database.keys.revoke(key.keyId, 77)).toBe(true)
      expect(await database.keys.revoke(key.keyId, 78)).toBe(false)
      expect((await database.keys.bySecretHash(key.secretHash))?.revokedAtMs).toBe(77)
    })
    test('error: a hash is stored once', async () => {
      const key = apiKey()
      await database.keys.create(key)
      await expect(database.keys.create({ ...key, keyId: 'key_other' })).rejects.toThrow()
    })
  })

  describe('batches', () => {
    test('default: receipts are batched once, in order, and the jobs tell it', async () => {
      const outcomes = [success(), success(), success()]
      for (const outcome of outcomes) await database.jobs.finish(outcome)
      const open = await database.batches.unsettled(1_000)
      const sequences = open.map(receipt => receipt.sequence)
      expect(sequences).toEqual(sequences.toSorted((a, b) => a - b))
      expect(await database.batches.unsettled(1)).toHaveLength(1)
      const ours = open.filter(receipt => outcomes.some(outcome => outcome.start.jobId === receipt.jobId))

      const formed = batch(1, { jobCount: 3 })
      await database.batches.form(
        formed,
        ours.map(receipt => receipt.sequence),
      )
      expect(await database.batches.get(1)).toEqual(formed)
      expect(await database.batches.leaves(1)).toEqual(outcomes.map(outcome => outcome.receipt?.digest))
      expect((await database.batches.unsettled(1_000)).map(receipt => receipt.jobId)).not.toContain(outcomes[0]?.start.jobId)
      expect((await database.jobs.receipt(outcomes[0]?.start.jobId ?? ''))?.batchNumber).toBe(1)

      const transactionHash = word()
      await database.batches.markPosted(1, transactionHash)
      expect(await database.batches.unconfirmed()).toMatchObject([{ number: 1, state: 'posted', transactionHash }])
      await database.batches.markConfirmed(1, { transactionHash, blockNumber: 5, gasUsed: 99, confirmedAtMs: 8_000 })
      expect(await database.batches.unconfirmed()).toEqual([])
      const view = await database.jobs.get(outcomes[1]?.start.jobId ?? '')
      expect(view?.timeline.slice(-2)).toEqual([
        { step: 'batched', atMs: 7_000, detail: { batch: 1, jobs: 3 } },
        { step: 'settled', atMs: 8_000, detail: { batch: 1, transactionHash, blockNumber: 5, gasUsed: 99 } },
      ])
    })

    test('error: a taken number or receipt conflicts and changes nothing', async () => {
      const outcome = success()
      await database.jobs.finish(outcome)
      const sequence = (await database.jobs.receipt(outcome.start.jobId))?.sequence ?? 0
      await database.batches.form(batch(100), [sequence])
      await expect(database.batches.form(batch(100), [])).rejects.toMatchObject({ code: 'BATCH_CONFLICT' })
      await expect(database.batches.form(batch(101), [sequence])).rejects.toMatchObject({ code: 'BATCH_CONFLICT' })
      expect(await database.batches.get(101)).toBeNull()
      const other = success()
      await database.jobs.finish(other)
      const free = (await database.jobs.receipt(other.start.jobId))?.sequence ?? 0
      const results = await Promise.allSettled([102, 103, 104].map(number => database.batches.form(batch(number), [free])))
      expect(results.filter(result => result.status === 'fulfilled')).toHaveLength(1)
    })

    test('behavior: batches that the chain lost are formed again with the same bytes', async () => {
      for (const number of [200, 201, 202]) {
        await database.batches.form(batch(number, { calldata: `0x0${number}` }), [])
        await database.batches.markConfirmed(number, { transactionHash: word(), blockNumber: number, gasUsed: 1, confirmedAtMs: 1 })
      }
      expect(await database.batches.reopenAfter(200)).toBe(2)
      expect(await database.batches.reopenAfter(200)).toBe(0)
      expect(await database.batches.get(200)).toMatchObject({ state: 'confirmed' })
      expect(await database.batches.get(202)).toMatchObject({
        state: 'formed',
        transactionHash: null,
        blockNumber: null,
        calldata: '0x0202',
      })
      expect((await database.batches.last())?.number).toBe(202)
      expect((await database.batches.list({ limit: 2, beforeNumber: 202 })).map(row => row.number)).toEqual([201, 200])
    })

    test('behavior: more receipts than a statement has parameters', async () => {
      const outcome = success(jobStart())
      await database.jobs.finish(outcome)
      await subject().query(
        `insert into receipts (job_id, digest, signed, split) select 'job_many_' || n, '0x00', '{}', '[]' from generate_series(1, 70000) n`,
      )
      const rows = await subject().query(`select sequence from receipts where job_id like 'job_many_%' order by sequence`)
      await database.batches.form(
        batch(300),
        rows.map(row => Number(row.sequence)),
      )
      expect(await database.batches.leaves(300)).toHaveLength(70_000)
    })
  })

  describe('pods', () => {
    const newest = async (name: string) => (await database.pods.list()).find(each => each.name === name)
    test('default: a changed manifest is a new version, the same one is not', async () => {
      const first = pod('acme/chat')
      await database.pods.put(first)
      await database.pods.put({ ...first, createdAtMs: 99 })
      expect(await newest('acme/chat')).toEqual(first)
      const second = { ...first, manifestHash: word() }
      await database.pods.put(second)
      expect(await newest('acme/chat')).toEqual({ ...second, version: 2 })
      expect((await database.pods.list()).filter(({ podId }) => podId === first.podId)).toHaveLength(1)
    })
    test('behavior: all versions are kept, newest first; going back is one more', async () => {
      const first = pod('acme/history')
      const second = { ...first, manifestHash: word() }
      for (const each of [first, second, first]) await database.pods.put(each)
      const versions = await database.pods.versions(first.podId)
      expect(versions.map(({ version, manifestHash }) => [version, manifestHash])).toEqual([
        [3, first.manifestHash],
        [2, second.manifestHash],
        [1, first.manifestHash],
      ])
      expect(await database.pods.versions(word())).toEqual([])
    })
    test('behavior: two deployments at once are two versions', async () => {
      const record = pod('acme/race')
      await Promise.all([1, 2, 3].map(() => database.pods.put({ ...record, manifestHash: word() })))
      expect(await newest('acme/race')).toMatchObject({ version: 3 })
    })
  })

  test('batches: organic work is kept by batch, summed by node, and goes with a dissolved batch', async () => {
    const [one, two] = [address(), address()].sort()
    const work = (...units: bigint[]) => units.map((organicUnits, index) => ({ nodeId: index === 0 ? one! : two!, organicUnits }))
    await database.batches.form(batch(700), [], work(5n, 2n ** 70n))
    await database.batches.form(batch(701), [], work(6n))
    await database.batches.form(batch(702), [])
    expect(await database.batches.workOf([700, 701, 702, 999])).toEqual(work(11n, 2n ** 70n))
    expect(await database.batches.workOf([])).toEqual([])
    await database.batches.dissolveFrom(701)
    expect(await database.batches.workOf([700, 701])).toEqual(work(5n, 2n ** 70n))
    await database.batches.dissolveFrom(700)
  })

  test('nodes: presence of an epoch adds up, the newest capacity counts, epochs are apart', async () => {
    const [here, away] = [address(), address()].sort()
    const seen = (onlineMs: number, capacity: number) => ({ nodeId: here!, onlineMs, capacity })
    expect(await database.nodes.epochPresence(7)).toEqual({ watchedMs: 0, nodes: [] })
    await database.nodes.addEpochPresence(7, {
      router: 'a',
      watchedMs: 10,
      nodes: [seen(10, 100), { nodeId: away!, onlineMs: 0, capacity: 3 }],
    })
    await database.nodes.addEpochPresence(7, { router: 'a', watchedMs: 10, nodes: [seen(4, 90)] })
    // Two that watch at once see the same hours.
    await database.nodes.addEpochPresence(7, { router: 'b', watchedMs: 15, nodes: [] })
    await database.nodes.addEpochPresence(8, { router: 'a', watchedMs: 1, nodes: [] })
    expect(await database.nodes.epochPresence(7)).toEqual({
      watchedMs: 20,
      nodes: [seen(14, 90), { nodeId: away, onlineMs: 0, capacity: 3 }],
    })
    expect(await database.nodes.epochPresence(8)).toEqual({ watchedMs: 1, nodes: [] })
  })

  test('nodes: presence adds up', async () => {
    const nodeId = address()
    await database.nodes.addPresence(nodeId, { atMs: 1_000, onlineMs: 0 })
    await database.nodes.addPresence(nodeId, { atMs: 3_000, onlineMs: 2_000 })
    await database.nodes.addPresence(nodeId, { atMs: 2_500, onlineMs: 500 })
    expect((await database.nodes.list()).find(node => node.nodeId === nodeId)).toEqual({
      nodeId,
      firstSeenAtMs: 1_000,
      lastSeenAtMs: 3_000,
      onlineMs: 2_500,
    })
  })

  test('settings: any JSON value, null when unknown', async () => {
    expect(await database.settings.get('cursor')).toBeNull()
    await database.settings.put('cursor', { block: 5, list: ['a', null] })
    await database.settings.put('cursor', { block: 6 })
    expect(await database.settings.get('cursor')).toEqual({ block: 6 })
    await database.settings.put('text', 'x')
    expect(await database.settings.get('text')).toBe('x')
  })
}
