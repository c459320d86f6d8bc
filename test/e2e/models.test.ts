import { createHash } from 'node:crypto'
import { copyFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import type { APIError } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, type Network, newHome, removeHome, startNetwork } from '../support/network.ts'
import { ROOT } from '../support/source.ts'

const SHIPPED = join(ROOT, 'models/heurist-tiny/heurist-tiny-q8_0.gguf')
const weights = readFileSync(SHIPPED)
const sha256 = createHash('sha256').update(weights).digest('hex')

/** A server with the hub's endpoints; it cuts the first connection of every download in the middle. */
function startHub(told: { sha256: string }): Promise<{ url: string; requests: string[]; server: Server }> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url?.split('?')[0] ?? '')
    requests.push(`${path} ${request.headers.range ?? ''}`.trim())
    const file = { type: 'file', path: 'model-Q8_0.gguf', size: weights.length, lfs: { oid: told.sha256, size: weights.length } }
    if (path.startsWith('/api/models/acme/tiny/tree/'))
      return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify([file]))
    if (path.startsWith('/api/models/acme/tiny'))
      return response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ id: 'acme/tiny', sha: 'main', siblings: [{ rfilename: file.path }] }))
    if (!path.startsWith('/acme/tiny/resolve/')) return response.writeHead(404).end()
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
    const headers = {
      'accept-ranges': 'bytes',
      etag: `"${told.sha256}"`,
      'x-linked-etag': `"${told.sha256}"`,
      'x-linked-size': String(weights.length),
      'content-length': String(weights.length - from),
    }
    response.writeHead(
      from > 0 ? 206 : 200,
      from > 0 ? { ...headers, 'content-range': `bytes ${from}-${weights.length - 1}/${weights.length}` } : headers,
    )
    if (request.method === 'HEAD') return response.end()
    if (from > 0) return response.end(weights.subarray(from))
    response.write(weights.subarray(0, weights.length / 2), () => response.destroy())
  })
  return new Promise(resolve =>
    server.listen(0, '127.0.0.1', () =>
      resolve({ url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, requests, server }),
    ),
  ) // cast: a TCP server has a port
}

describe('own models', () => {
  const home = newHome()
  const hubTells = { sha256 }
  let hub: Awaited<ReturnType<typeof startHub>>
  let network: Network

  const answerOf = (model: string): Promise<string> =>
    eventually(
      `an answer of ${model}`,
      async () => {
        const answer = await network
          .client()
          .chat.completions.create({ model, messages: [{ role: 'user', content: 'Hello' }], max_tokens: 12 })
          .then(
            ({ choices }) => choices[0]?.message.content,
            () => null,
          )
        return answer
      },
      60_000,
    )

  beforeAll(async () => {
    hub = await startHub(hubTells)
    network = await startNetwork(home, { HEURIST_DEV_NODES: '1', HF_ENDPOINT: hub.url })
  }, 300_000)
  afterAll(async () => {
    hub?.server.close()
    await network?.stop()
    removeHome(home)
  }, 60_000)

  test('behavior: a GGUF file of my own is served under its name, and gone after delete', async () => {
    const file = join(home, 'my-model.Q8_0.gguf')
    copyFileSync(SHIPPED, file)
    const deployed = await network.cli('pod', 'deploy', '--model', file, '--name', 'acme/mine', '--output-price', '20')
    expect(deployed.stderr + deployed.stdout).toContain('deployed acme/mine version 1')
    expect(await answerOf('acme/mine')).not.toBe('')
    expect((await network.cli('pod', 'get', 'acme/mine')).stdout).toContain('acme/mine')
    expect((await network.client().models.retrieve('acme/mine')).id).toBe('acme/mine')
    expect((await network.cli('pod', 'delete', 'acme/mine')).code).toBe(0)
    const gone = await network
      .client()
      .chat.completions.create({ model: 'acme/mine', messages: [{ role: 'user', content: 'Hello' }] })
      .then(
        () => null,
        (error: APIError) => error,
      )
    expect([gone?.status, gone?.code]).toEqual([404, 'model_not_found'])
    expect(gone?.message).toContain('acme/mine')
  }, 120_000)

  test('behavior: a model from the hub is resumed after a cut, checked and served', async () => {
    const deployed = await network.cli('pod', 'deploy', '--model', 'hf:acme/tiny')
    expect(deployed.stderr + deployed.stdout).toContain('deployed acme/tiny')
    expect(
      hub.requests.some(request => /resolve.* bytes=\d+-/.test(request)),
      'asked for the rest only',
    ).toBe(true)
    expect(await answerOf('acme/tiny')).not.toBe('')
  }, 120_000)

  test('error: a wrong checksum, a broken file and a wrong manifest deploy nothing and say why', async () => {
    hubTells.sha256 = 'f'.repeat(64)
    const wrong = await network.cli('pod', 'deploy', '--model', 'hf:acme/tiny/model-Q8_0.gguf', '--name', 'acme/wrong')
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('f'.repeat(64))])
    const broken = join(home, 'broken.gguf')
    copyFileSync(SHIPPED, broken)
    truncateSync(broken, 1_500_000)
    expect(await network.cli('pod', 'deploy', '--model', broken, '--name', 'acme/broken')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/GGUF.*cut off/),
    })
    const manifest = join(home, 'pod.yaml')
    writeFileSync(
      manifest,
      'apiVersion: heurist/v1\nkind: Pod\nmetadata: { name: acme/odd }\nspec: { runtime: llm, engine: { name: llama }, resources: { gpuCount: -1 }, model: { id: x, source: "file:/x" }, price: { input: 1, output: 1 } }\n',
    )
    expect(await network.cli('pod', 'deploy', '-f', manifest)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('spec.resources.gpuCount'),
    })
    const pods = (await network.cli('pod', 'list', '--json')).stdout
    for (const name of ['acme/wrong', 'acme/broken', 'acme/odd']) expect(pods).not.toContain(name)
  }, 120_000)

  test('behavior: a server of my own is served as an upstream pod', async () => {
    const manifest = join(home, 'upstream.json')
    // This network's own gateway is the OpenAI-compatible server behind the pod; its key goes along in the address.
    const url = await startForwarder(network)
    writeFileSync(
      manifest,
      JSON.stringify({
        apiVersion: 'heurist/v1',
        kind: 'Pod',
        metadata: { name: 'acme/upstream' },
        spec: {
          runtime: 'llm',
          engine: { name: 'upstream', url: url.url },
          model: { id: network.dev().models.chat, source: 'https://example.com/unused', contextLength: 512 },
          price: { input: '1000000000', output: '1000000000' },
        },
      }),
    )
    const deployed = await network.cli('pod', 'deploy', '-f', manifest)
    expect(deployed.stderr + deployed.stdout).toContain('deployed acme/upstream')
    expect(await answerOf('acme/upstream')).not.toBe('')
    const warm = async (): Promise<number> => {
      const { stdout } = await network.cli('pod', 'list', '--json')
      const pods = JSON.parse(stdout) as { name: string; warm: number }[] // cast: our own answer
      return pods.find(({ name }) => name === 'acme/upstream')?.warm ?? 0
    }
    // A server that is gone is found out without a job, and found again.
    url.server.closeAllConnections()
    url.server.close()
    await eventually('no replica that claims to be warm', async () => (await warm()) === 0, 120_000)
    const again = await startForwarder(network, Number(new URL(url.url).port))
    expect(await answerOf('acme/upstream')).not.toBe('')
    again.server.close()
  }, 400_000)
})

/** Adds the API key to what passes: the upstream engine speaks to servers beside the node, which ask for none. */
function startForwarder(network: Network, port = 0): Promise<{ url: string; server: Server }> {
  const { gatewayUrl, apiKey } = network.dev()
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', async () => {
      const body = parts.length > 0 ? { body: Buffer.concat(parts) } : {}
      const answer = await fetch(`${gatewayUrl}${request.url?.replace(/^\/v1/, '')}`, {
        method: request.method ?? 'GET',
        headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
        ...body,
      })
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'application/json' })
      for await (const part of answer.body ?? []) response.write(part)
      response.end()
    })
  })
  return new Promise(resolve =>
    server.listen(port, '127.0.0.1', () => resolve({ url: `http://127.0.0.1:${(server.address() as { port: number }).port}/v1`, server })),
  ) // cast: a TCP server has a port
}
