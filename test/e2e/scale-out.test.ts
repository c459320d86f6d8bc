import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RoleProcess, startRole } from '../support/cluster.ts'
import { eventually, isAlive, newHome, removeHome, runCli } from '../support/network.ts'

type JobRow = { jobId: string; state: string; timeline: { step: string }[] }
type Settings = NodeJS.ProcessEnv

function chunksOf<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) => all.slice(index * size, (index + 1) * size))
}

/** Every role in processes of its own, two or more of each, on one database and one chain: any of them may die (laws L3, L5, L7, R3). */
describe('scale-out', () => {
  const home = newHome()
  const roles = new Map<string, RoleProcess>()
  const gatewayUrls = new Map<string, string>()
  const routerPorts = new Map<string, string>()
  const acknowledged = new Set<string>()
  const refusals: string[] = []
  let infrastructure: RoleProcess
  let settings: Settings
  let apiKey = ''

  const start = (name: string, args: readonly string[], extra: Settings = {}): RoleProcess => {
    const role = startRole(name, args, { ...settings, ...extra })
    roles.set(name, role)
    return role
  }
  const startSequencer = (name: string) => start(name, ['sequencer', '--name', name], { HEURIST_BATCH_MAX_AGE_MS: '500' })
  /** Where a router was once, it is again after a restart, as an operator sees to. */
  const startRouter = async (name: string): Promise<void> => {
    const router = start(name, ['router', '--name', name], { HEURIST_ROUTER_PORT: routerPorts.get(name) ?? '0' })
    const [, port = '0'] = await router.says(/nodes dial ws:\/\/[^:]*:(\d+)/)
    routerPorts.set(name, port)
    await router.says(/^ready$/m)
  }
  const startGateway = async (name: string): Promise<void> => {
    const gateway = start(name, ['gateway', '--name', name], { HEURIST_GATEWAY_PORT: '0' })
    gatewayUrls.set(name, (await gateway.says(/http:\/\/[^ \n]*/))[0])
    await gateway.says(/^ready$/m)
  }
  const startNode = (name: string) =>
    start(name, ['node', 'start', '--name', name, '--slots', '2'], { HEURIST_GATEWAY_URL: gatewayUrls.get('gateway-0') })
  const anyGateway = (): string => [...gatewayUrls].find(([name]) => isAlive(roles.get(name)?.pid ?? 0))?.[1] ?? ''
  const read = async <T>(path: string): Promise<T> => {
    const response = await fetch(`${anyGateway().replace('/v1', '')}${path}`, { headers: { authorization: `Bearer ${apiKey}` } })
    const body = (await response.json()) as T // cast: our own control API
    expect(response.status, JSON.stringify(body)).toBe(200)
    return body
  }
  const cli = (...args: string[]) => {
    const HEURIST_API_KEY = readFileSync(join(home, 'keys/dev-admin-key'), 'utf8')
    return runCli({ ...process.env, ...settings, HEURIST_GATEWAY_URL: anyGateway(), HEURIST_API_KEY }, args)
  }
  const leader = (): RoleProcess => {
    const leading = ['sequencer-0', 'sequencer-1']
      .map(name => roles.get(name))
      .filter(role => role && isAlive(role.pid) && /: leads/.test(role.output()))
    expect(leading).toHaveLength(1)
    return leading[0]!
  }

  /** One customer of one gateway; errors are his to try again. */
  const ask = async (url: string): Promise<boolean> => {
    try {
      const response = await fetch(`${url}/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'heurist-tiny', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 8 }),
        signal: AbortSignal.timeout(60_000),
      })
      const body = await response.json()
      const jobId = response.headers.get('x-heurist-job-id')
      if (response.ok && jobId) acknowledged.add(jobId)
      else refusals.push(JSON.stringify(body))
      return response.ok
    } catch (error) {
      refusals.push(String(error))
      return false
    }
  }
  let isBusy = true
  const customers: Promise<void>[] = []
  const customer = async (index: number): Promise<void> => {
    while (isBusy) {
      const urls = [...gatewayUrls.values()]
      if (!(await ask(urls[index % urls.length] ?? ''))) await new Promise(resolve => setTimeout(resolve, 100))
    }
  }
  const moreAnswers = (count: number): Promise<boolean> => {
    const before = acknowledged.size
    return eventually('more answers', async () => acknowledged.size >= before + count, 120_000)
  }

  beforeAll(async () => {
    settings = { HEURIST_HOME: home, HEURIST_CHAIN_PORT: '0' }
    infrastructure = startRole('infrastructure', ['infrastructure'], settings)
    await infrastructure.says(/^ready$/m, 240_000)
    const [, databaseUrl, chainUrl] = /DATABASE_URL=(\S+) CHAIN_RPC_URL=(\S+)/.exec(infrastructure.output()) ?? []
    apiKey = /API key: (\S+)/.exec(infrastructure.output())?.[1] ?? ''
    settings = { ...settings, DATABASE_URL: databaseUrl, CHAIN_RPC_URL: chainUrl }
    for (const name of ['sequencer-0', 'sequencer-1']) startSequencer(name)
    await Promise.all([...['router-0', 'router-1'].map(startRouter), ...['gateway-0', 'gateway-1'].map(startGateway)])
    await eventually('gateways to know both routers', async () => (await read<{ nodeUrls: string[] }>('/api/status')).nodeUrls.length === 2)
    for (const name of ['node-0', 'node-1', 'node-2', 'node-3']) startNode(name)
    await eventually(
      'four nodes, and a warm chat pod',
      async () => {
        const { data } = await read<{ data: { name: string; warm: number }[] }>('/api/pods')
        const { nodes } = await read<{ nodes: { online: number } }>('/api/status')
        return nodes.online === 4 && (data.find(({ name }) => name === 'heurist-tiny')?.warm ?? 0) >= 1
      },
      240_000,
    )
  }, 600_000)

  afterAll(async () => {
    isBusy = false
    for (const role of roles.values()) role.kill('SIGCONT')
    await Promise.all([...roles.values()].map(role => role.stop()))
    await infrastructure.stop()
    const left = [...roles.values(), infrastructure].filter(({ pid }) => isAlive(pid))
    for (const { pid } of left) process.kill(pid, 'SIGKILL')
    removeHome(home)
    expect(
      left.map(({ name }) => name),
      'orphans',
    ).toEqual([])
  }, 60_000)

  test('default: both gateways serve, over both routers, and one of two sequencers settles', async () => {
    for (let index = 0; index < 3; index++) customers.push(customer(index))
    await moreAnswers(12)
    expect(leader().output()).toContain('leads')
    await eventually('jobs on more than one node', async () => {
      const { data } = await read<{ data: { nodeId: string }[] }>('/api/jobs?limit=50')
      return new Set(data.map(({ nodeId }) => nodeId)).size > 1
    })
    await eventually('a batch', async () =>
      (await read<{ data: { state: string }[] }>('/api/batches')).data.some(({ state }) => state === 'confirmed'),
    )
  }, 180_000)

  test('behavior: the routers divide what a manifest allows: of one replica at most, one router has it, and both gateways serve it', async () => {
    const file = join(home, 'pod.json')
    const { stdout } = await cli('pod', 'history', 'heurist-tiny', '--json')
    const [{ manifest }] = JSON.parse(stdout) as [{ manifest: { spec: object } }] // cast: versions as the CLI prints them, newest first
    writeFileSync(file, JSON.stringify({ ...manifest, spec: { ...manifest.spec, scaling: { min: 1, max: 1 } } }))
    expect(await cli('pod', 'apply', '-f', file, '--yes')).toMatchObject({ code: 0 })
    await eventually(
      'one replica, at one of both routers',
      async () => {
        const { data } = await read<{ data: { name: string; warm: number; scale: { reasons: string[] } | null }[] }>('/api/pods')
        const pod = data.find(({ name }) => name === 'heurist-tiny')
        const allowed = pod?.scale?.reasons.map(reason => /may have (\d+)/.exec(reason)?.[1]).sort()
        return pod?.warm === 1 && allowed?.join() === '0,1'
      },
      120_000,
    )
    for (const url of gatewayUrls.values()) expect(await ask(url)).toBe(true)
    expect(await cli('pod', 'rollback', 'heurist-tiny')).toMatchObject({ code: 0 })
  }, 240_000)

  test('behavior: kill -9 of a router: its nodes go to the other, its jobs begin again there', async () => {
    roles.get('router-0')?.kill('SIGKILL')
    await roles.get('router-0')?.ended
    await moreAnswers(6)
    await eventually(
      'all nodes at the router that is left',
      async () => (await read<{ nodes: { online: number } }>('/api/status')).nodes.online === 4,
      60_000,
    )
    await startRouter('router-0')
    await moreAnswers(3)
  }, 240_000)

  test('behavior: kill -9 of a gateway: the other serves on; started again it ends what it left, and has its money back', async () => {
    roles.get('gateway-1')?.kill('SIGKILL')
    await roles.get('gateway-1')?.ended
    gatewayUrls.delete('gateway-1')
    await moreAnswers(6)
    await startGateway('gateway-1')
    await moreAnswers(3)
    await eventually('no job of the dead gateway left open', async () => {
      const { data } = await read<{ data: JobRow[] }>('/api/jobs?limit=200&state=held')
      return data.every(({ jobId }) => !acknowledged.has(jobId))
    })
  }, 240_000)

  test('behavior: kill -9 of the sequencer that leads: the other one takes over, no batch twice', async () => {
    const dead = leader()
    const other = dead.name === 'sequencer-0' ? 'sequencer-1' : 'sequencer-0'
    dead.kill('SIGKILL')
    await roles.get(other)?.says(/: leads/, 60_000)
    await moreAnswers(6)
    startSequencer(dead.name)
    expect(leader().name).toBe(other)
  }, 240_000)

  test('behavior: kill -9 of a node: its jobs are done by others', async () => {
    roles.get('node-0')?.kill('SIGKILL')
    await moreAnswers(6)
    startNode('node-0')
    await moreAnswers(3)
  }, 240_000)

  test('behavior: a rolling restart of the routers loses no request that is tried once', async () => {
    isBusy = false
    await Promise.all(customers.splice(0))
    isBusy = true
    refusals.length = 0
    const steady = async (index: number): Promise<void> => {
      while (isBusy) await ask([...gatewayUrls.values()][index] ?? '')
    }
    customers.push(steady(0), steady(1))
    for (const name of ['router-0', 'router-1']) {
      expect(await roles.get(name)?.stop()).toBe(0)
      await startRouter(name)
      await moreAnswers(4)
    }
    isBusy = false
    await Promise.all(customers.splice(0))
    expect(refusals).toEqual([])
  }, 240_000)

  test('default: after all that everything acknowledged is settled once, and the books agree with the chain', async () => {
    isBusy = false
    await Promise.all(customers.splice(0))
    const settled = async (): Promise<JobRow[] | false> => {
      const jobs: JobRow[] = []
      // A few at a time: each reads several tables, and the database has connections for tens.
      for (const ids of chunksOf([...acknowledged], 10)) jobs.push(...(await Promise.all(ids.map(id => read<JobRow>(`/api/jobs/${id}`)))))
      return jobs.every(({ timeline }) => timeline.some(({ step }) => step === 'settled')) && jobs
    }
    const jobs = await eventually('everything acknowledged to be settled', settled, 60_000)
    for (const { state, timeline } of jobs) {
      expect(state).toBe('succeeded')
      expect(timeline.filter(({ step }) => step === 'settled')).toHaveLength(1)
    }
    const { data: batches } = await read<{ data: { number: number; state: string }[] }>('/api/batches?limit=200')
    expect(batches.map(({ number }) => number).sort((a, b) => a - b)).toEqual(batches.map((_, index) => index + 1))
    for (const audit of [
      ['audit', 'money'],
      ['audit', 'route', '--all'],
    ]) {
      const { code, stdout, stderr } = await cli(...audit)
      expect(code, `${audit.join(' ')}: ${stdout}${stderr}`).toBe(0)
    }
  }, 120_000)
})
