import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '#platform'
import { canonicalHash, HeuristError } from '#protocol'
import { textScript } from './testing/dispatcher.ts'
import { createTestGateway, type TestGateway, until } from './testing/harness.ts'
import { httpText, rawClient } from './testing/raw-client.ts'

const CHAT = { model: 'tiny/chat', messages: [{ role: 'user', content: 'hi' }] }
const bearer = ({ secret }: { secret: string }) => ({ authorization: `Bearer ${secret}` })

describe('rate limits', () => {
  let the: TestGateway
  beforeAll(async () => {
    the = await createTestGateway({ rateLimit: { tokensPerMinute: 500, concurrentRequests: 2 } })
  })
  afterAll(() => the.stop())

  test('error: requests per minute of the key', async () => {
    const caller = await the.newCaller({ requestsPerMinute: 2 })
    for (const remaining of ['1', '0']) {
      const { status, headers } = await the.call('/v1/chat/completions', { ...CHAT, max_tokens: 5 }, bearer(caller))
      expect(status).toBe(200)
      expect(headers.get('x-ratelimit-remaining-requests')).toBe(remaining)
    }
    const { status, json, headers } = await the.call('/v1/chat/completions', CHAT, bearer(caller))
    expect(status).toBe(429)
    expect(json).toMatchObject({ error: { code: 'rate_limit_exceeded', type: 'requests' } })
    expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(25)
    expect(headers.get('x-ratelimit-limit-requests')).toBe('2')
  })

  test('behavior: the weight of the key goes to the router with its jobs', async () => {
    for (const weight of [1, 7]) {
      const caller = await the.newCaller({ weight })
      await the.call('/v1/chat/completions', { ...CHAT, max_tokens: 5 }, bearer(caller))
      expect(the.dispatcher.jobs.at(-1)?.order.weight).toBe(weight)
    }
  })

  test('error: tokens per minute, by what was asked for', async () => {
    const caller = await the.newCaller()
    the.dispatcher.script = () => textScript('short')
    expect((await the.call('/v1/chat/completions', { ...CHAT, max_tokens: 400 }, bearer(caller))).status).toBe(200)
    // What was not used came back.
    expect((await the.call('/v1/chat/completions', { ...CHAT, max_tokens: 400 }, bearer(caller))).status).toBe(200)
    the.dispatcher.script = () => textScript('word '.repeat(700))
    await the.call('/v1/chat/completions', CHAT, bearer(caller))
    const { status, json } = await the.call('/v1/chat/completions', CHAT, bearer(caller))
    expect(status).toBe(429)
    expect(json).toMatchObject({ error: { code: 'rate_limit_exceeded', type: 'tokens' } })
  })

  test('error: requests that run at once; a client that leaves gives its place back', async () => {
    const caller = await the.newCaller()
    const ready = Promise.withResolvers<void>()
    the.dispatcher.script = () => ({ ...textScript('slow'), ready: ready.promise })
    const before = the.dispatcher.jobs.length
    const clients = [rawClient(the.port), rawClient(the.port)]
    for (const client of clients)
      client.write(httpText('POST', '/v1/chat/completions', JSON.stringify({ ...CHAT, stream: true }), bearer(caller)))
    await until('both run', () => the.dispatcher.jobs.length === before + 2)
    expect((await the.call('/v1/chat/completions', CHAT, bearer(caller))).status).toBe(429)
    for (const client of clients) client.destroy()
    await until('both are cancelled', () => the.dispatcher.jobs.slice(-2).every(job => job.cancelledFor !== null))
    ready.resolve()
    await until('nothing runs', () => the.gateway.runningJobs === 0)
    the.dispatcher.script = () => textScript('again')
    expect((await the.call('/v1/chat/completions', CHAT, bearer(caller))).status).toBe(200)
  })

  test('behavior: metrics count what happened, by model and outcome', async () => {
    await the.call('/v1/chat/completions', { ...CHAT, model: 'no-such-model-'.repeat(5) })
    const text = await the.metrics.registry.metrics()
    expect(text).toMatch(/heurist_gateway_requests_total\{endpoint="\/chat\/completions",model="tiny\/chat",outcome="ok"\} [1-9]/)
    expect(text).toMatch(/outcome="rate_limit_exceeded"\} [1-9]/)
    expect(text).toMatch(/model="unknown",outcome="model_not_found"\} 1/)
    expect(text).toMatch(/heurist_gateway_tokens_total\{model="tiny\/chat",direction="output"\} \d{3}/)
    expect(text).toMatch(/heurist_gateway_time_to_first_token_seconds_count\{model="tiny\/chat"\} [1-9]/)
    expect(text).toMatch(/heurist_gateway_running_jobs 0/)
    expect(text).not.toContain('no-such-model')
  })
})

describe('idempotency keys', () => {
  let the: TestGateway
  beforeAll(async () => {
    the = await createTestGateway()
  })
  afterAll(() => the.stop())

  test('default: the same key and body get the first answer, and one job', async () => {
    the.dispatcher.script = () => textScript('once')
    const header = { 'idempotency-key': 'order-1' }
    const first = await the.call('/v1/chat/completions', CHAT, header)
    const jobs = the.dispatcher.jobs.length
    const second = await the.call('/v1/chat/completions', CHAT, header)
    expect(second.text).toBe(first.text)
    expect(second.headers.get('idempotent-replayed')).toBe('true')
    expect(second.headers.get('x-heurist-job-id')).toBe(first.headers.get('x-heurist-job-id'))
    expect(the.dispatcher.jobs.length).toBe(jobs)
  })

  test('error: another body, or another endpoint, under the same key', async () => {
    const header = { 'idempotency-key': 'order-2' }
    await the.call('/v1/chat/completions', CHAT, header)
    const other = await the.call('/v1/chat/completions', { ...CHAT, temperature: 1 }, header)
    expect(other.status).toBe(400)
    expect(other.json).toMatchObject({ error: { code: 'idempotency_key_reused' } })
    expect((await the.call('/v1/completions', { model: 'tiny/chat', prompt: 'hi' }, header)).status).toBe(400)
  })

  test('error: twice at the same time is one job and one conflict', async () => {
    const last = Promise.withResolvers<void>()
    the.dispatcher.script = () => ({ ...textScript('slow'), last: last.promise })
    const before = the.dispatcher.jobs.length
    const header = { 'idempotency-key': 'order-3' }
    const first = the.call('/v1/chat/completions', CHAT, header)
    await until('it runs', () => the.dispatcher.jobs.length === before + 1)
    const second = await the.call('/v1/chat/completions', CHAT, header)
    expect(second.status).toBe(409)
    expect(second.json).toMatchObject({ error: { code: 'idempotency_key_in_use' } })
    last.resolve()
    expect((await first).status).toBe(200)
    expect((await the.call('/v1/chat/completions', CHAT, header)).status).toBe(200)
    expect(the.dispatcher.jobs.length).toBe(before + 1)
  })

  test('behavior: a streamed answer is one job too: 409 while it runs, then the same events again', async () => {
    const last = Promise.withResolvers<void>()
    the.dispatcher.script = () => ({ ...textScript('once upon'), last: last.promise })
    const body = { ...CHAT, stream: true }
    const before = the.dispatcher.jobs.length
    const header = { 'idempotency-key': 'stream-1' }
    const running = the.call('/v1/chat/completions', body, header)
    await until('it runs', () => the.dispatcher.jobs.length === before + 1)
    expect((await the.call('/v1/chat/completions', body, header)).json).toMatchObject({ error: { code: 'idempotency_key_in_use' } })
    last.resolve()
    const first = await running
    const again = await the.call('/v1/chat/completions', body, header)
    expect(first.text).toMatch(/once[\s\S]*data: \[DONE\]\n\n$/)
    expect(again.text).toBe(first.text)
    expect(again.headers.get('content-type')).toContain('text/event-stream')
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect(again.headers.get('x-heurist-job-id')).toBe(first.headers.get('x-heurist-job-id'))
    expect(the.dispatcher.jobs.length).toBe(before + 1)
    expect((await the.call('/v1/chat/completions', CHAT, header)).json).toMatchObject({ error: { code: 'idempotency_key_reused' } })
  })

  test('behavior: a stream whose client left is not kept: it may be asked for again', async () => {
    the.dispatcher.script = () => textScript('word '.repeat(2_000))
    const header = { 'idempotency-key': 'stream-2' }
    const body = { ...CHAT, stream: true }
    const client = rawClient(the.port)
    client.write(httpText('POST', '/v1/chat/completions', JSON.stringify(body), { authorization: `Bearer ${the.secret}`, ...header }))
    await client.hears(/"content":"word"/)
    client.destroy()
    await until('nothing runs', () => the.gateway.runningJobs === 0)
    the.dispatcher.script = () => textScript('again')
    await until('the key is free', async () => {
      const { status, text } = await the.call('/v1/chat/completions', body, header)
      return status === 200 && text.includes('again')
    })
  })

  test('behavior: a failure is not kept', async () => {
    const header = { 'idempotency-key': 'order-4' }
    the.dispatcher.script = () => ({ deltas: [], choices: [], outputUnits: 0, failure: { code: 'ROUTER_NO_CANDIDATE', message: 'none' } })
    expect((await the.call('/v1/chat/completions', CHAT, header)).status).toBe(503)
    the.dispatcher.script = () => textScript('now')
    expect((await the.call('/v1/chat/completions', CHAT, header)).status).toBe(200)
  })

  test('behavior: another account has its own keys', async () => {
    const header = { 'idempotency-key': 'order-5' }
    const first = await the.call('/v1/chat/completions', CHAT, header)
    const other = await the.call('/v1/chat/completions', CHAT, { ...header, ...bearer(await the.newCaller()) })
    expect(other.headers.get('x-heurist-job-id')).not.toBe(first.headers.get('x-heurist-job-id'))
  })

  test('behavior: a gateway that died between the charge and its answer: there is no second charge (law L4)', async () => {
    let isDying = true
    let laterMs = 0
    const unlessDying = (write: () => Promise<void>): Promise<void> => (isDying ? Promise.resolve() : write())
    const mortal = await createTestGateway(
      {},
      {
        clock: { ...systemClock, now: () => systemClock.now() + laterMs },
        jobs: jobs => ({
          ...jobs,
          rememberAnswer: (...told) => unlessDying(() => jobs.rememberAnswer(...told)),
          releaseKey: (...told) => unlessDying(() => jobs.releaseKey(...told)),
        }),
      },
    )
    mortal.dispatcher.script = () => textScript('once')
    const ask = () => mortal.call('/v1/chat/completions', CHAT, { 'idempotency-key': 'order-6' })
    const charged = (await ask()).headers.get('x-heurist-job-id')
    isDying = false
    // The process that ran it may yet store the answer.
    expect((await ask()).json).toMatchObject({ error: { code: 'idempotency_key_in_use' } })
    laterMs = 6_000
    expect((await ask()).json).toMatchObject({ error: { code: 'idempotency_answer_lost', heurist: { job_id: charged } } })
    expect(mortal.dispatcher.jobs).toHaveLength(1)
    await mortal.stop()
  })

  test('behavior: a gateway that died before the charge: the key is free again when its job has ended', async () => {
    let laterMs = 0
    const mortal = await createTestGateway({}, { clock: { ...systemClock, now: () => systemClock.now() + laterMs } })
    const body = { ...CHAT, heurist: {} }
    const held = await mortal.database.database.jobs.takeKey(mortal.account, 'order-7', {
      requestHash: canonicalHash({ path: '/chat/completions', body: CHAT }),
      jobId: 'job_that_died',
    })
    expect(held.jobId).toBe('job_that_died')
    mortal.dispatcher.script = () => textScript('again')
    const ask = () => mortal.call('/v1/chat/completions', body, { 'idempotency-key': 'order-7' })
    expect((await ask()).status).toBe(409)
    laterMs = 6_000
    expect((await ask()).status).toBe(200)
    expect((await ask()).headers.get('idempotent-replayed')).toBe('true')
    await mortal.stop()
  })

  test('error: a key that is too long', async () => {
    expect((await the.call('/v1/chat/completions', CHAT, { 'idempotency-key': 'x'.repeat(256) })).status).toBe(400)
  })
})

describe('an outage that hides whether a receipt was committed', () => {
  const setUp = async (commitsBefore: boolean) => {
    let isOut = false
    const the = await createTestGateway(
      {},
      {
        jobs: jobs =>
          new Proxy(jobs, {
            get(target, name) {
              if (name !== 'finish')
                return (...values: unknown[]) => (Reflect.get(target, name) as (...values: unknown[]) => unknown).apply(target, values) // cast: every member is a function
              return async (outcome: Parameters<typeof target.finish>[0]) => {
                if (!isOut || commitsBefore) await target.finish(outcome)
                if (!isOut) return
                isOut = false
                throw new HeuristError('DATABASE_UNAVAILABLE', 'the connection was lost')
              }
            },
          }),
      },
    )
    const balance = async () =>
      (await the.payments.balance(the.account)).reduce(
        (sum, { nanoCredits, held }) => ({ free: sum.free + nanoCredits - held, held: sum.held + held }),
        { free: 0n, held: 0n },
      )
    return {
      the,
      balance,
      goOut: () => {
        isOut = true
      },
    }
  }

  test.each([
    [false, 'failed'],
    [true, 'succeeded'],
  ] as const)('behavior: committed %s: the job is %s, the hold is gone, the books agree', async (commitsBefore, state) => {
    const { the, balance, goOut } = await setUp(commitsBefore)
    const before = await balance()
    goOut()
    const { status, json } = await the.call('/v1/chat/completions', CHAT)
    expect(status).toBe(503)
    expect(json).toMatchObject({ error: { code: 'storage_unavailable', heurist: { code: 'GATEWAY_OUTCOME_LOST' } } })
    const { jobId } = the.dispatcher.jobs.at(-1)!.order
    await until('the hold is resolved', async () => (await balance()).held === 0n)
    const job = await the.database.database.jobs.get(jobId)
    expect(job?.state).toBe(state)
    const after = await balance()
    expect(before.free - after.free > 0n).toBe(commitsBefore)
    for (const { sum } of await the.database.database.ledger.totals()) expect(sum, 'law L1').toBe(0n)
    // Memory and ledger agree: what payments believe to be free can be given back to the last unit.
    await the.payments.stop()
    expect(await the.database.database.ledger.balances('allowance:')).toEqual([])
    await the.stop()
  })
})

describe('stop', () => {
  test('behavior: running answers end, new ones are refused, the port is free', async () => {
    const the = await createTestGateway({ drainMs: 5_000 })
    const last = Promise.withResolvers<void>()
    the.dispatcher.script = () => ({ ...textScript('to the end'), last: last.promise })
    const client = rawClient(the.port)
    client.write(httpText('POST', '/v1/chat/completions', JSON.stringify({ ...CHAT, stream: true }), bearer(the)))
    await client.hears(/end/)
    const other = rawClient(the.port)
    const stopped = the.gateway.stop()
    other.write(httpText('POST', '/v1/chat/completions', JSON.stringify(CHAT), bearer(the)))
    expect(await other.hears(/shutting_down/)).toMatch(/^HTTP\/1\.1 503/)
    expect((await fetch(`${the.url}/readyz`)).status).toBe(503)
    last.resolve()
    await client.hears(/\[DONE\]/)
    await stopped
    await expect(fetch(`${the.url}/healthz`)).rejects.toThrow()
    await the.stop()
  })

  test('behavior: what does not end in time is cancelled, and idle or stuck connections do not hold it up', async () => {
    const the = await createTestGateway({ drainMs: 100 })
    the.dispatcher.script = () => textScript(`${'x'.repeat(5_000)} `.repeat(3_000))
    const stuck = rawClient(the.port)
    stuck.socket.pause()
    stuck.write(httpText('POST', '/v1/chat/completions', JSON.stringify({ ...CHAT, stream: true }), bearer(the)))
    const idle = rawClient(the.port)
    await until('it runs', () => the.gateway.runningJobs === 1)
    const startedAtMs = performance.now()
    await the.gateway.stop()
    expect(performance.now() - startedAtMs).toBeLessThan(5_000)
    expect(the.dispatcher.jobs.at(-1)?.cancelledFor).toBe('the gateway is stopping')
    expect(the.gateway.runningJobs).toBe(0)
    stuck.destroy()
    idle.destroy()
    await the.stop()
  })

  test('error: a taken port is said', async () => {
    const the = await createTestGateway()
    await expect(createTestGateway({ port: the.port })).rejects.toThrow(/taken by another program/)
    await the.stop()
  })
})
