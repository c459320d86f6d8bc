import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, type Network, newHome, removeHome, startNetwork } from '../support/network.ts'
import { ROOT } from '../support/source.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

type NodeRow = { nodeId: string; name: string; online: boolean; facts: { replicas: { state: string }[] } | null }
type Job = { nodeId: string; attempts: number; units: { outputUnits: number }; timeline: { step: string }[] }

/** A real node reaches a real network over a way that breaks in the middle of its streams. */
describe('a node behind a way that breaks', () => {
  const home = newHome()
  let network: Network
  let proxy: TcpProxy
  let node: ChildProcess
  let nodeId = ''

  const json = async <T>(...args: string[]): Promise<T> => JSON.parse((await network.cli(...args, '--json')).stdout) as T // cast: our own CLI
  const credits = async (): Promise<number> => {
    const { gatewayUrl, adminKey } = network.dev()
    const response = await fetch(gatewayUrl.replace('/v1', '/api/credits'), { headers: { authorization: `Bearer ${adminKey}` } })
    return Number(((await response.json()) as { credits: string }).credits) // cast: our own control API
  }
  const metric = async (name: string): Promise<number> => {
    const text = await (await fetch(network.dev().metricsUrl)).text()
    return Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1])
  }

  beforeAll(async () => {
    network = await startNetwork(home, { HEURIST_DEV_NODES: '0' })
    proxy = await startTcpProxy(Number(new URL(network.dev().gatewayUrl).port))
    node = spawn(
      process.execPath,
      [join(ROOT, 'src/bin/heurist.ts'), 'node', 'start', '--name', 'far', '--router', `ws://127.0.0.1:${proxy.port}/node`],
      { cwd: ROOT, env: { ...process.env, HEURIST_HOME: home, HEURIST_GATEWAY_URL: network.dev().gatewayUrl }, stdio: 'ignore' },
    )
    const isWarm = ({ name, online, facts }: NodeRow): boolean =>
      name === 'far' && online && facts?.replicas.some(({ state }) => state === 'warm') === true
    nodeId = (await eventually('the node to be warm', async () => (await json<NodeRow[]>('node', 'list')).find(isWarm), 120_000)).nodeId
  }, 300_000)
  afterAll(async () => {
    node?.kill('SIGKILL')
    await network?.stop()
    await proxy?.stop()
    removeHome(home)
  }, 60_000)

  /** One stream with a fixed seed; `onPiece` is told how many pieces have come. */
  async function stream(onPiece: (count: number) => void): Promise<{ text: string; jobId: string; pieces: number }> {
    const { data, response } = await network
      .client()
      .chat.completions.create({
        model: network.dev().models.chat,
        messages: [{ role: 'user', content: 'Tell me a long story about a lighthouse.' }],
        max_tokens: 200,
        temperature: 0.7,
        seed: 7,
        stream: true,
      })
      .withResponse()
    let text = ''
    let pieces = 0
    for await (const chunk of data) {
      const piece = chunk.choices[0]?.delta.content ?? ''
      if (piece === '') continue
      text += piece
      pieces += 1
      onPiece(pieces)
    }
    return { text, jobId: response.headers.get('x-heurist-job-id') ?? '', pieces }
  }

  test('default: cut again and again, a stream is byte for byte the one that was not, and charged once', async () => {
    const before = await credits()
    const whole = await stream(() => undefined)
    expect(whole.pieces).toBeGreaterThan(20)
    const between = await credits()
    let cuts = 0
    const broken = await stream(count => {
      if (count !== 3 && count !== 10 && count !== 18) return
      cuts += 1
      proxy.cut()
      setTimeout(proxy.heal, 300)
    })
    expect(cuts).toBe(3)
    expect(broken.text).toBe(whole.text)
    expect(await metric('heurist_router_links_resumed_total')).toBeGreaterThan(0)
    const [first, second] = await Promise.all([json<Job>('job', 'get', whole.jobId), json<Job>('job', 'get', broken.jobId)])
    expect(second).toMatchObject({ nodeId, attempts: 1, units: first.units })
    expect(second.timeline.filter(({ step }) => step === 'receipt')).toHaveLength(1)
    await eventually('the hold to be returned', async () => Math.abs(2 * between - before - (await credits())) < 1e-6)
  }, 120_000)
})
