import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, type Network, newHome, removeHome, startNetwork } from '../support/network.ts'
import { ROOT } from '../support/source.ts'

type NodeRow = { nodeId: string; name: string; online: boolean; facts: { replicas: { state: string }[] } | null }
type Job = { nodeId: string; receipt: { split: { role: string; account: string; amount: string }[] } | null }

/** A stranger's node: a key, collateral and one command; no whitelist, no open port. */
describe('a stranger joins', () => {
  const home = newHome()
  let network: Network
  let stranger: ChildProcess | null = null

  const json = async <T>(...args: string[]): Promise<T> => JSON.parse((await network.cli(...args, '--json')).stdout) as T // cast: our own CLI
  const startStranger = (): ChildProcess => {
    const environment = { ...process.env, HEURIST_HOME: home, HEURIST_GATEWAY_URL: network.dev().gatewayUrl }
    return spawn(process.execPath, [join(ROOT, 'src/bin/heurist.ts'), 'node', 'start', '--name', 'stranger'], {
      cwd: ROOT,
      env: environment,
      stdio: 'ignore',
    })
  }
  const online = (): Promise<NodeRow> =>
    eventually(
      'the stranger to be warm',
      async () =>
        (await json<NodeRow[]>('node', 'list')).find(
          ({ name, online: up, facts }) => name === 'stranger' && up && facts?.replicas.some(({ state }) => state === 'warm'),
        ),
      60_000,
    )
  const askOn = async (nodeId: string): Promise<string> => {
    const body = {
      model: network.dev().models.chat,
      messages: [{ role: 'user' as const, content: 'Hello' }],
      max_tokens: 12,
      heurist: { allow_nodes: [nodeId] },
    }
    const { response } = await network.client().chat.completions.create(body).withResponse()
    return response.headers.get('x-heurist-job-id') ?? ''
  }

  beforeAll(async () => {
    network = await startNetwork(home, { HEURIST_DEV_NODES: '1' })
    stranger = startStranger()
  }, 300_000)
  afterAll(async () => {
    stranger?.kill('SIGKILL')
    await network?.stop()
    removeHome(home)
  }, 60_000)

  test('behavior: it registers with collateral, is routed to, and its owner earns the greater part', async () => {
    const { nodeId } = await online()
    const job = await json<Job>('job', 'get', await askOn(nodeId))
    expect(job.nodeId).toBe(nodeId)
    const { owner } = await json<{ owner: string }>('node', 'earnings', 'stranger')
    const split = job.receipt?.split ?? []
    const total = split.reduce((sum, { amount }) => sum + BigInt(amount), 0n)
    const share = split.find(({ role }) => role === 'node')
    expect(share?.account).toBe(owner)
    expect(BigInt(share?.amount ?? 0) * 2n).toBeGreaterThanOrEqual(total)
  }, 120_000)

  test('behavior: doctor finds nothing wrong with it, and says what is wrong with one that does not run', async () => {
    await eventually('a clean bill of health', async () => (await network.cli('node', 'doctor', 'stranger', '--json')).code === 0, 30_000)
    const absent = await network.cli('node', 'doctor', 'nobody', '--json')
    expect(absent.code).toBe(1)
    expect(absent.stdout).toContain('heurist node start --name nobody')
  }, 60_000)

  test('behavior: SIGTERM drains it, and after a kill -9 it comes back as the same node', async () => {
    const { nodeId } = await online()
    const first = stranger!
    const ended = new Promise<number | null>(resolve => first.once('exit', resolve))
    first.kill('SIGTERM')
    expect(await ended).toBe(0)
    stranger = startStranger()
    expect((await online()).nodeId).toBe(nodeId)
    stranger.kill('SIGKILL')
    await eventually(
      'the router to notice',
      async () => (await json<NodeRow[]>('node', 'list')).every(({ name, online: up }) => name !== 'stranger' || !up),
      30_000,
    )
    stranger = startStranger()
    expect((await online()).nodeId).toBe(nodeId)
    expect(await askOn(nodeId)).toMatch(/^job_/)
  }, 180_000)

  test('behavior: a wish that no node can meet is refused with the reason of every node', async () => {
    const body = {
      model: network.dev().models.chat,
      messages: [{ role: 'user' as const, content: 'Hello' }],
      heurist: { region: 'atlantis' },
    }
    const error = await network
      .client()
      .chat.completions.create(body)
      .then(
        () => null,
        (caught: Error) => caught,
      )
    expect(error?.message).toMatch(/region/i)
  })
})
