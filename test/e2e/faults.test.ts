import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { eventually, isAlive, type Network, newHome, removeHome, startNetwork } from '../support/network.ts'

const TERMINAL = ['succeeded', 'failed', 'cancelled']

type JobRow = {
  jobId: string
  state: string
  errorCode: string | null
  createdAtMs: number
  timeline: { step: string; detail: { credits?: string } }[]
}

/** kill -9 of each process while jobs run: nothing acknowledged is lost, nothing is settled twice (laws L3, L5). */
describe('faults', () => {
  const home = newHome()
  const acknowledged = new Set<string>()
  let network: Network
  let initialCredits = 0
  /** What loads the network in the test that runs; it ends with its test, also when that fails. */
  const loads: { stop(): Promise<void> }[] = []
  const stopLoad = async (): Promise<void> => void (await Promise.all(loads.splice(0).map(load => load.stop())))

  const read = async <T>(path: string): Promise<T> => {
    const { gatewayUrl, adminKey } = network.dev()
    const response = await fetch(`${gatewayUrl.replace('/v1', '')}${path}`, { headers: { authorization: `Bearer ${adminKey}` } })
    return (await response.json()) as T // cast: our own control API
  }
  const creditsNow = async (): Promise<number> => Number((await read<{ credits: string }>('/api/credits')).credits)

  /** All jobs of a state, page by page. */
  const allJobs = async (state: string): Promise<JobRow[]> => {
    const all = new Map<string, JobRow>()
    for (let before = Number.MAX_SAFE_INTEGER; ; ) {
      const { data } = await read<{ data: JobRow[] }>(`/api/jobs?limit=200&before=${before}${state && `&state=${state}`}`)
      const known = all.size
      for (const job of data) all.set(job.jobId, job)
      if (all.size === known) return [...all.values()]
      // One more than the oldest: several jobs can start in one millisecond.
      before = Math.min(...data.map(({ createdAtMs }) => createdAtMs)) + 1
    }
  }

  /** Keeps a few customers busy until `stopLoad`; remembers every answer that arrived whole. */
  const customers = (count: number): void => {
    let going = true
    const one = async (): Promise<void> => {
      while (going) {
        try {
          const openai = network.client()
          const { response } = await openai.chat.completions
            .create({ model: network.dev().models.chat, messages: [{ role: 'user', content: 'Hello' }], max_tokens: 12 })
            .withResponse()
          acknowledged.add(response.headers.get('x-heurist-job-id') ?? '')
        } catch {
          await new Promise(resolve => setTimeout(resolve, 50))
        }
      }
    }
    const running = Array.from({ length: count }, one)
    loads.push({
      async stop() {
        going = false
        await Promise.all(running)
      },
    })
  }
  const signalNodes = (pids: Readonly<Record<string, number>>, signal: NodeJS.Signals): void => {
    for (const [role, pid] of Object.entries(pids)) if (role.startsWith('node-')) process.kill(pid, signal)
  }
  /** Stops the nodes, then asks for more. Answers the jobs that began after that and so can not end, once they are written down. */
  const stuckJobs = async (pids: Readonly<Record<string, number>>): Promise<string[]> => {
    signalNodes(pids, 'SIGSTOP')
    const stoppedAtMs = Date.now()
    customers(2)
    return eventually('jobs that can not end', async () => {
      const { data } = await read<{ data: JobRow[] }>('/api/jobs?limit=200')
      const open = data.filter(({ state, createdAtMs }) => !TERMINAL.includes(state) && createdAtMs > stoppedAtMs)
      return open.length >= 2 && open.map(({ jobId }) => jobId)
    })
  }
  const moreAnswers = (): Promise<boolean> => {
    const before = acknowledged.size
    return eventually('more answers', async () => acknowledged.size > before + 3, 90_000)
  }

  /** Every acknowledged job succeeded, is in exactly one confirmed batch, and the credits add up. */
  const nothingLost = async (): Promise<void> => {
    await eventually(
      'all receipts to be settled',
      async () => {
        const { data } = await read<{ data: JobRow[] }>('/api/jobs?limit=200&state=succeeded')
        return data.every(job => job.timeline.some(({ step }) => step === 'settled'))
      },
      60_000,
    )
    const jobs = await allJobs('succeeded')
    const { data: batches } = await read<{ data: { number: number; jobCount: number; state: string }[] }>('/api/batches?limit=200')
    expect(
      [...acknowledged].filter(id => !jobs.some(job => job.jobId === id)),
      'acknowledged and lost',
    ).toEqual([])
    expect(
      jobs.filter(job => job.timeline.filter(({ step }) => step === 'settled').length !== 1),
      'settled once',
    ).toEqual([])
    expect(batches.reduce((sum, { jobCount }) => sum + jobCount, 0)).toBe(jobs.length)
    expect(batches.map(({ number }) => number).sort((a, b) => a - b)).toEqual(batches.map((_, index) => index + 1))
    const charged =
      jobs.reduce((sum, job) => sum + Number(job.timeline.find(({ step }) => step === 'receipt')?.detail.credits ?? 0), 0) / 1e9
    await eventually('holds to be returned', async () => Math.abs(initialCredits - charged - (await creditsNow())) < 1e-6)
  }

  beforeAll(async () => {
    network = await startNetwork(home, { HEURIST_BATCH_MAX_AGE_MS: '500' })
    initialCredits = await creditsNow()
  }, 300_000)
  afterEach(async () => {
    await stopLoad()
  })
  afterAll(async () => {
    await network?.stop()
    removeHome(home)
  }, 60_000)

  for (const role of ['chain', 'database', 'node-1'] as const) {
    test(`behavior: kill -9 of ${role} under load`, async () => {
      customers(3)
      await moreAnswers()
      const victim = network.dev().pids[role] ?? 0
      process.kill(victim, 'SIGKILL')
      await eventually(`another ${role} process`, async () => (network.dev().pids[role] ?? victim) !== victim, 60_000)
      await moreAnswers()
      await stopLoad()
      await nothingLost()
    }, 240_000)
  }

  test('behavior: kill -9 of the main process under load: the decision of every receipt replays (law R2)', async () => {
    customers(3)
    await moreAnswers()
    process.kill(network.dev().pids.main ?? 0, 'SIGKILL')
    await stopLoad()
    await network.stop()
    network = await startNetwork(home, { HEURIST_BATCH_MAX_AGE_MS: '500' })
    const { code, stdout } = await network.cli('audit', 'route', '--all', '--json')
    const { jobs, decisions, failed } = JSON.parse(stdout) as { jobs: number; decisions: number; failed: unknown[] } // cast: our own output
    expect(failed).toEqual([])
    expect(code).toBe(0)
    expect(jobs).toBeGreaterThanOrEqual(acknowledged.size)
    expect(decisions).toBeGreaterThanOrEqual(acknowledged.size)
  }, 240_000)

  test('behavior: kill -9 of the main process leaves no orphan, and the restart finds everything', async () => {
    customers(3)
    await moreAnswers()
    const { pids } = network.dev()
    const inFlight = await stuckJobs(pids)
    process.kill(pids.main ?? 0, 'SIGKILL')
    signalNodes(pids, 'SIGCONT')
    await stopLoad()
    await eventually('all children to end', async () => Object.values(pids).every(pid => !isAlive(pid)), 30_000)
    await network.stop()
    network = await startNetwork(home, { HEURIST_BATCH_MAX_AGE_MS: '500' })
    await nothingLost()
    const all = await allJobs('')
    expect(all.filter(({ state }) => !TERMINAL.includes(state))).toEqual([])
    const ends = inFlight.map(id => all.find(({ jobId }) => jobId === id)?.errorCode)
    expect(ends, 'jobs that were running').toEqual(inFlight.map(() => 'ROUTER_INTERRUPTED'))
    customers(1)
    await moreAnswers()
  }, 240_000)
})
