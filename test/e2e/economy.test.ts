import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openKey } from '#compute'
import { emissionAtRate, nodeEmissions, voterPartDown } from '#economics'
import { type Chain, type Signer, silentLogger, systemClock } from '#platform'
import { createRpcChain, deposit, setSpendingCap, transferHeu } from '#platform/chain'
import { devRpc } from '#platform/chain/testing'
import { nodeGaugeId, parseUnits } from '#protocol'
import { loadSigner, openHome } from '../../src/bin/home.ts'
import { contractsSchema } from '../../src/bin/network/facts.ts'
import { eventually, type Network, newHome, removeHome, startNetwork } from '../support/network.ts'

/** What the CLI and the API print; only what a test looks at. */
type Step = { readonly title: string; readonly dryRun: boolean; readonly call: string; readonly transactionHash: string | null }
type Stake = { shares: string; claimableAssets: string; now: number; exits: { assets: string; claimableAt: number }[] }
type EpochNode = {
  registryId: string
  nodeId: string
  weight: string
  multiplierWad: string
  tipBps: number
  reward: string
  report: { availabilityBps: number; capacity: string; organicComputeUnits: string } | null
}
type Epoch = {
  epoch: number
  phase: string
  secondsLeft: number
  nodeWeight: string
  podWeight: string
  emission: { revenueRateWad: string; reservoir: string }
  nodes: EpochNode[]
  pods: { name: string; replicaCeiling: number }[]
}

/** The economy as people use it: one running network whose time is moved on, the CLI to act and the API to look. */
describe('economy', () => {
  const home = newHome()
  let network: Network

  beforeAll(async () => {
    network = await startNetwork(home, { HEURIST_CHALLENGE_WINDOW_SECONDS: '10' })
  }, 300_000)
  afterAll(async () => {
    await network?.stop()
    removeHome(home)
  }, 60_000)

  const run = async <Answer>(...args: string[]): Promise<Answer> => {
    const { code, stdout, stderr } = await network.cli(...args, '--json')
    expect(code, `heurist ${args.join(' ')}\n${stdout}${stderr}`).toBe(0)
    return JSON.parse(stdout) as Answer // cast: our own CLI
  }
  const refused = async (...args: string[]): Promise<{ code: number; message: string }> => {
    const { code, stdout } = await network.cli(...args, '--json')
    return { code, message: (JSON.parse(stdout) as { error: { message: string } }).error.message } // cast: our own CLI
  }
  const api = async <Answer>(path: string): Promise<Answer> =>
    (await (await fetch(new URL(path, network.dev().gatewayUrl))).json()) as Answer // cast: our own gateway
  const stakeOf = (account: string): Promise<Stake> => api(`/api/accounts/${account}/stake`)
  const epochNow = (): Promise<Epoch> => api('/api/epochs/current')

  test('behavior: staking and leaving show what they will change, then change it, to the wei', async () => {
    const dry = await run<Step & { changes: unknown[] }>('stake', '1000', '--dry-run')
    expect(dry).toMatchObject({ dryRun: true, transactionHash: null, call: 'depositNative' })
    expect(dry.changes).toContainEqual({ what: 'stHEU', now: '0', after: '1000' })
    expect((await stakeOf(network.dev().developer)).shares).toBe('0')
    expect(await run<Step>('stake', '1000')).toMatchObject({ dryRun: false, transactionHash: expect.stringMatching(/^0x/) })
    expect((await run<Step>('unstake', '100')).title).toMatch(/claimable after 365 d/)

    const stake = await run<Stake>('stake', 'show')
    expect(stake).toMatchObject({ shares: String(parseUnits('900', 18)), claimableAssets: '0' })
    expect(stake.exits).toMatchObject([{ assets: String(parseUnits('100', 18)) }])
    expect((stake.exits[0]?.claimableAt ?? 0) - stake.now).toBeGreaterThan(364 * 86_400)
    expect(await run('claim', '--dry-run')).toMatchObject({ steps: [] })
  }, 90_000)

  test('error: what can not be done is refused in words, before anything is sent', async () => {
    expect((await refused('stake', '1e3')).code).toBe(2)
    expect((await refused('stake', '1', '--as', '../keys/treasury')).message).toMatch(/No account is called/)
    expect((await refused('stake', '100000000000')).message).toMatch(/needs more HEU/)
    expect((await refused('unstake', '901')).message).toMatch(/900 stHEU, worth 900 HEU: less than 901/)
    expect((await refused('vesting', 'release', 'team and advisors')).message).toMatch(/Nothing more is free yet/)
    expect((await refused('epoch', 'show', '1')).code).toBe(4)
  }, 90_000)

  test('behavior: votes count from the next epoch, none are taken in the last hour, and a job in flight survives the warp', async () => {
    const before = await epochNow()
    expect(before).toMatchObject({ epoch: 0, phase: 'running', nodeWeight: '0', podWeight: '0' })
    const [first] = before.nodes
    await run('vote', 'node', `${first?.registryId}=60`)
    await run('vote', 'pod', `${network.dev().models.chat}=100`)
    await run('tip', 'set', first?.nodeId ?? '', '12.5')
    expect((await refused('vote', 'pod', 'nothing=100')).message).toMatch(/No pod is called "nothing". Known: .*heurist-tiny/)
    expect((await refused('vote', 'node', '1=60', '1=10')).message).toMatch(/names one of them twice/)

    const answer = network.client().chat.completions.create({
      model: network.dev().models.chat,
      messages: [{ role: 'user', content: 'Tell me a story.' }],
      max_tokens: 120,
    })
    await run('dev', 'warp', `${before.secondsLeft - 1800}s`)
    expect((await refused('vote', 'node', '--clear')).message).toMatch(/last hour of an epoch/)
    await run('dev', 'warp', '1h')
    expect((await answer).choices[0]?.finish_reason).toMatch(/stop|length/)

    const after = await epochNow()
    const weight = parseUnits('900', 18)
    expect(after).toMatchObject({ epoch: 1, nodeWeight: String(weight * 6_000n), podWeight: String(weight * 10_000n) })
    const voted = after.nodes.find(({ nodeId }) => nodeId === first?.nodeId)
    expect(voted).toMatchObject({ weight: String(weight * 6_000n), tipBps: 1_250 })
    // 900 × 60 % of the quorum's 100,000 stHEU, against a saturation of 5 %.
    expect(voted?.multiplierWad).toBe(String(parseUnits('1.162', 18)))
  }, 180_000)

  test('behavior: without --json there are words and tables', async () => {
    const { stdout } = await network.cli('epoch', 'show')
    expect(stdout).toMatch(/epoch 1 {2}running, 6 d/)
    expect(stdout).toMatch(/heurist-tiny .*%/)
  }, 60_000)

  /* The four roles of wp §3.3 on the same network: real jobs, an epoch, balances to the wei. */
  describe('roles', () => {
    const POD = 'story-pod'
    type Split = { role: string; account: string; amount: string }
    type Job = {
      jobId: string
      nodeId: string
      asset: string
      price: string
      payer: string
      batch: { state: string } | null
      receipt: { split: Split[] } | null
    }
    type Accounts = {
      readonly bank: Signer
      readonly dataCentre: Signer
      readonly home: Signer
      readonly developer: Signer
      readonly user: Signer
    }
    let chain: Chain
    let accounts: Accounts
    let nodes: Readonly<Record<string, string>> = {}
    const jobs: Record<'dataCentre' | 'pod' | 'user', Job[]> = { dataCentre: [], pod: [], user: [] }

    const native = (who: Signer): Promise<bigint> => chain.nativeBalance(who.address)
    const feesOf = async (hashes: readonly (string | null)[]): Promise<bigint> => {
      const receipts = await Promise.all(hashes.map(hash => devRpc(network.dev().rpcUrl, 'eth_getTransactionReceipt', [hash])))
      return (receipts as { gasUsed: string; effectiveGasPrice: string }[]) // cast: JSON-RPC's receipt
        .reduce((sum, { gasUsed, effectiveGasPrice }) => sum + BigInt(gasUsed) * BigInt(effectiveGasPrice), 0n)
    }
    /** Runs a command of an account and answers what its native balance gained, fees put back. */
    const gainOf = async (who: Signer, ...args: string[]): Promise<bigint> => {
      const before = await native(who)
      const { steps } = await run<{ steps: Step[] }>(...args)
      return (await native(who)) - before + (await feesOf(steps.map(({ transactionHash }) => transactionHash)))
    }
    const asAdmin = async <Answer>(method: string, path: string, body?: unknown): Promise<Answer> => {
      const headers = { authorization: `Bearer ${network.dev().adminKey}`, 'content-type': 'application/json' }
      const response = await fetch(new URL(path, network.dev().gatewayUrl), {
        method,
        headers,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      const answer = (await response.json()) as Answer // cast: our own gateway
      expect(response.status, JSON.stringify(answer)).toBe(200)
      return answer
    }
    const keyOf = async (body: Record<string, unknown>): Promise<string> =>
      (await asAdmin<{ secret: string }>('POST', '/api/keys', { name: 'roles', ...body })).secret
    const ask = async (apiKey: string, model: string): Promise<Job> => {
      const { response } = await network
        .client(apiKey)
        .chat.completions.create({ model, messages: [{ role: 'user', content: 'What is Heurist?' }], max_tokens: 24 })
        .withResponse()
      const id = response.headers.get('x-heurist-job-id') ?? ''
      return eventually(
        `settlement of ${id}`,
        async () => {
          const job = await asAdmin<Job>('GET', `/api/jobs/${id}`)
          return job.batch?.state === 'confirmed' ? job : null
        },
        120_000,
      )
    }
    const sumFor = (list: readonly Job[], account: string, asset: string): bigint =>
      list
        .filter(job => job.asset === asset)
        .flatMap(job => job.receipt?.split ?? [])
        .filter(part => part.account === account)
        .reduce((sum, { amount }) => sum + BigInt(amount), 0n)
    /** What the receipts of all jobs give an account in one asset, by the database that `audit money` compares with the chain. */
    const receiptsOf = async (account: string, asset: string): Promise<bigint> => {
      type Row = { source: string; role: string; account: string; asset: string; amount: string }
      const { data } = await asAdmin<{ data: Row[] }>('GET', '/api/audit/money')
      return data
        .filter(row => row.source === 'receipts' && row.role !== 'payer' && row.account === account && row.asset === asset)
        .reduce((sum, { amount }) => sum + BigInt(amount), 0n)
    }
    const finalEpoch = (epoch: number): Promise<Epoch> =>
      eventually(
        `epoch ${epoch} closed`,
        async () => ((view: Epoch) => (view.phase === 'final' ? view : null))(await api(`/api/epochs/${epoch}`)),
        120_000,
      )

    beforeAll(async () => {
      const folder = openHome(home)
      const owner = (node: string): Signer => openKey(join(folder.nodes, node, 'owner.json')).signer
      const role = (name: string): Signer => loadSigner(folder, name)
      accounts = {
        bank: role('treasury'),
        dataCentre: owner('node-1'),
        home: owner('node-2'),
        developer: role('developer'),
        user: role('user'),
      }
      const { rpcUrl, chainId, contracts } = network.dev()
      chain = createRpcChain({ rpcUrl, chainId, contracts: contractsSchema.parse(contracts) }, { clock: systemClock, logger: silentLogger })
      for (const to of [accounts.dataCentre, accounts.home, accounts.user])
        await transferHeu(chain, accounts.bank, { to: to.address, amountWei: parseUnits('200000', 18) })
    }, 60_000)

    test('behavior: each role takes its place; what they change counts from the next epoch', async () => {
      const manifest = {
        apiVersion: 'heurist/v1',
        kind: 'Pod',
        metadata: { name: POD, description: 'stories' },
        spec: {
          runtime: 'llm',
          engine: { name: 'llama' },
          model: { id: 'heurist-tiny', source: 'builtin:heurist-tiny', quantization: 'Q8_0', contextLength: 1024 },
          resources: { memoryBytes: 200_000_000 },
          price: { input: '5000000000', output: '10000000000' },
          scaling: { min: 2, max: 2 },
        },
      }
      writeFileSync(join(home, 'pod.json'), JSON.stringify(manifest))
      await run('pod', 'deploy', '-f', join(home, 'pod.json'))
      await run('frontend', 'register', 'data-centre', '300', '--as', 'node-1')
      await run('frontend', 'refer', 'data-centre', 'node-1', '--as', 'node-1')
      await run('stake', '100000', '--as', 'node-2')
      await run('vote', 'node', 'node-2=100', '--as', 'node-2')
      await run('vote', 'pod', `${POD}=100`, '--as', 'node-2')
      await run('tip', 'set', 'node-2', '10')
      const before = await epochNow()
      expect(before.pods.find(({ name }) => name === POD)?.replicaCeiling).toBe(1)
      await run('dev', 'warp', `${before.secondsLeft + 60}s`)
      const after = await epochNow()
      expect(after.epoch).toBe(before.epoch + 1)
      expect(after.pods.find(({ name }) => name === POD)?.replicaCeiling).toBeGreaterThan(1)
      // Warm comes before referred: both nodes must have it.
      await eventually(
        `two replicas of ${POD}`,
        async () => {
          const { data } = await api<{ data: { name: string; warm: number }[] }>('/api/pods')
          return data.some(({ name, warm }) => name === POD && warm === 2)
        },
        120_000,
      )
      nodes = Object.fromEntries((await run<{ nodeId: string; name: string }[]>('node', 'list')).map(({ name, nodeId }) => [name, nodeId]))
    }, 240_000)

    test('behavior: a data centre serves the users of its own frontend on its own node, and earns both shares', async () => {
      const { dataCentre } = accounts
      const key = await keyOf({ frontend: dataCentre.address })
      for (let i = 0; i < 3; i++) jobs.dataCentre.push(await ask(key, POD))
      expect(jobs.dataCentre.map(({ nodeId }) => nodeId)).toEqual(Array(3).fill(nodes['node-1']))
      for (const { price, receipt } of jobs.dataCentre) {
        const fee = receipt?.split.find(({ role }) => role === 'frontend')
        expect(fee).toMatchObject({ account: dataCentre.address, amount: String((BigInt(price) * 300n) / 10_000n) })
        expect(receipt?.split.reduce((sum, { amount }) => sum + BigInt(amount), 0n)).toBe(BigInt(price))
      }
    }, 240_000)

    test('behavior: an end user pays by credits, exactly what its receipts say, and stakes', async () => {
      const { user, bank } = accounts
      const { WrappedHeu } = chain.contracts
      await deposit(chain, user, { asset: WrappedHeu, amount: parseUnits('100', 18) })
      const { timestampSeconds } = await chain.head()
      const cap = { cumulativeCap: parseUnits('100', 18), expiresAtSeconds: timestampSeconds + 60 * 86_400 }
      await setSpendingCap(chain, bank, { account: user, asset: WrappedHeu, ...cap })
      const key = await keyOf({ account: user.address })
      await eventually('credits of the user', async () => {
        const answer = await fetch(new URL('/api/credits', network.dev().gatewayUrl), { headers: { authorization: `Bearer ${key}` } })
        return Number(((await answer.json()) as { credits: string }).credits) > 0 // cast: our own gateway
      })
      for (let i = 0; i < 2; i++) jobs.user.push(await ask(key, network.dev().models.chat))
      const paid = jobs.user.reduce((sum, { price }) => sum + BigInt(price), 0n)
      expect(paid).toBeGreaterThan(0n)
      expect(jobs.user.every(({ payer }) => payer === user.address)).toBe(true)
      expect(await chain.vaultBalance(user.address, WrappedHeu)).toBe(parseUnits('100', 18) - paid)
      const before = await native(user)
      const { transactionHash } = await run<Step>('stake', '500', '--as', 'user')
      expect(await native(user)).toBe(before - parseUnits('500', 18) - (await feesOf([transactionHash])))
      expect(BigInt((await stakeOf(user.address)).shares)).toBeGreaterThan(parseUnits('499', 18))
    }, 240_000)

    test('behavior: an AI developer earns from its pod, and its voters are paid', async () => {
      for (let i = 0; i < 2; i++) jobs.pod.push(await ask(network.dev().apiKey, POD))
      for (const { price, receipt } of jobs.pod) {
        expect(receipt?.split.find(({ role }) => role === 'deployer')).toMatchObject({
          account: accounts.developer.address,
          amount: String((BigInt(price) * 800n) / 10_000n),
        })
      }
    }, 240_000)

    test('behavior: the epoch pays nodes by the rule, a home GPU is its own voter, and every claim is exact', async () => {
      const { epoch } = await epochNow()
      await run('dev', 'warp', '7d')
      await run('dev', 'warp', '25h')
      const closed = await finalEpoch(epoch)
      const reported = closed.nodes.filter(({ report }) => report !== null)
      const model = nodeEmissions(
        emissionAtRate(epoch, BigInt(closed.emission.revenueRateWad)),
        reported.map(({ report, multiplierWad }) => ({
          availabilityBps: BigInt(report?.availabilityBps ?? 0),
          capacity: BigInt(report?.capacity ?? 0),
          organicComputeUnits: BigInt(report?.organicComputeUnits ?? 0),
          multiplierWad: BigInt(multiplierWad),
        })),
      )
      expect(reported.map(({ reward }) => BigInt(reward))).toEqual(model.nodes)
      expect(BigInt(closed.emission.reservoir)).toBe(model.reservoir)

      const { home: owner, dataCentre, developer } = accounts
      const heu = chain.contracts.WrappedHeu
      const mine = closed.nodes.find(({ nodeId }) => nodeId === nodes['node-2'])
      expect(BigInt(mine?.multiplierWad ?? 0)).toBe(parseUnits('2.5', 18))
      const due = async (
        who: Signer,
      ): Promise<{ claimable: { kind: string; asset?: string; amount: string; epoch?: number; tip?: string; epochs?: number[] }[] }> =>
        api(`/api/accounts/${who.address}/earnings`)
      const inHeu = (list: Awaited<ReturnType<typeof due>>): bigint =>
        list.claimable.filter(({ asset }) => asset === undefined || asset === heu).reduce((sum, { amount }) => sum + BigInt(amount), 0n)

      // Its emission less the tip, its part of the pod's revenue, and what it served.
      const first = await due(owner)
      const tip = (BigInt(mine?.reward ?? 0) * 1_000n) / 10_000n
      expect(first.claimable.find(item => item.kind === 'emission' && item.epoch === epoch)).toMatchObject({
        amount: String(BigInt(mine?.reward ?? 0) - tip),
        tip: String(tip),
      })
      const podJobs = [...jobs.dataCentre, ...jobs.pod].filter(({ asset }) => asset === heu)
      const pot = podJobs.flatMap(({ receipt }) => receipt?.split ?? []).filter(({ role }) => role === 'voters')
      const podVotes = await eventually("the pod's revenue for its voters", async () =>
        (await due(owner)).claimable.find(({ kind }) => kind === 'voters'),
      )
      expect(BigInt(podVotes.amount)).toBe(pot.reduce((sum, { amount }) => sum + BigInt(amount), 0n))
      const all = await due(owner)
      expect(await gainOf(owner, 'claim', '--as', 'node-2')).toBe(inHeu(all))
      // The tip reaches the node's voters with the claim: mostly itself.
      const id = nodeGaugeId(BigInt(mine?.registryId ?? 0))
      const votes = await chain.read('NodeGauge', 'voterWeightAt', [id, owner.address, BigInt(epoch)])
      const own = voterPartDown(tip, votes, BigInt(mine?.weight ?? 0))
      expect(own).toBeGreaterThan((tip * 99n) / 100n)
      const tips = { kind: 'voters', gauge: 'node', epochs: [epoch], amount: String(own) }
      await expect.poll(async () => (await due(owner)).claimable, { timeout: 30_000 }).toEqual([expect.objectContaining(tips)])
      expect(await gainOf(owner, 'claim', '--as', 'node-2')).toBe(own)
      await expect.poll(async () => (await due(owner)).claimable, { timeout: 30_000 }).toEqual([])

      // The data centre: node and frontend share of its own frontend's jobs are in what it gets.
      const centre = await due(dataCentre)
      const served = centre.claimable.find(({ kind, asset }) => kind === 'settlement' && asset === heu)
      const everyJob = [...jobs.dataCentre, ...jobs.user, ...jobs.pod]
      const captured = await receiptsOf(dataCentre.address, heu)
      expect(captured).toBeGreaterThanOrEqual(sumFor(everyJob, dataCentre.address, heu))
      expect(BigInt(served?.amount ?? 0)).toBe(captured)
      expect(await gainOf(dataCentre, 'claim', '--as', 'node-1')).toBe(inHeu(centre))

      // The developer of the pods: its share of every job of them, and of what their voters get.
      const pods = await due(developer)
      const earned = pods.claimable.find(({ kind, asset }) => kind === 'settlement' && asset === heu)
      expect(BigInt(earned?.amount ?? 0)).toBe(await receiptsOf(developer.address, heu))
      expect(await gainOf(developer, 'claim')).toBe(inHeu(pods))
    }, 300_000)

    test('behavior: who leaves the network gets its whole collateral, to the wei', async () => {
      const { dataCentre } = accounts
      expect((await refused('collateral', 'withdraw', 'node-1')).message).toMatch(/Nothing is leaving/)
      await run('collateral', 'exit', 'node-1')
      expect((await refused('collateral', 'withdraw', 'node-1')).message).toMatch(/is free from 20\d\d-/)
      await run('dev', 'warp', '2d')
      const { collateral } = await run<{ collateral: string }>('collateral', 'show', 'node-1')
      const before = await native(dataCentre)
      const { transactionHash } = await run<Step>('collateral', 'withdraw', 'node-1')
      expect(BigInt(collateral)).toBeGreaterThan(0n)
      expect((await native(dataCentre)) - before + (await feesOf([transactionHash]))).toBe(BigInt(collateral))
      expect((await refused('collateral', 'show', 'node-1')).code).toBe(4)
    }, 120_000)
  })
})
