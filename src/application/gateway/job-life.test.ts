import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { priceOfJob } from '#economics'
import type { JobStore } from '#platform'
import { HeuristError, type JobId, type JobOrder, type JobView } from '#protocol'
import { INITIAL_WINDOW_TOKENS, textScript, wordDeltas } from './testing/dispatcher.ts'
import { createTestGateway, eventsOf, PROTOCOL_ACCOUNT, TEST_ASSET, type TestGateway, until } from './testing/harness.ts'
import { httpText, rawClient } from './testing/raw-client.ts'

const CHAT = { model: 'tiny/chat', messages: [{ role: 'user', content: 'hi' }] }
const STREAM = { ...CHAT, stream: true }

/** What the test lets the job store do. */
type Gate = { start: Promise<void>; finish: () => Promise<void>; finished: JobId[]; told: JobId[] }
let the: TestGateway
let gate: Gate

function gated(jobs: JobStore): JobStore {
  return new Proxy(jobs, {
    get(target, name) {
      if (name === 'start') return (start: Parameters<JobStore['start']>[0]) => gate.start.then(() => target.start(start))
      if (name === 'startNow') return (jobId: JobId) => void gate.told.push(jobId)
      if (name === 'finish') {
        return async (outcome: Parameters<JobStore['finish']>[0]) => {
          await gate.finish()
          await target.finish(outcome)
          gate.finished.push(outcome.start.jobId)
        }
      }
      const member = Reflect.get(target, name)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}

function openGate(): void {
  gate = { start: Promise.resolve(), finish: async () => undefined, finished: [], told: [] }
}

beforeAll(async () => {
  openGate()
  the = await createTestGateway({ keepAliveMs: 400 }, { jobs: gated })
})
afterAll(() => the.stop())

function lastOrder(): JobOrder {
  const job = the.dispatcher.jobs.at(-1)
  if (!job) throw new Error('nothing was dispatched')
  return job.order
}

async function storedJob(jobId = lastOrder().jobId): Promise<JobView> {
  const job = await the.database.database.jobs.get(jobId)
  if (!job) throw new Error(`job ${jobId} is not stored`)
  return job
}

async function freeCredits(account = the.account): Promise<bigint> {
  const balances = await the.payments.balance(account)
  return balances.reduce((sum, { nanoCredits, held }) => sum + nanoCredits - held, 0n)
}

const steps = (job: JobView) => job.timeline.map(event => event.step)

async function lawsHold(): Promise<void> {
  for (const { sum } of await the.database.database.ledger.totals()) expect(sum, 'law L1').toBe(0n)
}

describe('a job that succeeds', () => {
  test('default: is charged what it used, its receipt and split are stored, the books balance', async () => {
    the.dispatcher.script = () => textScript('one two three four')
    const before = await freeCredits()
    const { headers } = await the.call('/v1/chat/completions', CHAT)
    const order = lastOrder()
    const job = await storedJob()
    expect(job.state).toBe('succeeded')
    expect(steps(job)).toEqual(['quoted', 'held', 'decided', 'leased', 'first_token', 'done', 'receipt'])
    expect(job.units).toEqual({ inputUnits: order.inputUnits, outputUnits: 4 })
    const price = priceOfJob(order.pricing, { inputUnits: order.inputUnits, outputUnits: 4 })
    expect(job.price).toBe(price)
    expect(price <= job.maxPrice, 'law L6').toBe(true)
    const receipt = await the.database.database.jobs.receipt(order.jobId)
    expect(receipt?.digest).toBe(headers.get('x-heurist-receipt'))
    expect(
      receipt?.split.reduce((sum, share) => sum + share.amount, 0n),
      'law C3',
    ).toBe(price)
    expect(receipt?.split.find(share => share.role === 'protocol')?.account).toBe(PROTOCOL_ACCOUNT)
    const charged = before - (await freeCredits())
    expect(charged).toBeGreaterThan(0n)
    expect(Number(charged) / 1e9).toBe(Number(headers.get('x-heurist-cost-credits')))
    await lawsHold()
  })

  test('behavior: nothing is committed before the first token', async () => {
    gate.start = new Promise(() => undefined)
    const last = Promise.withResolvers<void>()
    the.dispatcher.script = () => ({ ...textScript('early'), last: last.promise })
    const client = rawClient(the.port)
    client.write(httpText('POST', '/v1/chat/completions', JSON.stringify(STREAM), { authorization: `Bearer ${the.secret}` }))
    await client.hears(/"content":"early"/)
    last.resolve()
    await client.hears(/\[DONE\]/)
    openGate()
    expect((await storedJob()).state).toBe('succeeded')
    client.destroy()
  })

  test('behavior: a job whose id the client hears with its first token is written down at once (law L5)', async () => {
    openGate()
    the.dispatcher.script = () => textScript('early')
    await the.call('/v1/chat/completions', CHAT)
    expect(gate.told, 'a whole answer tells it at the end').toEqual([])
    await the.call('/v1/chat/completions', STREAM)
    expect(gate.told).toEqual([lastOrder().jobId])
    openGate()
  })

  test('behavior: the receipt is on disk before [DONE], and before the finish reason', async () => {
    const commit = Promise.withResolvers<void>()
    gate.finish = () => commit.promise
    the.dispatcher.script = () => textScript('almost there')
    const client = rawClient(the.port)
    client.write(httpText('POST', '/v1/chat/completions', JSON.stringify(STREAM), { authorization: `Bearer ${the.secret}` }))
    await client.hears(/there/)
    await until('the router has ended the job', () => the.dispatcher.jobs.at(-1)?.isEnded === true)
    expect(client.heard).not.toMatch(/\[DONE\]|"finish_reason":"stop"/)
    expect(gate.finished).toEqual([])
    commit.resolve()
    await client.hears(/\[DONE\]/)
    expect(gate.finished).toEqual([lastOrder().jobId])
    openGate()
    client.destroy()
  })

  test('behavior: a whole answer waits for its receipt too', async () => {
    const commit = Promise.withResolvers<void>()
    gate.finish = () => commit.promise
    the.dispatcher.script = () => textScript('done')
    let isAnswered = false
    const answer = the.call('/v1/chat/completions', CHAT).then(result => {
      isAnswered = true
      return result
    })
    await until('the router has ended the job', () => the.dispatcher.jobs.at(-1)?.isEnded === true)
    expect(isAnswered).toBe(false)
    commit.resolve()
    expect((await answer).status).toBe(200)
    openGate()
  })
})

describe('a job that fails', () => {
  test.each([
    ['ROUTER_NO_CANDIDATE', 503, 'no_candidate', '7'],
    ['ROUTER_QUEUE_TIMEOUT', 503, 'overloaded', '7'],
    ['ROUTER_NODE_LOST', 502, 'node_failed', '7'],
    ['ROUTER_TOKEN_TIMEOUT', 504, 'deadline_exceeded', '7'],
    ['ROUTER_TOTAL_TIMEOUT', 504, 'deadline_exceeded', '7'],
    ['ROUTER_REQUEST_REJECTED', 400, 'invalid_value', '7'],
    ['SOMETHING_NEW', 502, 'node_failed', '7'],
  ])('error: %s before output answers %i, streamed or not, and costs nothing', async (code, status, wireCode, retryAfter) => {
    the.dispatcher.script = () => ({
      deltas: [],
      choices: [],
      outputUnits: 0,
      failure: { code, message: 'it went wrong', retryAfterMs: 6_500 },
    })
    const before = await freeCredits()
    for (const body of [CHAT, STREAM]) {
      const { status: got, json, headers } = await the.call('/v1/chat/completions', body)
      expect(got).toBe(status)
      expect(json).toMatchObject({ error: { code: wireCode, message: 'it went wrong. Nothing was charged.', heurist: { code } } })
      expect(headers.get('retry-after')).toBe(retryAfter)
      const { jobId } = lastOrder()
      const job = await storedJob(jobId)
      expect(job).toMatchObject({ state: 'failed', errorCode: code, price: 0n })
      expect(steps(job)).toContain('released')
      expect((await the.database.database.jobs.discard(jobId))?.discard.reason, 'law L3').toBe(code)
      expect(await the.database.database.jobs.receipt(jobId)).toBeNull()
      expect(headers.get('x-heurist-job-id')).toBe(jobId)
    }
    expect(await freeCredits()).toBe(before)
    await lawsHold()
  })

  test('error: the member of the request that the engine names reaches the client', async () => {
    const failure = { code: 'ROUTER_REQUEST_REJECTED', message: 'This model has 512 dimensions', param: 'dimensions' }
    the.dispatcher.script = () => ({ deltas: [], choices: [], outputUnits: 0, failure })
    for (const body of [CHAT, STREAM]) {
      const { json } = await the.call('/v1/chat/completions', body)
      expect(json).toMatchObject({ error: { type: 'invalid_request_error', code: 'invalid_value', param: 'dimensions' } })
    }
  })

  test('error: after output the failure is an event, without [DONE]', async () => {
    the.dispatcher.script = () => ({ ...textScript('half an'), failure: { code: 'ROUTER_NODE_LOST', message: 'The node went away' } })
    const { status, text } = await the.call('/v1/chat/completions', STREAM)
    expect(status).toBe(200)
    const events = eventsOf(text)
    expect(events.at(-1)).toMatchObject({ error: { code: 'node_failed', type: 'server_error', param: null } })
    expect(text).not.toContain('[DONE]')
    expect((await storedJob()).state).toBe('failed')
  })

  test('error: the official client throws on a failure in mid-stream', async () => {
    the.dispatcher.script = () => ({ ...textScript('half an'), failure: { code: 'ROUTER_NODE_LOST', message: 'The node went away' } })
    const read = async () => {
      for await (const _chunk of await the.client.chat.completions.create({
        ...CHAT,
        messages: [{ role: 'user', content: 'hi' }],
        stream: true,
      }));
    }
    await expect(read()).rejects.toThrow(/node went away/)
  })

  test('error: an outcome that can not be stored is no answer, and says so', async () => {
    gate.finish = async () => {
      throw new HeuristError('DATABASE_UNAVAILABLE', 'gone')
    }
    the.dispatcher.script = () => textScript('lost')
    const whole = await the.call('/v1/chat/completions', CHAT)
    expect(whole.status).toBe(503)
    expect(whole.json).toMatchObject({ error: { code: 'storage_unavailable' } })
    const streamed = await the.call('/v1/chat/completions', STREAM)
    expect(streamed.text).toContain('storage_unavailable')
    expect(streamed.text).not.toContain('[DONE]')
    openGate()
  })

  test('error: a receipt that does not match its job is not settled', async () => {
    the.dispatcher.script = order => {
      const { prices, held } = order.pricing
      // A router that asks for more than the price.
      Object.assign(order, { pricing: { held, prices: { input: prices.input * 2n, output: prices.output * 2n } } })
      return textScript('expensive')
    }
    const before = await freeCredits()
    const { status, json } = await the.call('/v1/chat/completions', CHAT)
    expect(status).toBe(500)
    expect(json).toMatchObject({ error: { code: 'server_error', heurist: { code: 'GATEWAY_BAD_OUTCOME' } } })
    expect((await storedJob()).state).toBe('failed')
    expect(await freeCredits(), 'law L6').toBe(before)
  })
})

describe('a router that breaks the laws', () => {
  test('behavior: law L7: a second attempt after output does not reach the client', async () => {
    const original = the.dispatcher.dispatch
    const cancelled: string[] = []
    the.dispatcher.dispatch = (order, sink) => {
      const leaseId = order.requestHash
      setImmediate(() => {
        sink.leased({ leaseId, nodeId: PROTOCOL_ACCOUNT, attempt: 1, fencingToken: 1 })
        sink.delta({ choice: 0, tokens: 1, text: 'first' })
        sink.leased({ leaseId, nodeId: PROTOCOL_ACCOUNT, attempt: 2, fencingToken: 2 })
        sink.delta({ choice: 0, tokens: 1, text: 'second' })
      })
      return { grant: () => undefined, cancel: reason => void cancelled.push(reason) }
    }
    const before = await freeCredits()
    const { text } = await the.call('/v1/chat/completions', STREAM)
    the.dispatcher.dispatch = original
    expect(text).toContain('"content":"first"')
    expect(text).not.toContain('second')
    expect(text).toContain('GATEWAY_SECOND_STREAM')
    expect(text).not.toContain('[DONE]')
    expect(cancelled).toHaveLength(1)
    expect(await freeCredits()).toBe(before)
  })

  test('behavior: law L2: what is told after the end is not heard', async () => {
    const original = the.dispatcher.dispatch
    the.dispatcher.dispatch = (order, sink) =>
      original.call(the.dispatcher, order, {
        ...sink,
        completed(completion) {
          sink.completed(completion)
          sink.completed(completion)
          sink.delta({ choice: 0, tokens: 1, text: 'late' })
          sink.failed({
            code: 'ROUTER_NODE_LOST',
            message: 'late',
            retryAfterMs: null,
            param: null,
            startedOutput: true,
            attempts: 1,
            signedDiscard: null as never,
          })
        },
      })
    the.dispatcher.script = () => textScript('in time')
    const { text } = await the.call('/v1/chat/completions', STREAM)
    the.dispatcher.dispatch = original
    expect(text).not.toContain('late')
    expect(text.match(/\[DONE\]/g)).toHaveLength(1)
    const job = await storedJob()
    expect(job.state).toBe('succeeded')
    expect(steps(job)).toEqual(['quoted', 'held', 'decided', 'leased', 'first_token', 'done', 'receipt'])
    await lawsHold()
  })

  test('error: one that throws is a failed job, not a lost hold', async () => {
    const original = the.dispatcher.dispatch
    the.dispatcher.dispatch = () => {
      throw new Error('broken')
    }
    const before = await freeCredits()
    const { status, json } = await the.call('/v1/chat/completions', CHAT)
    the.dispatcher.dispatch = original
    expect(status).toBe(500)
    expect(json).toMatchObject({ error: { heurist: { code: 'GATEWAY_NOT_DISPATCHED' } } })
    expect(await freeCredits()).toBe(before)
    expect(the.gateway.runningJobs).toBe(0)
  })
})

describe('a client that goes away', () => {
  const words = 'word '.repeat(2_000)

  test('behavior: in mid-stream it pays for what it was sent, and the node is told', async () => {
    the.dispatcher.script = () => textScript(words)
    const before = await freeCredits()
    const client = rawClient(the.port)
    client.write(httpText('POST', '/v1/chat/completions', JSON.stringify(STREAM), { authorization: `Bearer ${the.secret}` }))
    await client.hears(/"content":"word"/)
    client.destroy()
    await until('the job is cancelled', () => the.dispatcher.jobs.at(-1)?.cancelledFor === 'the client went away')
    const { order, sentTokens } = the.dispatcher.jobs.at(-1)!
    await until('its outcome is stored', () => gate.finished.includes(order.jobId))
    expect(sentTokens).toBeLessThan(2_000)
    const job = await storedJob(order.jobId)
    expect(job).toMatchObject({ state: 'succeeded', units: { outputUnits: sentTokens } })
    expect(before - (await freeCredits())).toBeGreaterThan(0n)
    expect(the.gateway.runningJobs).toBe(0)
    await lawsHold()
  })

  test('behavior: before the first token it pays nothing', async () => {
    const ready = Promise.withResolvers<void>()
    the.dispatcher.script = () => ({ ...textScript('never'), ready: ready.promise })
    const before = await freeCredits()
    for (const body of [CHAT, STREAM]) {
      const jobs = the.dispatcher.jobs.length
      const client = rawClient(the.port)
      client.write(httpText('POST', '/v1/chat/completions', JSON.stringify(body), { authorization: `Bearer ${the.secret}` }))
      await until('it is dispatched', () => the.dispatcher.jobs.length > jobs)
      client.destroy()
      await until('the job is cancelled', () => the.dispatcher.jobs.at(-1)?.cancelledFor !== null)
    }
    ready.resolve()
    const { jobId } = lastOrder()
    await until('its outcome is stored', () => gate.finished.includes(jobId))
    expect(await storedJob(jobId)).toMatchObject({ state: 'cancelled', price: 0n })
    await until('nothing runs', () => the.gateway.runningJobs === 0)
    expect(await freeCredits()).toBe(before)
  })

  test('behavior: one that does not read holds up its node, not our memory', async () => {
    const long = `${'x'.repeat(2_000)} `.repeat(4_000)
    the.dispatcher.script = () => ({ deltas: wordDeltas(long), choices: [], outputUnits: 4_000 })
    const client = rawClient(the.port)
    client.socket.pause()
    client.write(httpText('POST', '/v1/chat/completions', JSON.stringify(STREAM), { authorization: `Bearer ${the.secret}` }))
    let last = -1
    await until('the flow has stopped', async () => {
      const { sentTokens = 0 } = the.dispatcher.jobs.at(-1) ?? {}
      await new Promise(resolve => setTimeout(resolve, 40))
      const hasStopped = sentTokens > 0 && sentTokens === last
      last = sentTokens
      return hasStopped
    })
    const job = the.dispatcher.jobs.at(-1)!
    expect(job.sentTokens).toBeLessThan(4_000)
    expect(job.windowTokens).toBe(0)
    client.socket.resume()
    await client.hears(/\[DONE\]/)
    expect(job.sentTokens).toBe(4_000)
    client.destroy()
  })

  test('behavior: one that reads gets the whole window again and again', async () => {
    the.dispatcher.script = () => textScript('word '.repeat(INITIAL_WINDOW_TOKENS * 20))
    const { text } = await the.call('/v1/chat/completions', STREAM)
    expect(text.match(/"content":" ?word"/g)?.length).toBe(INITIAL_WINDOW_TOKENS * 20)
  })
})

describe('a cold pod', () => {
  test('behavior: the stream is kept alive by comments while it loads', async () => {
    const ready = Promise.withResolvers<void>()
    the.dispatcher.script = () => ({ ...textScript('warm now'), ready: ready.promise })
    const client = rawClient(the.port)
    client.write(httpText('POST', '/v1/chat/completions', JSON.stringify(STREAM), { authorization: `Bearer ${the.secret}` }))
    await client.hears(/(: the model is loading\n\n[\s\S]*){2}/)
    ready.resolve()
    await client.hears(/warm[\s\S]*\[DONE\]/)
    client.destroy()
  })
})

describe('money that is missing', () => {
  test('error: an account without credits gets insufficient_quota and how to add some', async () => {
    const poor = await the.newCaller({ credits: 0n })
    const jobs = the.dispatcher.jobs.length
    const { status, json, headers } = await the.call('/v1/chat/completions', CHAT, { authorization: `Bearer ${poor.secret}` })
    expect(status).toBe(429)
    expect(json).toMatchObject({
      error: { type: 'insufficient_quota', code: 'insufficient_quota', message: expect.stringContaining('credit buy') },
    })
    expect(headers.get('x-should-retry')).toBe('false')
    expect(the.dispatcher.jobs.length).toBe(jobs)
  })

  test('error: a key over its budget says that it is the key', async () => {
    const small = await the.newCaller({ budget: 100_000n })
    const { status, json } = await the.call('/v1/chat/completions', CHAT, { authorization: `Bearer ${small.secret}` })
    expect(status).toBe(429)
    expect(json).toMatchObject({
      error: { code: 'insufficient_quota', message: expect.stringMatching(/API key may spend 0\.0001 credits/) },
    })
  })

  test('behavior: a stream that can not be paid is refused before it starts', async () => {
    const poor = await the.newCaller({ credits: 0n })
    const { status, headers } = await the.call('/v1/chat/completions', STREAM, { authorization: `Bearer ${poor.secret}` })
    expect(status).toBe(429)
    expect(headers.get('content-type')).toContain('application/json')
  })

  test('behavior: max_tokens bounds what is held', async () => {
    the.dispatcher.script = () => textScript('ok')
    await the.call('/v1/chat/completions', { ...CHAT, max_tokens: 10 })
    const small = (await storedJob()).maxPrice
    await the.call('/v1/chat/completions', { ...CHAT, max_tokens: 1_000, n: 2 })
    expect((await storedJob()).maxPrice).toBeGreaterThan(small * 50n)
    expect(lastOrder().asset).toBe(TEST_ASSET)
  })
})
