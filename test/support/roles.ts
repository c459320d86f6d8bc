import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type RoleProcess, startRole } from './cluster.ts'
import { eventually, isAlive, runCli } from './network.ts'

export type JobRow = { jobId: string; state: string; timeline: { step: string }[] }
type Settings = NodeJS.ProcessEnv
const DEAD_MS = 60_000

function chunksOf<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) => all.slice(index * size, (index + 1) * size))
}

/**
 * A network with every role in processes of its own, two sequencers, routers and gateways and four nodes, as an operator starts them;
 * and its customers, who remember every answer that arrived whole.
 */
export class Cluster {
  readonly home: string
  readonly roles = new Map<string, RoleProcess>()
  readonly gatewayUrls = new Map<string, string>()
  readonly acknowledged = new Set<string>()
  /** What customers were told instead of an answer. */
  readonly refusals: string[] = []
  readonly #routerPorts = new Map<string, string>()
  readonly #extra: Settings
  readonly #customers: Promise<void>[] = []
  #infrastructure: RoleProcess | null = null
  #settings: Settings = {}
  #apiKey = ''
  #isBusy = false

  /** @param extra settings of all roles */
  constructor(home: string, extra: Settings = {}) {
    this.home = home
    this.#extra = extra
  }

  async start(): Promise<void> {
    this.#settings = { HEURIST_HOME: this.home, HEURIST_CHAIN_PORT: '0', ...this.#extra }
    const infrastructure = startRole('infrastructure', ['infrastructure'], this.#settings)
    this.#infrastructure = infrastructure
    await infrastructure.says(/^ready$/m, 240_000)
    const [, databaseUrl, chainUrl] = /DATABASE_URL=(\S+) CHAIN_RPC_URL=(\S+)/.exec(infrastructure.output()) ?? []
    this.#apiKey = /API key: (\S+)/.exec(infrastructure.output())?.[1] ?? ''
    this.#settings = { ...this.#settings, DATABASE_URL: databaseUrl, CHAIN_RPC_URL: chainUrl }
    const names = ['sequencer-0', 'sequencer-1', 'router-0', 'router-1', 'gateway-0', 'gateway-1']
    await Promise.all(names.map(name => this.startRole(name)))
    await eventually(
      'gateways to know both routers',
      async () => (await this.read<{ nodeUrls: string[] }>('/api/status')).nodeUrls.length === 2,
    )
    await Promise.all(['node-0', 'node-1', 'node-2', 'node-3'].map(name => this.startRole(name)))
    await eventually('four nodes, and a warm chat pod', () => this.#isReady(), 240_000)
  }

  async #isReady(): Promise<boolean> {
    const { data } = await this.read<{ data: { name: string; warm: number }[] }>('/api/pods')
    const { nodes } = await this.read<{ nodes: { online: number } }>('/api/status')
    return nodes.online === 4 && (data.find(({ name }) => name === 'heurist-tiny')?.warm ?? 0) >= 1
  }

  get infrastructure(): RoleProcess {
    if (!this.#infrastructure) throw new Error('the cluster has not been started')
    return this.#infrastructure
  }

  #spawn(name: string, args: readonly string[], extra: Settings): RoleProcess {
    const role = startRole(name, args, { ...this.#settings, ...extra })
    this.roles.set(name, role)
    return role
  }

  /** Starts a role by its name; `router-0` is where it was before, as an operator sees to. Sequencers and nodes are not waited for. */
  async startRole(name: string, extra: Settings = {}): Promise<void> {
    if (name.startsWith('sequencer')) this.#spawn(name, ['sequencer', '--name', name], { HEURIST_BATCH_MAX_AGE_MS: '500', ...extra })
    else if (name.startsWith('node'))
      this.#spawn(name, ['node', 'start', '--name', name, '--slots', '2'], { HEURIST_GATEWAY_URL: this.anyGateway(), ...extra })
    else if (name.startsWith('router')) await this.#startRouter(name, extra)
    else await this.#startGateway(name, extra)
  }

  async #startRouter(name: string, extra: Settings): Promise<void> {
    const router = this.#spawn(name, ['router', '--name', name], { HEURIST_ROUTER_PORT: this.#routerPorts.get(name) ?? '0', ...extra })
    const [, port = '0'] = await router.says(/nodes dial ws:\/\/[^:]*:(\d+)/)
    this.#routerPorts.set(name, port)
    await router.says(/^ready$/m)
  }

  async #startGateway(name: string, extra: Settings): Promise<void> {
    const gateway = this.#spawn(name, ['gateway', '--name', name], { HEURIST_GATEWAY_PORT: '0', ...extra })
    this.gatewayUrls.set(name, (await gateway.says(/http:\/\/[^ \n]*/))[0])
    await gateway.says(/^ready$/m)
  }

  /** kill -9, and waits for the end. */
  async kill(name: string): Promise<void> {
    const role = this.roles.get(name)
    role?.kill('SIGKILL')
    await role?.ended
    this.gatewayUrls.delete(name)
  }

  anyGateway(): string {
    return [...this.gatewayUrls].find(([name]) => isAlive(this.roles.get(name)?.pid ?? 0))?.[1] ?? ''
  }

  async read<T>(path: string): Promise<T> {
    const headers = { authorization: `Bearer ${this.#apiKey}` }
    const response = await fetch(`${this.anyGateway().replace('/v1', '')}${path}`, { headers })
    const body = (await response.json()) as T // cast: our own control API
    expect(response.status, JSON.stringify(body)).toBe(200)
    return body
  }

  cli(...args: string[]): ReturnType<typeof runCli> {
    const HEURIST_API_KEY = readFileSync(join(this.home, 'keys/dev-admin-key'), 'utf8')
    return runCli({ ...process.env, ...this.#settings, HEURIST_GATEWAY_URL: this.anyGateway(), HEURIST_API_KEY }, args)
  }

  /** The sequencers that say that they lead, and live. */
  leader(): RoleProcess {
    const leading = ['sequencer-0', 'sequencer-1']
      .map(name => this.roles.get(name))
      .filter(role => role && isAlive(role.pid) && /: leads/.test(role.output()))
    expect(leading).toHaveLength(1)
    return leading[0]!
  }

  /** One question to one gateway. */
  async ask(url: string): Promise<boolean> {
    try {
      const response = await fetch(`${url}/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${this.#apiKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'heurist-tiny', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 8 }),
        signal: AbortSignal.timeout(DEAD_MS),
      })
      const body = await response.json()
      const jobId = response.headers.get('x-heurist-job-id')
      if (response.ok && jobId) this.acknowledged.add(jobId)
      else this.refusals.push(JSON.stringify(body))
      return response.ok
    } catch (error) {
      this.refusals.push(String(error))
      return false
    }
  }

  /** Customers, each of one gateway while it lives, who rest after an answer, and a moment after an error, which is theirs to try again. */
  customers(count: number, { restMs = 0 } = {}): void {
    this.#isBusy = true
    const customer = async (index: number): Promise<void> => {
      while (this.#isBusy) {
        const urls = [...this.gatewayUrls.values()]
        const isAnswered = await this.ask(urls[index % urls.length] ?? '')
        await new Promise(resolve => setTimeout(resolve, isAnswered ? restMs : 100))
      }
    }
    for (let index = 0; index < count; index++) this.#customers.push(customer(index))
  }

  async customersLeave(): Promise<void> {
    this.#isBusy = false
    await Promise.all(this.#customers.splice(0))
  }

  moreAnswers(count: number, timeoutMs = 120_000): Promise<boolean> {
    const before = this.acknowledged.size
    return eventually('more answers', async () => this.acknowledged.size >= before + count, timeoutMs)
  }

  /** What was acknowledged succeeded and is settled once (laws L3, L5); books and chain agree, and every decision replays (L1, R2). */
  async expectNothingLost(): Promise<void> {
    const settled = async (): Promise<JobRow[] | false> => {
      const jobs: JobRow[] = []
      // A few at a time: each reads several tables, and the database has connections for tens.
      for (const ids of chunksOf([...this.acknowledged], 10))
        jobs.push(...(await Promise.all(ids.map(id => this.read<JobRow>(`/api/jobs/${id}`)))))
      return jobs.every(({ timeline }) => timeline.some(({ step }) => step === 'settled')) && jobs
    }
    for (const { state, timeline } of await eventually('everything acknowledged to be settled', settled, 240_000)) {
      expect(state).toBe('succeeded')
      expect(timeline.filter(({ step }) => step === 'settled')).toHaveLength(1)
    }
    const { data: batches } = await this.read<{ data: { number: number; state: string }[] }>('/api/batches?limit=200')
    const numbers = batches.map(({ number }) => number).sort((a, b) => a - b)
    expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 1) + index))
    for (const audit of [
      ['audit', 'money'],
      ['audit', 'route', '--all'],
    ]) {
      const { code, stdout, stderr } = await this.cli(...audit)
      expect(code, `${audit.join(' ')}: ${stdout}${stderr}`).toBe(0)
    }
  }

  /** Ends everything; no process may be left. */
  async stop(): Promise<void> {
    this.#isBusy = false
    const all = [...this.roles.values()]
    for (const role of all) role.kill('SIGCONT')
    await Promise.all(all.map(role => role.stop()))
    await this.#infrastructure?.stop()
    const left = [...all, ...(this.#infrastructure ? [this.#infrastructure] : [])].filter(({ pid }) => isAlive(pid))
    for (const { pid } of left) process.kill(pid, 'SIGKILL')
    expect(
      left.map(({ name }) => name),
      'orphans',
    ).toEqual([])
  }
}
