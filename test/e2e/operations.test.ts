import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseSamples } from '../../src/bin/cli/scrape.ts'
import { readMetrics } from '../support/metrics.ts'
import { eventually, type Network, newHome, removeHome, startNetwork } from '../support/network.ts'

/** What an operator sees of a running network, and what nobody may see. */
describe('operations', () => {
  const home = newHome()
  const SECRET_PROMPT = 'zanzibar-wombat-4711'
  const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
  const CALLER_SPAN = '00f067aa0ba902b7'
  type WireSpan = { service: string; traceId: string; spanId: string; parentSpanId?: string; name: string }
  const spans: WireSpan[] = []
  let collector: Server
  let network: Network

  beforeAll(async () => {
    collector = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      const text = Buffer.concat(chunks).toString()
      expect(text).not.toContain(SECRET_PROMPT)
      for (const { resource, scopeSpans } of JSON.parse(text).resourceSpans) {
        spans.push(...scopeSpans[0].spans.map((span: object) => ({ ...span, service: resource.attributes[0].value.stringValue })))
      }
      response.writeHead(200).end('{}')
    })
    await new Promise<void>(resolve => collector.listen(0, '127.0.0.1', resolve))
    const { port } = collector.address() as AddressInfo // cast: it listens on TCP
    const settings = {
      HEURIST_DEV_NODES: '1',
      HEURIST_LOG_LEVEL: 'debug',
      HEURIST_OTLP_URL: `http://127.0.0.1:${port}`,
      HEURIST_NODE_METRICS_PORT: '0',
    }
    network = await startNetwork(home, settings)
    const client = network.client()
    const { chat, embedding } = network.dev().models
    const messages = [{ role: 'user' as const, content: `Tell me about ${SECRET_PROMPT}.` }]
    const headers = { traceparent: `00-${TRACE}-${CALLER_SPAN}-01` }
    await client.chat.completions.create({ model: chat, messages, max_tokens: 8 }, { headers })
    for await (const _ of await client.chat.completions.create({ model: chat, messages, max_tokens: 8, stream: true }));
    await client.embeddings.create({ model: embedding, input: SECRET_PROMPT })
    // Refusals and failures write more than successes do.
    const refused = [
      client.chat.completions.create({ model: SECRET_PROMPT, messages }),
      client.chat.completions.create({ model: chat, messages, max_tokens: -1 }),
      client.chat.completions.create({ model: chat, messages: [{ role: 'user', content: SECRET_PROMPT.repeat(5_000) }] }),
      network.client(`hk_${SECRET_PROMPT}`).chat.completions.create({ model: chat, messages }),
    ]
    for (const { status } of await Promise.allSettled(refused)) expect(status).toBe('rejected')
    const controller = new AbortController()
    const cut = client.chat.completions.create({ model: chat, messages, stream: true, max_tokens: 200 }, { signal: controller.signal })
    await cut.then(
      async stream => {
        for await (const _ of stream) controller.abort()
      },
      () => undefined,
    )
  }, 300_000)
  afterAll(async () => {
    await network?.stop()
    collector?.closeAllConnections()
    collector?.close()
    removeHome(home)
  }, 60_000)

  test('behavior: a load balancer learns that it is alive and ready', async () => {
    const base = new URL(network.dev().gatewayUrl).origin
    expect((await fetch(`${base}/healthz`)).status).toBe(200)
    expect(await (await fetch(`${base}/readyz`)).json()).toEqual({ status: 'ready', missing: [] })
  })

  test('behavior: every metric of the reference is served, and no other', async () => {
    const text = await (await fetch(network.dev().metricsUrl)).text()
    const served = new Map([...text.matchAll(/^# HELP (heurist_\w+) (.+)$/gm)].map(([, name = '', help = '']) => [name, help]))
    // One process needs no server of a bus, and a node tells of itself.
    const expected = readMetrics().filter(({ name }) => !/^heurist_(bus|node)_/.test(name))
    expect([...served.keys()].sort()).toEqual(expected.map(({ name }) => name))
    for (const { name, help } of expected) expect(served.get(name), name).toBe(help)
    const balanced = parseSamples(text).find(({ name }) => name === 'heurist_ledger_unbalanced_assets')
    expect(balanced?.value).toBe(0)
  })

  test('behavior: a node serves its part of them where it is asked to', async () => {
    const log = readFileSync(join(home, 'logs/node-1.log'), 'utf8')
    const [, url = ''] = /"url":"(http[^"]+)","msg":"metrics are served"/.exec(log) ?? []
    const text = await (await fetch(url)).text()
    const served = [...text.matchAll(/^# HELP (heurist_\w+) .+$/gm)].map(([, name]) => name)
    const expected = readMetrics().filter(({ name }) => name.startsWith('heurist_node_'))
    expect(served.sort()).toEqual(expected.map(({ name }) => name))
    const samples = parseSamples(text)
    const sampleOf = (name: string, labels: object = {}): number | undefined =>
      samples.find(sample => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value))?.value
    expect(sampleOf('heurist_node_link_up')).toBe(1)
    expect(sampleOf('heurist_node_replicas', { state: 'warm' })).toBe(2)
    expect(sampleOf('heurist_node_jobs_total', { outcome: 'done' })).toBeGreaterThanOrEqual(3)
    const promised = sampleOf('heurist_node_device_promised_bytes', { device: 'cpu' })
    expect(promised).toBeGreaterThan(0)
    expect(sampleOf('heurist_node_device_memory_bytes', { device: 'cpu' })).toBeGreaterThan(promised ?? 0)
  })

  test('behavior: top says what the network does, once for a program', async () => {
    const { code, stdout } = await network.cli('top', '--once', '--interval', '0.2', '--json')
    expect(code).toBe(0)
    const frame = JSON.parse(stdout)
    expect(frame).toMatchObject({
      status: { nodes: { online: 1 } },
      nodes: [{ online: true }],
      rates: { jobsPerSecond: expect.any(Number) },
    })
    expect(frame.rates.p99Seconds).toBeGreaterThanOrEqual(frame.rates.p50Seconds)
    expect(frame.pods.length).toBeGreaterThanOrEqual(2)
    const shown = await network.cli('top', '--once', '--interval', '0.2')
    for (const word of ['nodes 1 of 1', 'jobs/s', 'p99', 'credits', 'last batch', network.dev().models.chat])
      expect(shown.stdout).toContain(word)
  })

  const nobody = `0x${'0'.repeat(40)}`
  test.each([
    [2, 'job get xx', /job_ and 32 hex digits/],
    [2, 'job list --state done', /expected one of "held"/],
    [2, 'job get', /missing required argument 'id'/],
    [2, 'key create --scope all', /expected one of "inference"/],
    [2, 'key create --budget -5', /must be a positive number/],
    [2, 'credit buy -5', /"-5" is not an amount of DevUSD: a decimal number above 0/],
    [2, 'credit buy 0', /above 0/],
    [2, 'credit buy 5 --asset BTC', /Known: DevUSD, HEU/],
    [4, `job get job_${'0'.repeat(32)}`, /does not exist, or this key may not see it/],
    [4, 'pod get nobody', /No pod is named "nobody"\. Pods: .*heurist-tiny/],
    [4, 'node get nobody', /No node is named "nobody"\. Nodes: node-1/],
    [4, `node get ${nobody}`, /does not exist/],
    [4, 'key revoke key_0', /does not exist/],
    [1, 'pod deploy --model builtin:heurist-tiny --name Wrong!', /metadata\.name is "Wrong!", but it must be lower-case letters/],
  ])('error: exit code %i of heurist %s', async (code, line, says) => {
    const told = await network.cli(...line.split(' '), '--json')
    expect([told.code, JSON.parse(told.stdout)]).toEqual([
      code,
      { error: { code: expect.any(String), message: expect.stringMatching(says) } },
    ])
  })

  test('error: for people the same is on stderr, and nothing on stdout', async () => {
    expect(await network.cli('node', 'get', 'nobody')).toMatchObject({
      code: 4,
      stdout: '',
      stderr: expect.stringMatching(/^error No node/),
    })
  })

  test('behavior: a node is shown by its name and by its address', async () => {
    const named = JSON.parse((await network.cli('node', 'get', 'node-1', '--json')).stdout) as { nodeId: string; name: string } // cast: our own CLI
    expect(named).toMatchObject({ name: 'node-1' })
    expect(JSON.parse((await network.cli('node', 'get', named.nodeId, '--json')).stdout)).toMatchObject({ name: 'node-1' })
    expect((await network.cli('doctor')).stdout).toMatch(/node-1: collateral +100 of at least [\d.]+ HEU/)
  })

  test("behavior: a job is one trace from the caller through gateway, router and node; without a caller's, one of its own", async () => {
    const named = (name: string | RegExp, service: string) =>
      spans.find(span => span.traceId === TRACE && span.service === service && new RegExp(name).test(span.name))
    const node = await eventually("the node's span", async () => named('^run$', 'heurist-node'))
    const job = await eventually("the gateway's span", async () => named('^chat ', 'heurist-gateway'))
    const attempt = named('^attempt 1$', 'heurist-router')
    expect(job.parentSpanId).toBe(CALLER_SPAN)
    expect(attempt?.parentSpanId).toBe(job.spanId)
    expect(node.parentSpanId).toBe(attempt?.spanId)
    expect(named('^wait 1$', 'heurist-router')?.parentSpanId).toBe(job.spanId)
    await eventually('the traces of the other jobs', async () => new Set(spans.map(({ traceId }) => traceId)).size >= 3)
    const own = spans.filter(span => span.traceId !== TRACE && span.service === 'heurist-gateway')
    expect(own.every(span => span.parentSpanId === undefined)).toBe(true)
  })

  test('behavior: after real jobs the logs hold neither prompts nor keys', async () => {
    const logs = readdirSync(home, { recursive: true, encoding: 'utf8' }).filter(
      path => /\.log$/.test(path) && !path.startsWith('database'),
    )
    const dev = network.dev()
    const keyFiles = readdirSync(home, { recursive: true, encoding: 'utf8' }).filter(path => /(^|\/)keys\/|key.*\.json$/.test(path))
    const keys = keyFiles.flatMap(path => readFileSync(join(home, path), 'utf8').match(/0x[0-9a-f]{64}|hk_\w{16,}/g) ?? [])
    expect(keys.length).toBeGreaterThan(5)
    const secrets = [SECRET_PROMPT, dev.apiKey, dev.adminKey, ...keys, ...keys.map(key => key.replace(/^0x/, ''))]
    const text = await eventually('lines of the jobs in the logs', async () => {
      const all = logs.map(path => readFileSync(join(home, path), 'utf8')).join('\n')
      return all.length > 2_000 && all
    })
    expect(logs.length).toBeGreaterThanOrEqual(2)
    for (const secret of secrets) expect(text.includes(secret), `a log holds ${secret.slice(0, 8)}…`).toBe(false)
  })
})
