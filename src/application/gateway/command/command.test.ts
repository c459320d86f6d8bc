import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Script } from '../testing/dispatcher.ts'
import { createTestGateway, eventsOf, type TestGateway } from '../testing/harness.ts'

let the: TestGateway
beforeAll(async () => {
  the = await createTestGateway()
})
afterAll(() => the.stop())

const written = (...texts: string[]): Script => ({
  deltas: texts.map(text => ({ choice: 0, tokens: 1, text })),
  choices: [{ index: 0, text: texts.join(''), toolCalls: [], finishReason: 'stop' }],
  outputUnits: texts.length,
})

describe('POST /v1/jobs', () => {
  test('default: what the program wrote, with what it cost', async () => {
    the.dispatcher.script = () => written('one ', 'two')
    const { status, json, headers } = await the.call('/v1/jobs', { model: 'program', input: { any: ['json', null] } })
    expect(status).toBe(200)
    expect(json).toMatchObject({
      object: 'job',
      model: 'program',
      output: 'one two',
      finish_reason: 'stop',
      usage: { jobs: 1, output_units: 2, output_bytes: 7 },
    })
    expect(json.id).toBe(headers.get('x-heurist-job-id'))
    // One credit a job, and a hundredth for each piece.
    expect(headers.get('x-heurist-cost-credits')).toBe('1.02')
    expect(the.dispatcher.jobs.at(-1)?.order).toMatchObject({
      inputUnits: 1,
      request: { kind: 'command', body: { model: 'program', input: { any: ['json', null] } } },
    })
  })

  test('default: streamed', async () => {
    the.dispatcher.script = () => written('one ', '', 'two')
    const { text } = await the.call('/v1/jobs', { model: 'program', input: 'x', stream: true })
    const events = eventsOf(text)
    expect(events.at(-1)).toBe('[DONE]')
    expect(events.slice(0, -1)).toMatchObject([
      { object: 'job.chunk', output: 'one ' },
      { object: 'job.chunk', output: 'two' },
      { object: 'job.chunk', output: '', finish_reason: 'stop', usage: { jobs: 1, output_units: 3, output_bytes: 7 } },
    ])
  })

  test("behavior: the hold covers the manifest's bound, or the request's when that is less", async () => {
    the.dispatcher.script = () => written('x')
    const hold = async (body: object) =>
      (await the.call('/v1/jobs', { model: 'program', input: 1, heurist: { max_price_credits: 1.05 }, ...body })).json
    expect(await hold({})).toMatchObject({ error: { code: 'max_price_exceeded', message: expect.stringContaining('1.1 credits') } })
    expect(await hold({ max_output_bytes: 64 * 5 })).toMatchObject({ object: 'job' })
    expect(await hold({ max_output_bytes: 64 * 1e5 })).toMatchObject({ error: { code: 'max_price_exceeded' } })
  })

  const WRONG: [body: object, code: string, param: string][] = [
    [{ model: 'program' }, 'missing_required_parameter', 'input'],
    [{ model: 'program', input: 1, max_output_bytes: 0 }, 'invalid_value', 'max_output_bytes'],
    [{ model: 'program', input: 1, max_output_bytes: '9' }, 'invalid_type', 'max_output_bytes'],
    [{ model: 'tiny/chat', input: 1 }, 'unsupported_model', 'model'],
    [{ model: 'nobody', input: 1 }, 'model_not_found', 'model'],
  ]
  for (const [body, code, param] of WRONG) {
    test(`error: ${JSON.stringify(body)} is ${code}`, async () => {
      const { status, json } = await the.call('/v1/jobs', body)
      expect(status).toBeGreaterThanOrEqual(400)
      expect(json).toMatchObject({ error: { code, param } })
    })
  }

  test('error: a program answers no chat', async () => {
    const { json } = await the.call('/v1/chat/completions', { model: 'program', messages: [{ role: 'user', content: 'hi' }] })
    expect(json).toMatchObject({ error: { code: 'unsupported_model' } })
  })
})
