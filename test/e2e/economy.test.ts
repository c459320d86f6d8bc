import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseUnits } from '#protocol'
import { type Network, newHome, removeHome, startNetwork } from '../support/network.ts'

/** What the CLI and the API print; only what a test looks at. */
type Step = { readonly title: string; readonly dryRun: boolean; readonly call: string; readonly transactionHash: string | null }
type Stake = { shares: string; claimableAssets: string; now: number; exits: { assets: string; claimableAt: number }[] }
type EpochNode = { registryId: string; nodeId: string; weight: string; multiplierWad: string; tipBps: number }
type Epoch = { epoch: number; phase: string; secondsLeft: number; nodeWeight: string; podWeight: string; nodes: EpochNode[] }

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
})
