import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openKey } from '#compute'
import { type Chain, type Signer, silentLogger, systemClock } from '#platform'
import { createRpcChain, transferHeu } from '#platform/chain'
import { type HttpProxy, startHttpProxy } from '#platform/testing'
import { addressSchema, keccak256, WAD } from '#protocol'
import { networkFactsSchema } from '../../src/bin/network/facts.ts'
import { eventually, type Network, newHome, removeHome, runCli, startNetwork } from '../support/network.ts'
import { ROOT } from '../support/source.ts'

type NodeRow = { nodeId: string; name: string; online: boolean; facts: { replicas: { state: string }[] } | null }
type Collateral = { registryId: string; owner: string; collateral: string; bonded: string; covered: boolean }
const HEU_100 = String(100n * WAD)
type Job = { nodeId: string; receipt: { split: { role: string; account: string; amount: string }[] } | null }

function signerOf(home: string, role: string): Signer {
  return openKey(join(home, 'keys', `${role}.json`)).signer
}

/** The chain as a program of somebody else sees it. */
async function chainOf(network: Network): Promise<Chain> {
  const status = await fetch(network.dev().gatewayUrl.replace('/v1', '/api/status'))
  const { rpcUrl, chainId, contracts } = networkFactsSchema.parse(await status.json())
  return createRpcChain({ rpcUrl, chainId, contracts }, { clock: systemClock, logger: silentLogger })
}

/** A stranger's node: a key, collateral and one command; no whitelist, no open port, and a network that only its proxy leads out of. */
describe('a stranger joins', () => {
  const home = newHome()
  let network: Network
  let stranger: ChildProcess | null = null
  let proxy: HttpProxy
  let nodeUrl: string

  const json = async <T>(...args: string[]): Promise<T> => JSON.parse((await network.cli(...args, '--json')).stdout) as T // cast: our own CLI
  const startStranger = (): ChildProcess => {
    const named = (url: string): string => url.replace('127.0.0.1', 'network.test')
    const environment = {
      ...process.env,
      HEURIST_HOME: home,
      HEURIST_GATEWAY_URL: named(network.dev().gatewayUrl),
      HTTP_PROXY: proxy.url,
      NO_PROXY: 'nowhere.invalid',
    }
    const options = ['--name', 'stranger', '--router', named(nodeUrl)]
    return spawn(process.execPath, [join(ROOT, 'src/bin/heurist.ts'), 'node', 'start', ...options], {
      cwd: ROOT,
      env: environment,
      stdio: 'ignore',
    })
  }
  const online = (): Promise<NodeRow> =>
    eventually(
      'the stranger to hold pods',
      async () =>
        (await json<NodeRow[]>('node', 'list')).find(
          ({ name, online: up, facts }) =>
            name === 'stranger' && up && facts?.replicas.some(({ state }) => state === 'cold' || state === 'warm'),
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

  /** Why no node may take a job that only this one could. */
  const refusalOn = (nodeId: string): Promise<string> =>
    askOn(nodeId).then(
      () => '',
      (caught: Error) => caught.message,
    )

  beforeAll(async () => {
    proxy = await startHttpProxy({ password: 'secret' })
    network = await startNetwork(home, { HEURIST_DEV_NODES: '1' })
    const status = await fetch(network.dev().gatewayUrl.replace('/v1', '/api/status'))
    nodeUrl = networkFactsSchema.parse(await status.json()).nodeUrl
    stranger = startStranger()
  }, 300_000)
  afterAll(async () => {
    stranger?.kill('SIGKILL')
    await network?.stop()
    await proxy?.stop()
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

  test('behavior: gateway and router are reached by the proxy of its machine', async () => {
    const { port } = new URL(network.dev().gatewayUrl)
    expect(proxy.asked).toContain(`GET http://network.test:${port}/api/status`)
    expect(proxy.asked).toContain(`CONNECT network.test:${new URL(nodeUrl).port}`)
  })

  test('error: a node whose owner key is gone gets no new one', async () => {
    const path = join(home, 'nodes/stranger/owner.json')
    renameSync(path, `${path}.aside`)
    const shown = await network.cli('node', 'start', '--name', 'stranger')
    const isMadeAnew = existsSync(path)
    renameSync(`${path}.aside`, path)
    expect(shown).toMatchObject({ code: 1, stderr: expect.stringMatching(/owner\.json is gone: collateral and earnings hang on it.*mv /) })
    expect(isMadeAnew).toBe(false)
  })

  test('behavior: doctor finds nothing wrong with it, and says what is wrong with one that does not run', async () => {
    await eventually('a clean bill of health', async () => (await network.cli('node', 'doctor', 'stranger', '--json')).code === 0, 30_000)
    const absent = await network.cli('node', 'doctor', 'nobody', '--json')
    expect(absent.code).toBe(1)
    expect(absent.stdout).toContain('heurist node start --name nobody')
    // As its owner has it: a folder where no network runs, the address of one, and no key.
    const elsewhere = newHome()
    cpSync(join(home, 'nodes/stranger'), join(elsewhere, 'nodes/stranger'), { recursive: true })
    const environment = { ...process.env, HEURIST_HOME: elsewhere, HEURIST_GATEWAY_URL: network.dev().gatewayUrl, NO_COLOR: '1' }
    const alone = await runCli(environment, ['node', 'doctor', 'stranger'])
    const listed = await runCli(environment, ['node', 'list'])
    const refused = await runCli(environment, ['credit', 'show'])
    removeHome(elsewhere)
    expect(alone.stdout).toMatch(/^ok {3}stranger: pod 0x/m)
    expect(listed).toMatchObject({ code: 0, stdout: expect.stringContaining('stranger') })
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('Set HEURIST_API_KEY') })
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

  test('behavior: a node below its floor gets no job, says why everywhere, and works again when covered', async () => {
    const { nodeId } = await online()
    const dry = await json<{ dryRun: boolean; changes: { after: string }[] }>('collateral', 'unbond', 'stranger', '1', '--dry-run')
    expect(dry).toMatchObject({
      dryRun: true,
      transactionHash: null,
      changes: [{ after: '99' }, { after: '-1' }, { after: 'none: below the floor' }],
    })
    const leaving = await json<{ changes: { after: string }[] }>('collateral', 'exit', 'stranger', '--dry-run')
    expect(leaving).toMatchObject({ call: 'requestExit', transactionHash: null, changes: [{ after: 'none' }, { after: '100' }] })
    expect((await network.cli('collateral', 'show', '77')).code).toBe(4)
    expect(await json<Collateral>('collateral', 'show', nodeId)).toMatchObject({
      covered: true,
      bonded: HEU_100,
      restaked: '0',
      openCase: null,
    })

    expect((await network.cli('collateral', 'unbond', 'stranger', '1')).code).toBe(0)
    expect(await json<Collateral>('collateral', 'show', 'stranger')).toMatchObject({
      covered: false,
      floor: HEU_100,
      hotKey: expect.any(String),
    })
    const reason = /collateral 99000000000000000000 wei is below the floor of 100000000000000000000/
    await eventually('the router to refuse it', async () => reason.test(await refusalOn(nodeId)))
    const doctor = await network.cli('node', 'doctor', 'stranger')
    expect(doctor.code).toBe(1)
    expect(doctor.stdout).toMatch(reason)
    expect(doctor.stdout).toContain('heurist collateral add')
    const early = await network.cli('collateral', 'withdraw', 'stranger')
    expect([early.code, early.stderr]).toEqual([1, expect.stringMatching(/is free from 20\d\d-/)])

    const added = await network.cli('collateral', 'add', 'stranger', '1')
    expect(added.stdout).toMatch(/collateral\s+│ 100 │ 101/)
    expect(await eventually('a job to come again', async () => askOn(nodeId).catch(() => ''))).toMatch(/^job_/)
  }, 240_000)

  test('behavior: what a node earns is restaked by its plan', async () => {
    const { nodeId } = await online()
    const before = await json<Collateral>('collateral', 'show', 'stranger')
    const early = await network.cli('node', 'compound', 'stranger')
    expect([early.code, early.stderr]).toEqual([1, expect.stringMatching(/has no plan/)])
    expect((await network.cli('node', 'restake', 'stranger', '--collateral', '60', '--stake', '50')).code).toBe(2)
    expect((await network.cli('node', 'restake', 'stranger', '--collateral', '60', '--stake', '40')).code).toBe(0)
    const chain = await chainOf(network)
    const registryId = BigInt(before.registryId)
    const earnings = await chain.read('Compounder', 'accountOf', [registryId])
    expect((await chain.nodeStanding(addressSchema.parse(nodeId)))?.payout).toBe(earnings.toLowerCase())
    // Stands for emission or job earnings: coins that arrive in the node's account.
    await transferHeu(chain, signerOf(home, 'treasury'), { to: addressSchema.parse(earnings), amountWei: 10n * WAD })
    // What its jobs earned until now is the owner's: it is restaked apart, below.
    expect((await network.cli('node', 'compound', 'stranger', '--as', 'treasury')).code).toBe(0)
    const after = await json<Collateral>('collateral', 'show', 'stranger')
    expect(BigInt(after.collateral) - BigInt(before.collateral)).toBe(6n * WAD)
    const shares = await chain.read('StakedHeu', 'balanceOf', [addressSchema.parse(before.owner)])
    expect(await chain.read('StakedHeu', 'convertToAssets', [shares])).toBeGreaterThanOrEqual(4n * WAD - 1n)

    await askOn(nodeId)
    const owner = addressSchema.parse(before.owner.toLowerCase())
    const earned = (): Promise<bigint> => chain.claimable(owner, chain.contracts.WrappedHeu)
    await eventually('the pay of a job to be settled', async () => (await chain.pending(owner, chain.contracts.WrappedHeu)) > 0n)
    expect((await network.cli('dev', 'warp', '2d')).code).toBe(0)
    const paid = await earned()
    expect(paid).toBeGreaterThan(0n)
    const brought = await network.cli('node', 'compound', 'stranger')
    expect([brought.code, brought.stdout]).toEqual([0, expect.stringMatching(/bring what jobs paid the owner/)])
    expect(await earned()).toBe(0n)
    const last = await json<Collateral>('collateral', 'show', 'stranger')
    expect(BigInt(last.collateral) - BigInt(after.collateral)).toBe((paid * 6_000n) / 10_000n)
  }, 240_000)

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

  // The last two: the node stays jailed between them.
  test('behavior: an accused node is jailed at once, and everyone can read why', async () => {
    const { nodeId } = await online()
    const chain = await chainOf(network)
    const validator = signerOf(home, 'treasury')
    const valueWei = await chain.read('ValidatorRegistry', 'minBond', [])
    await chain.write(validator, { contract: 'ValidatorRegistry', call: 'join', args: [], valueWei })
    const { registryId, owner } = await json<Collateral>('collateral', 'show', 'stranger')
    // A job's pay, past its challenge window: final but for the jail.
    await askOn(nodeId)
    await eventually(
      'the pay of a job to be settled',
      async () => (await chain.pending(addressSchema.parse(owner.toLowerCase()), chain.contracts.WrappedHeu)) > 0n,
    )
    expect((await network.cli('dev', 'warp', '2d')).code).toBe(0)
    await chain.write(validator, { contract: 'Slasher', call: 'accuse', args: [BigInt(registryId), keccak256('sealed evidence')] })
    await eventually('the router to refuse it', async () => /jailed/.test(await refusalOn(nodeId)))
    const doctor = await network.cli('node', 'doctor', 'stranger')
    expect(doctor.code).toBe(1)
    expect(doctor.stdout).toContain('heurist collateral show')
    const shown = await network.cli('collateral', 'show', 'stranger')
    expect(shown.stdout).toMatch(/jail\s+│\s+│ jailed/)
    expect(shown.stdout).toMatch(/1: accusers seal and then open their claims/)
    const early = await network.cli('collateral', 'answer', 'stranger')
    expect([early.code, early.stderr]).toEqual([1, expect.stringMatching(/Case 1 is at another step/)])
  }, 240_000)

  test('behavior: a jailed node keeps its owner from claims, and the same pay is whole when the case falls', async () => {
    const chain = await chainOf(network)
    const heu = chain.contracts.WrappedHeu
    const owner = openKey(join(home, 'nodes', 'stranger', 'owner.json')).signer
    const [due, held] = [await chain.claimable(owner.address, heu), await chain.nativeBalance(owner.address)]
    expect(due).toBeGreaterThan(0n)

    const kept = await network.cli('claim', '--as', 'stranger')
    expect([kept.code, kept.stdout, kept.stderr]).toEqual([0, 'nothing to do\n', expect.stringMatching(/HEU are kept while a node/)])
    const frozen = { code: 'CHAIN_REVERTED', payload: { error: 'JobSettlement_Frozen', args: [expect.any(String), 1n] } }
    const claim = { contract: 'JobSettlement', call: 'claim', args: [heu, owner.address] } as const
    const claimFor = { contract: 'JobSettlement', call: 'claimFor', args: [owner.address, heu] } as const
    await expect(chain.write(owner, claim)).rejects.toMatchObject(frozen)
    await expect(chain.write(signerOf(home, 'developer'), claimFor)).rejects.toMatchObject(frozen)
    expect([await chain.claimable(owner.address, heu), await chain.nativeBalance(owner.address)]).toEqual([due, held])

    // The accuser never opened what it sealed.
    const { commit, reveal } = await chain.read('Slasher', 'windows', [])
    expect((await network.cli('dev', 'warp', `${commit + reveal + 1}s`)).code).toBe(0)
    await chain.write(signerOf(home, 'developer'), { contract: 'Slasher', call: 'conclude', args: [1n] })
    await eventually('the claim to be offered again', async () => {
      const { steps } = await json<{ steps: { call: string }[] }>('claim', '--as', 'stranger', '--dry-run')
      return steps.some(({ call }) => call === 'claim')
    })
    const paid = await network.cli('claim', '--as', 'stranger')
    expect([paid.code, paid.stdout]).toEqual([0, expect.stringMatching(/earnings: .* HEU/)])
    expect(await chain.claimable(owner.address, heu)).toBe(0n)
    expect(await chain.nativeBalance(owner.address)).toBeGreaterThan(held)
  }, 240_000)
})
