import { execFile } from 'node:child_process'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type OpenAI from 'openai'
import type { APIError } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { silentLogger, systemClock } from '#platform'
import { createRpcChain } from '#platform/chain'
import { bytes32Schema } from '#protocol'
import { eventsOf } from '../../src/application/gateway/testing/harness.ts'
import { assertOpenAi } from '../../src/application/gateway/testing/openai-schema.ts'
import { contractsSchema } from '../../src/bin/network/facts.ts'
import { eventually, isAlive, type Network, newHome, removeHome, startNetwork } from '../support/network.ts'
import { ROOT } from '../support/source.ts'

const city = { type: 'object', properties: { city: { type: 'string', maxLength: 12 } }, required: ['city'], additionalProperties: false }
const TOOLS = ['weather', 'population'].map(name => ({ type: 'function', function: { name, parameters: city } }))
const ALLOWED = {
  type: 'allowed_tools',
  allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'population' } }] },
}
const PERSON = { type: 'json_schema', json_schema: { name: 'person', strict: true, schema: city } }

/** The whole network as a newcomer gets it, spoken to as a customer speaks to it. */
describe('network', () => {
  const home = newHome()
  let network: Network
  let openai: OpenAI
  let chat: string

  beforeAll(async () => {
    network = await startNetwork(home, { HEURIST_CHALLENGE_WINDOW_SECONDS: '10' })
    openai = network.client()
    chat = network.dev().models.chat
  }, 300_000)
  afterAll(async () => {
    await network?.stop()
    removeHome(home)
  }, 60_000)

  type Job = {
    jobId: string
    state: string
    price: string
    nodeId: string
    timeline: { step: string }[]
    batch: { state: string; transactionHash: string } | null
    receipt: { split: { role: string; amount: string }[] } | null
  }
  const jobOf = async (id: string): Promise<Job> => JSON.parse((await network.cli('job', 'get', id, '--json')).stdout) as Job // cast: our own CLI
  const askOnce = async (client = openai): Promise<string> => {
    const { response } = await client.chat.completions
      .create({ model: chat, messages: [{ role: 'user', content: 'What is Heurist?' }], max_tokens: 24 })
      .withResponse()
    return response.headers.get('x-heurist-job-id') ?? ''
  }
  const settled = (id: string): Promise<Job> =>
    eventually(`settlement of ${id}`, async () => ((job: Job) => (job.batch?.state === 'confirmed' ? job : null))(await jobOf(id)))

  test('behavior: the start prints addresses, a curl line and ready, and writes dev.json for its owner only', () => {
    expect(network.output()).toMatch(/curl .*chat\/completions/s)
    expect(statSync(join(home, 'dev.json')).mode & 0o777).toBe(0o600)
    expect(network.dev().gatewayUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1$/)
  })

  test('behavior: a chat answer comes from the real model', async () => {
    const answer = await openai.chat.completions.create({
      model: chat,
      messages: [{ role: 'user', content: 'What is Heurist?' }],
      temperature: 0,
      max_tokens: 60,
    })
    expect(answer.choices[0]?.message.content?.length).toBeGreaterThan(10)
    expect(answer.usage?.total_tokens).toBe((answer.usage?.prompt_tokens ?? 0) + (answer.usage?.completion_tokens ?? 0))
    const again = await openai.chat.completions.create({
      model: chat,
      messages: [{ role: 'user', content: 'What is Heurist?' }],
      temperature: 0,
      max_tokens: 60,
    })
    expect(again.choices[0]?.message.content).toBe(answer.choices[0]?.message.content)
  })

  test('behavior: a stream ends with usage and carries the same text in pieces', async () => {
    const stream = await openai.chat.completions.create({
      model: chat,
      messages: [{ role: 'user', content: 'Tell me a story.' }],
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 40,
      seed: 7,
    })
    let pieces = 0
    let usage: OpenAI.CompletionUsage | null | undefined
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta.content) pieces += 1
      usage = chunk.usage ?? usage
    }
    expect(pieces).toBeGreaterThan(3)
    expect(usage?.completion_tokens).toBeGreaterThan(3)
  })

  test.each<[name: string, changes: object]>([
    ['several choices with log probabilities', { n: 2, logprobs: true, top_logprobs: 3 }],
    ['a forced call', { tools: TOOLS, tool_choice: 'required', max_tokens: 60 }],
    ['a call of an allowed tool, with log probabilities', { tools: TOOLS, tool_choice: ALLOWED, max_tokens: 60, logprobs: true }],
    ['tools that may not be called', { tools: TOOLS, tool_choice: 'none' }],
    ['a strict JSON schema', { response_format: PERSON, max_tokens: 80, n: 2 }],
    ['an end at once', { stop: 'aeiouyHIMAOTLW '.split('') }],
    ['one token', { max_tokens: 1 }],
  ])("behavior: %s, whole and streamed, is what OpenAI's document says", async (_, changes) => {
    const body = {
      model: chat,
      messages: [
        { role: 'developer', content: 'Be brief.' },
        { role: 'user', content: 'Who are you?' },
      ],
    }
    const ask = async (more: object): Promise<string> => {
      const response = await fetch(`${network.dev().gatewayUrl}/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${network.dev().apiKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({ max_tokens: 12, temperature: 0, ...body, ...changes, ...more }),
      })
      const text = await response.text()
      expect(response.status, text).toBe(200)
      return text
    }
    type Choice = { index: number; finish_reason: string | null }
    const whole = JSON.parse(await ask({})) as { choices: Choice[]; usage: object } // cast: checked in the next line
    assertOpenAi('CreateChatCompletionResponse', whole)
    const events = eventsOf(await ask({ stream: true, stream_options: { include_usage: true } }))
    expect(events.pop()).toBe('[DONE]')
    for (const event of events) assertOpenAi('CreateChatCompletionStreamResponse', event)
    const ends = (events as unknown as { choices: Choice[] }[]).flatMap(({ choices }) => choices.filter(choice => choice.finish_reason)) // cast: checked in the line before
    const reasons = (choices: Choice[]) => choices.map(({ index, finish_reason }) => [index, finish_reason]).sort()
    expect(reasons(ends), 'temperature 0 makes both alike').toEqual(reasons(whole.choices))
    expect(events.at(-1)).toMatchObject({ choices: [], usage: whole.usage })
  })

  test('behavior: completions, embeddings and models answer the official client', async () => {
    const completion = await openai.completions.create({ model: chat, prompt: 'Once upon a time', max_tokens: 8 })
    expect(completion.choices[0]?.text.length).toBeGreaterThan(0)
    const { data } = await openai.embeddings.create({
      model: network.dev().models.embedding,
      input: ['I forgot my password', 'I can not log in', 'The cat sleeps'],
    })
    const [a = [], b = [], c = []] = data.map(({ embedding }) => embedding)
    const cosine = (x: number[], y: number[]): number =>
      x.reduce((sum, value, i) => sum + value * (y[i] ?? 0), 0) /
      Math.sqrt(x.reduce((s, v) => s + v * v, 0) * y.reduce((s, v) => s + v * v, 0))
    expect(cosine(a, b)).toBeGreaterThan(cosine(a, c))
    const refused = openai.embeddings.create({ model: network.dev().models.embedding, input: 'x', dimensions: 64 })
    await expect(refused, 'in the words of the engine').rejects.toMatchObject({ status: 400, param: 'dimensions' })
    const models = await openai.models.list()
    expect(models.data.map(({ id }) => id)).toContain(chat)
    expect((await openai.models.retrieve(chat)).id).toBe(chat)
  })

  test('behavior: a job tells its whole life, replays, and its receipt proves itself on chain', async () => {
    const job = await settled(await askOnce())
    expect(job.timeline.map(({ step }) => step)).toEqual(
      expect.arrayContaining(['quoted', 'held', 'decided', 'leased', 'first_token', 'done', 'receipt', 'batched', 'settled']),
    )
    const total = job.receipt?.split.reduce((sum, { amount }) => sum + BigInt(amount), 0n)
    expect(total).toBe(BigInt(job.price))
    expect(job.batch?.transactionHash).toMatch(/^0x[0-9a-f]{64}$/)
    const audit = await network.cli('audit', 'route', job.jobId, '--json')
    expect([audit.code, JSON.parse(audit.stdout)]).toEqual([0, expect.objectContaining({ matches: true })])
    const verified = await network.cli('receipt', 'verify', job.jobId, '--json')
    expect([verified.code, JSON.parse(verified.stdout)]).toEqual([0, expect.objectContaining({ valid: true })])
  }, 90_000)

  test('behavior: a node sees what it earned, in escrow first, and claims it when the window has passed', async () => {
    type Earnings = { earnings: { symbol: string; claimable: string; pending: string }[] }
    const { nodeId } = await settled(await askOnce())
    const nodes = JSON.parse((await network.cli('node', 'list', '--json')).stdout) as { nodeId: string; name: string }[] // cast: our own CLI
    const name = nodes.find(node => node.nodeId === nodeId)?.name ?? ''
    const before = JSON.parse((await network.cli('node', 'earnings', name, '--json')).stdout) as Earnings // cast: our own CLI
    expect(before.earnings.some(({ claimable, pending }) => BigInt(claimable) + BigInt(pending) > 0n)).toBe(true)
    expect((await network.cli('node', 'earnings', 'nobody')).code).toBe(2)
    const claimed = await eventually(
      'the challenge window to pass',
      async () => {
        await askOnce()
        const { paid } = JSON.parse((await network.cli('node', 'claim', name, '--json')).stdout) as {
          paid: { symbol: string; transactionHash: string }[]
        } // cast: our own CLI
        return paid.length > 0 && paid
      },
      60_000,
    )
    expect(claimed[0]?.transactionHash).toMatch(/^0x[0-9a-f]{64}$/)
  }, 120_000)

  test('behavior: a failed job shows a signed discard receipt, costs nothing and posts no transaction', async () => {
    const before = JSON.parse((await network.cli('credit', 'show', '--json')).stdout) as { credits: string } // cast: our own CLI
    const nobody = '0x00000000000000000000000000000000000000aa'
    const body = { model: chat, messages: [{ role: 'user' as const, content: 'Hi' }], heurist: { allow_nodes: [nobody] } }
    const failed = await openai.chat.completions.create(body).then(
      () => null,
      (error: APIError) => error,
    )
    expect(failed?.status).toBe(503)
    const jobs = JSON.parse((await network.cli('job', 'list', '--state', 'failed', '--json')).stdout) as { jobId: string }[] // cast: our own CLI
    const job = JSON.parse((await network.cli('job', 'get', jobs[0]?.jobId ?? '', '--json')).stdout) as Job & {
      discard: { routerSignature: string } | null
    } // cast: our own CLI
    expect(job.discard?.routerSignature).toMatch(/^0x[0-9a-f]{138}([0-9a-f]{64})*$/)
    expect([job.receipt, job.batch]).toEqual([null, null])
    expect((JSON.parse((await network.cli('credit', 'show', '--json')).stdout) as { credits: string }).credits).toBe(before.credits) // cast: our own CLI
  })

  test('behavior: a key with a small budget is spent, told how to go on, and revoked at once', async () => {
    const made = JSON.parse((await network.cli('key', 'create', '--name', 'small', '--budget', '0.000001', '--json')).stdout) as {
      secret: string
      keyId: string
    } // cast: our own CLI
    const poor = network.client(made.secret)
    const refused = await poor.chat.completions.create({ model: chat, messages: [{ role: 'user', content: 'Hi' }] }).then(
      () => null,
      (error: APIError) => error,
    )
    expect([refused?.status, refused?.code]).toEqual([429, 'insufficient_quota'])
    expect((await network.cli('key', 'revoke', made.keyId)).code).toBe(0)
    const revoked = await eventually('the revoked key to be refused', async () => {
      const error = await poor.chat.completions.create({ model: chat, messages: [{ role: 'user', content: 'Hi' }] }).then(
        () => null,
        (caught: APIError) => caught,
      )
      return error?.status === 401 ? error : null
    })
    expect(revoked.code).toBe('invalid_api_key')
  })

  test('behavior: a frontend earns by its key, and capture and settlement agree to the wei over the whole history', async () => {
    expect((await network.cli('frontend', 'register', 'desk', '100')).code).toBe(0)
    const desk = JSON.parse((await network.cli('frontend', 'show', 'desk', '--json')).stdout) as { feeBps: number; payout: string } // cast: our own CLI
    expect(desk.feeBps).toBe(100)
    const key = JSON.parse((await network.cli('key', 'create', '--frontend', desk.payout, '--json')).stdout) as { secret: string } // cast: our own CLI
    await settled(await askOnce(network.client(key.secret)))
    const { code, stdout } = await network.cli('audit', 'money', '--json')
    const audit = JSON.parse(stdout) as { ok: boolean; batches: number; lines: { role: string }[]; problems: string[] } // cast: our own CLI
    expect(audit.problems).toEqual([])
    expect([code, audit.ok]).toEqual([0, true])
    expect(audit.batches).toBeGreaterThan(0)
    expect(new Set(audit.lines.map(line => line.role))).toEqual(new Set(['payer', 'node', 'deployer', 'frontend', 'voters', 'protocol']))
  }, 240_000)

  test('behavior: gas and the protocol’s share of payments are on their way to stakers', async () => {
    await settled(await askOnce())
    const planned = await network.cli('buyback', 'run', '--dry-run')
    expect(planned).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/sell for HEU, at most[\s\S]*USD per HEU[\s\S]*nothing was sent/),
    })
    expect((await network.cli('buyback', 'run')).code).toBe(0)
    const { stdout } = await network.cli('buyback', 'show', '--json')
    const state = JSON.parse(stdout) as {
      settlement: Record<string, string>
      buyback: { heldUsd: string }
      given: { fees: string; buyback: string }
    } // cast: our own CLI
    const ours = [...Object.values(state.settlement), state.buyback.heldUsd, state.given.buyback]
    expect(ours.reduce((sum, amount) => sum + BigInt(amount), 0n)).toBeGreaterThan(0n)
    expect(BigInt(state.given.fees)).toBeGreaterThan(0n)
  }, 120_000)

  test('behavior: the examples run as the README says', async () => {
    const run = promisify(execFile)
    const options = { cwd: ROOT, env: { ...process.env, HEURIST_HOME: home } }
    const chatted = await run(process.execPath, ['examples/chat.ts'], options)
    expect(chatted.stdout).toMatch(/\[\d+ \+ \d+ tokens\]/)
    const found = await run(process.execPath, ['examples/search.ts'], options)
    expect(found.stdout.split('\n')[0]).toContain('password')
    const curled = await run('sh', ['examples/chat.sh'], options)
    expect(curled.stdout).toContain('data: [DONE]')
  })

  test('behavior: jobs of another account can not be seen', async () => {
    const id = await askOnce()
    const stranger = JSON.parse((await network.cli('key', 'create', '--name', 'stranger', '--json')).stdout) as { secret: string } // cast: our own CLI
    expect(stranger.secret).not.toBe(network.dev().apiKey)
    const base = network.dev().gatewayUrl.replace('/v1', '')
    const response = await fetch(`${base}/api/jobs/${id}`)
    expect(response.status).toBe(401)
  })

  test('behavior: a pod follows its demand from zero to both nodes and back to zero', async () => {
    const manifest = join(home, 'elastic.json')
    const scaling = { min: 0, target: 1, scaleDownAfterMs: 3_000 }
    const model = { id: 'heurist-tiny', source: 'builtin:heurist-tiny', quantization: 'Q8_0', contextLength: 256 }
    const spec = {
      runtime: 'llm',
      engine: { name: 'llama' },
      model,
      resources: { memoryBytes: 100_000_000 },
      scaling,
      price: { input: '1', output: '1' },
    }
    writeFileSync(manifest, JSON.stringify({ apiVersion: 'heurist/v1', kind: 'Pod', metadata: { name: 'elastic' }, spec }))
    expect(await network.cli('pod', 'deploy', '-f', manifest)).toMatchObject({ code: 0 })
    type Row = { name: string; warm: number; scale: { desired: number; reasons: string[] } | null }
    const pod = async (): Promise<Row> => {
      const rows = JSON.parse((await network.cli('pod', 'list', '--json')).stdout) as Row[] // cast: our own CLI
      return rows.find(({ name }) => name === 'elastic') ?? { name: '', warm: -1, scale: null }
    }
    const ask = () =>
      openai.chat.completions.create({ model: 'elastic', messages: [{ role: 'user', content: 'Tell me a story' }], max_tokens: 40 })
    await eventually('the autoscaler to look', async () => (await pod()).scale !== null)
    expect(await pod()).toMatchObject({ warm: 0, scale: { desired: 0 } })
    let isBusy = true
    const askers = Array.from({ length: 6 }, async () => {
      while (isBusy) await ask().catch(() => undefined)
    })
    await eventually('both nodes to serve it', async () => (await pod()).warm === 2, 90_000)
    isBusy = false
    await Promise.all(askers)
    await eventually('nobody to hold it', async () => (await pod()).warm === 0, 60_000)
    const impatient = await fetch(`${network.dev().gatewayUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${network.dev().apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'elastic', messages: [{ role: 'user', content: 'Hi' }], heurist: { on_cold: 'refuse' } }),
    })
    expect([impatient.status, impatient.headers.get('retry-after')]).toEqual([503, '15'])
    await eventually('the pod that was refused to be loaded', async () => (await pod()).warm > 0, 30_000)
    expect((await ask()).choices).toHaveLength(1)
  }, 240_000)

  test('behavior: a deleted pod is off on chain and for everyone, deployed again it is back, deleted it stays off after a restart', async () => {
    const manifest = join(home, 'elastic.json')
    const served = async (): Promise<boolean> => (await openai.models.list()).data.some(({ id }) => id === 'elastic')
    const ask = () => openai.chat.completions.create({ model: 'elastic', messages: [{ role: 'user', content: 'Hi' }], max_tokens: 4 })
    const { podId } = JSON.parse((await network.cli('pod', 'get', 'elastic', '--json')).stdout) as { podId: string } // cast: our own CLI
    const { rpcUrl, chainId, contracts } = network.dev()
    const reads = createRpcChain(
      { rpcUrl, chainId, contracts: contractsSchema.parse(contracts) },
      { clock: systemClock, logger: silentLogger },
    )
    const isActive = (): Promise<boolean> => reads.podActive(bytes32Schema.parse(podId))
    expect(await network.cli('pod', 'delete', 'elastic')).toMatchObject({ code: 0 })
    expect([await isActive(), await served()]).toEqual([false, false])
    await expect(ask()).rejects.toMatchObject({ status: 404 })
    expect((await network.cli('pod', 'delete', 'elastic')).code).not.toBe(0)
    expect(await network.cli('pod', 'deploy', '-f', manifest)).toMatchObject({ code: 0 })
    expect([await isActive(), await served()]).toEqual([true, true])
    expect((await ask()).choices).toHaveLength(1)
    expect(await network.cli('pod', 'delete', 'elastic')).toMatchObject({ code: 0 })
  }, 120_000)

  test('behavior: kill -9 of a node loses no acknowledged job, and the node comes back', async () => {
    const victim = network.dev().pids['node-1'] ?? 0
    const running = Array.from({ length: 6 }, () =>
      openai.chat.completions
        .create({ model: chat, messages: [{ role: 'user', content: 'Tell me a story.' }], max_tokens: 60 })
        .withResponse()
        .then(
          ({ response }) => response.headers.get('x-heurist-job-id'),
          () => null,
        ),
    )
    process.kill(victim, 'SIGKILL')
    const acknowledged = (await Promise.all(running)).filter(id => id !== null)
    for (const id of acknowledged) expect((await settled(id)).state).toBe('succeeded')
    await eventually(
      'two nodes online',
      async () =>
        (JSON.parse((await network.cli('node', 'list', '--json')).stdout) as { online: boolean }[]).filter(({ online }) => online).length >=
        2,
      60_000,
    ) // cast: our own CLI
  }, 120_000)

  test('behavior: restart keeps credits, jobs, keys and contracts, and leaves no process behind', async () => {
    const id = await askOnce()
    const before = network.dev()
    expect(await network.cli('pod', 'delete', before.models.embedding)).toMatchObject({ code: 0 })
    const stopped = await network.stop()
    expect(stopped).toBe(0)
    await eventually('all processes to end', async () => Object.values(before.pids).every(pid => !isAlive(pid)))
    expect(() => readFileSync(join(home, 'dev.json'))).toThrow()
    network = await startNetwork(home)
    openai = network.client()
    expect([network.dev().apiKey, network.dev().contracts]).toEqual([before.apiKey, before.contracts])
    expect((await settled(id)).state).toBe('succeeded')
    const models = (await openai.models.list()).data.map(({ id }) => id)
    expect(models, 'pods that were deleted stay off, also a built-in one').toEqual([chat])
    expect(await askOnce()).toMatch(/^job_/)
  }, 180_000)
})
