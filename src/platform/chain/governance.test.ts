import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WAD } from '#protocol'
import { callFromText } from './call-text.ts'
import { devRpc } from './dev-process.ts'
import { MAX_WARP_SECONDS, warpDevChain } from './dev-time.ts'
import { descriptionHash, readProposals } from './proposals.ts'
import { startTestChain, type TestChain } from './testing/index.ts'

let testChain: TestChain
beforeAll(async () => {
  testChain = await startTestChain()
})
afterAll(() => testChain?.stop())

const warp = (seconds: number) => warpDevChain(testChain.devChain.rpcUrl, seconds)
const proposals = () => readProposals({ rpcUrl: testChain.devChain.rpcUrl, contracts: testChain.contracts })

describe('a proposal on a real chain', () => {
  test('default: from the first vote to a changed parameter, and refusals come in words', async () => {
    const { chain, treasury, contracts } = testChain
    const { data, to } = callFromText(chain, { contract: 'frontendregistry', call: 'setMaxFeeBps', values: ['750'] })
    expect(to).toBe(contracts.FrontendRegistry)
    const parts = [[to], [0n], [data]] as const
    const propose = { contract: 'HeuristGovernor', call: 'propose', args: [...parts, 'raise the fee'] } as const
    await expect(chain.simulate(treasury.address, propose)).rejects.toMatchObject({
      code: 'CHAIN_REVERTED',
      message: expect.stringMatching(/0 wei of votes.*heurist gov enrol/),
    })

    await chain.write(treasury, { contract: 'WrappedHeu', call: 'deposit', args: [], valueWei: 1_000_000n * WAD })
    await chain.write(treasury, { contract: 'WrappedHeu', call: 'delegate', args: [treasury.address] })
    // The pool's first liquidity left some wei of it.
    const votes = await chain.tokenBalance(treasury.address, contracts.WrappedHeu)
    expect(votes - 1_000_000n * WAD).toBeLessThan(WAD)
    await warp(2)
    await chain.write(treasury, propose)
    const [pending] = await proposals()
    expect(pending).toMatchObject({
      state: 'pending',
      proposer: treasury.address,
      description: 'raise the fee',
      calls: [{ contract: 'FrontendRegistry', call: 'setMaxFeeBps', args: [750], valueWei: 0n }],
    })
    const id = pending?.id ?? 0n
    const vote = { contract: 'HeuristGovernor', call: 'castVote', args: [id, 1] } as const
    await expect(chain.write(treasury, vote)).rejects.toMatchObject({ message: expect.stringMatching(/in the state pending/) })
    await warp(12)
    await chain.write(treasury, vote)
    await warp(61)
    expect((await proposals())[0]).toMatchObject({ state: 'succeeded', votes: { for: votes, against: 0n, abstain: 0n } })
    const hash = descriptionHash('raise the fee')
    await chain.write(treasury, { contract: 'HeuristGovernor', call: 'queue', args: [...parts, hash] })
    const execute = { contract: 'HeuristGovernor', call: 'execute', args: [...parts, hash] } as const
    await expect(chain.write(treasury, execute)).rejects.toMatchObject({ message: expect.stringMatching(/delay .* has not passed/) })
    await warp(11)
    await chain.write(treasury, execute)
    expect((await proposals())[0]).toMatchObject({ state: 'executed' })
    expect(await chain.read('FrontendRegistry', 'maxFeeBps', [])).toBe(750)
  })
})

describe('callFromText', () => {
  const refused = (contract: string, call: string, values: readonly string[]) => {
    try {
      callFromText(testChain.chain, { contract, call, values })
      return 'taken'
    } catch (error) {
      return (error as Error).message // cast: a test's own catch
    }
  }
  test('error: each wrong part is named with what exists', () => {
    expect(refused('Nothing', 'x', [])).toMatch(/No contract is called Nothing\. Known: WrappedHeu/)
    expect(refused('__proto__', 'x', [])).toMatch(/No contract/)
    expect(refused('JobSettlement', 'lastBatch', [])).toMatch(/has no function lastBatch/)
    expect(refused('JobSettlement', 'setSequencer', [])).toMatch(/takes .*\(address\), not 0 values/)
    expect(refused('JobSettlement', 'setSequencer', ['0x12'])).toMatch(/must be an address, not "0x12"/)
    expect(refused('FrontendRegistry', 'setMaxFeeBps', ['1e3'])).toMatch(/whole number/)
    expect(refused('StakedHeu', 'setGauges', ['1'.repeat(40), ''])).toMatch(/must be an address/)
    expect(refused('HeuristGovernor', 'propose', ['a', 'b', 'c', 'd'])).toMatch(/cannot be given as text/)
  })
})

describe('warpDevChain', () => {
  test('default: time moves on, passes on from there, and survives a restart', async () => {
    const { devChain, chain } = testChain
    const before = (await chain.head()).timestampSeconds
    const { timestampSeconds } = await warp(7 * 86_400)
    expect(timestampSeconds - before).toBeGreaterThanOrEqual(7 * 86_400)
    await devChain.persist()
    process.kill(devChain.pid, 'SIGKILL')
    await expect.poll(() => chain.head().catch(() => null), { timeout: 20_000 }).toMatchObject({ timestampSeconds })
    await expect.poll(() => devRpc(devChain.rpcUrl, 'evm_mine').catch(() => null), { timeout: 20_000 }).not.toBeNull()
    expect((await chain.head()).timestampSeconds).toBeGreaterThanOrEqual(timestampSeconds)
  }, 60_000)

  test('error: another chain is refused before anything is done, and so is going back', async () => {
    for (const seconds of [0, -1, 1.5, Number.NaN, MAX_WARP_SECONDS + 1])
      await expect(warp(seconds), `${seconds}`).rejects.toThrow(RangeError)
    const asked: string[] = []
    const server = createServer((request, response) => {
      request.on('data', chunk => asked.push(JSON.parse(String(chunk)).method))
      request.on('end', () => response.end('{"jsonrpc":"2.0","id":1,"result":"Geth/v1.16"}'))
    }).listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const address = server.address()
    const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
    await expect(warpDevChain(url, 60, () => expect.fail('nothing may run'))).rejects.toMatchObject({ code: 'CHAIN_NOT_DEV' })
    expect(asked).toEqual(['web3_clientVersion'])
    server.closeAllConnections()
    server.close()
  })
})

test('behavior: the fee vault can be named later', async () => {
  const { devChain } = testChain
  const vault = '0x00000000000000000000000000000000000000fe'
  await devChain.setFeeVault(vault)
  await devRpc(devChain.rpcUrl, 'evm_mine')
  const block = (await devRpc(devChain.rpcUrl, 'eth_getBlockByNumber', ['latest', false])) as { miner: string } // cast: JSON-RPC's block
  expect(block.miner).toBe(vault)
})
