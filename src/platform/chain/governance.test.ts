import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { HeuristError, WAD } from '#protocol'
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
      message: expect.stringMatching(/votes of 0 HEU.*heurist gov enrol/),
    })

    await chain.write(treasury, { contract: 'WrappedHeu', call: 'deposit', args: [], valueWei: 1_000_000n * WAD })
    await chain.write(treasury, { contract: 'WrappedHeu', call: 'delegate', args: [treasury.address] })
    // The pool's first liquidity left some wei of it.
    const votes = await chain.tokenBalance(treasury.address, contracts.WrappedHeu)
    expect(votes - 1_000_000n * WAD).toBeLessThan(WAD)
    // Votes count a second later, and no block comes by itself: a call is tried in the block that it would make.
    const { number } = await chain.head()
    await vi.waitFor(() => chain.simulate(treasury.address, propose), { timeout: 30_000, interval: 50 })
    expect((await chain.head()).number).toBe(number)
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
    const quorum = await chain.read('HeuristGovernor', 'quorum', [BigInt(pending?.voteStartsAt ?? 0)])
    expect(quorum).toBeGreaterThan(0n)
    expect((await proposals())[0]).toMatchObject({ state: 'succeeded', votes: { for: votes, against: 0n, abstain: 0n }, quorum })
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
    expect(refused('FrontendRegistry', 'setMaxFeeBps', ['70000'])).toMatch(/from 0 to 65535, not 70000/)
    expect(refused('FrontendRegistry', 'setMaxFeeBps', ['-1'])).toMatch(/from 0 to 65535/)
  })
})

describe('structs and lists of a call are JSON', () => {
  const SHARES = { deployerBps: 700, frontendBps: '400', votersBps: 100, protocolBps: 500 }
  const encoded = (contract: string, call: string, ...values: string[]) => callFromText(testChain.chain, { contract, call, values }).data
  const refusal = (contract: string, call: string, ...values: string[]) => {
    try {
      return encoded(contract, call, ...values)
    } catch (error) {
      return error instanceof HeuristError ? `${error.code} ${error.message}` : String(error)
    }
  }
  const shares = (json: unknown) => refusal('JobSettlement', 'setShares', typeof json === 'string' ? json : JSON.stringify(json))

  test('default: a struct by its members, in any order, and lists of words', () => {
    const { chain } = testChain
    const wanted = { deployerBps: 700, frontendBps: 400, votersBps: 100, protocolBps: 500 }
    const { data } = chain.encode({ contract: 'JobSettlement', call: 'setShares', args: [wanted] })
    expect(encoded('jobsettlement', 'setShares', JSON.stringify(SHARES))).toBe(data)
    expect(encoded('JobSettlement', 'setShares', JSON.stringify(Object.fromEntries(Object.entries(SHARES).reverse())))).toBe(data)

    const [id, huge] = [`0x${'ab'.repeat(32)}` as const, 2n ** 100n]
    const vote = chain.encode({
      contract: 'NodeGauge',
      call: 'vote',
      args: [
        [id, id],
        [9_000, 1_000],
      ],
    })
    expect(encoded('NodeGauge', 'vote', JSON.stringify([id, id]), '[9000, "1000"]')).toBe(vote.data)
    const report = { nodeId: 1n, availabilityBps: 10_000n, capacity: 5n, organicComputeUnits: huge }
    const told = chain.encode({ contract: 'EmissionController', call: 'report', args: [3n, [report]] })
    const json = JSON.stringify([{ ...report, nodeId: 1, availabilityBps: 10_000, capacity: '5', organicComputeUnits: String(huge) }])
    expect(encoded('EmissionController', 'report', '3', json)).toBe(told.data)
  })

  test('error: what is wrong is named by its member, with the shape that is wanted', () => {
    const shape = /\{"deployerBps": uint16, "frontendBps": uint16, "votersBps": uint16, "protocolBps": uint16\}/
    expect(refusal('JobSettlement', 'setShares')).toMatch(shape)
    for (const [given, words] of [
      ['700', shape],
      ['{700}', shape],
      [[700, 400, 100, 500], shape],
      [null, shape],
      [{ ...SHARES, votersBps: undefined }, /shares_ lacks "votersBps"/],
      [{ ...SHARES, ownerBps: 1 }, /no member "ownerBps"/],
      ['{"__proto__": 1}', /no member "__proto__"/],
      [{ ...SHARES, protocolBps: 70_000 }, /shares_\.protocolBps \(uint16\) must be from 0 to 65535/],
      [{ ...SHARES, protocolBps: 0.5 }, /would round 0\.5/],
      [{ ...SHARES, protocolBps: { value: 1 } }, /shares_\.protocolBps must be uint16/],
    ] as const)
      expect(shares(given), JSON.stringify(given)).toMatch(words)
    const node = { nodeId: 1, availabilityBps: 1, capacity: 1, organicComputeUnits: 1 }
    expect(refusal('EmissionController', 'report', '1', JSON.stringify([node, { ...node, capacity: 2 ** 60 }]))).toMatch(
      /CHAIN_BAD_CALL reports\[1\]\.capacity .*in quotes/,
    )
    expect(refusal('NodeGauge', 'vote', '["0x12"]', '[1]')).toMatch(/ids\[0\] \(bytes32\) must have 32 bytes/)
    expect(refusal('NodeGauge', 'vote', '{}', '[1]')).toMatch(/ids must be a list/)
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
