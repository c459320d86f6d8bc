import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { copyFile, mkdtemp, open, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { isHeuristError } from '#protocol'
import { systemClock } from '../clock.ts'
import { silentLogger } from '../logger.ts'
import { type DevChain, type DevChainOptions, GENESIS_SUPPLY_WEI, startDevChain } from './dev-chain.ts'
import { devRpc } from './dev-process.ts'

const treasury = '0x00000000000000000000000000000000000000aa'
const feeVault = '0x00000000000000000000000000000000000000fe'
const receiver = '0x00000000000000000000000000000000000000bb'

let folder: string
let stateFile: string
const started: DevChain[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heurist-dev-chain-'))
  stateFile = join(folder, 'chain.state')
})
afterEach(async () => {
  for (const devChain of started.splice(0)) await devChain.stop()
  await rm(folder, { recursive: true, force: true })
})

async function start(port = 0, more: Partial<DevChainOptions> = {}): Promise<DevChain> {
  const devChain = await startDevChain({ stateFile, port, treasury, feeVault, ...more }, { clock: systemClock, logger: silentLogger })
  started.push(devChain)
  return devChain
}

async function pay(devChain: DevChain, wei: bigint): Promise<void> {
  await devRpc(devChain.rpcUrl, 'anvil_impersonateAccount', [treasury])
  const hash = await devRpc(devChain.rpcUrl, 'eth_sendTransaction', [{ from: treasury, to: receiver, value: `0x${wei.toString(16)}` }])
  await vi.waitFor(async () => expect(await devRpc(devChain.rpcUrl, 'eth_getTransactionReceipt', [hash])).toBeTruthy())
}
const balance = async (devChain: DevChain, account: string): Promise<bigint> =>
  BigInt(String(await devRpc(devChain.rpcUrl, 'eth_getBalance', [account, 'latest'])))
const height = async (devChain: DevChain): Promise<number> => Number(await devRpc(devChain.rpcUrl, 'eth_blockNumber'))
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
async function startFailure(): Promise<{ code: string; message: string }> {
  const error = await start().then(
    () => null,
    (reason: unknown) => reason,
  )
  return isHeuristError(error) ? { code: error.code, message: error.message } : { code: 'none', message: String(error) }
}

describe('startDevChain', () => {
  test('default: a new chain has the whole supply in the treasury, and a restart has everything', async () => {
    const first = await start()
    expect(first.created).toBe(true)
    expect(await balance(first, treasury)).toBe(GENESIS_SUPPLY_WEI)
    await pay(first, 5n)
    const block = await devRpc(first.rpcUrl, 'eth_getBlockByNumber', ['0x1', false])
    const { pid } = first
    await first.stop()
    expect(isAlive(pid)).toBe(false)

    const second = await start()
    expect(second.created).toBe(false)
    expect([await balance(second, receiver), await height(second), second.finalBlock()]).toEqual([5n, 1, 1])
    expect(await devRpc(second.rpcUrl, 'eth_getBlockByNumber', ['0x1', false])).toEqual(block)
    await pay(second, 1n)
    expect(await balance(second, receiver)).toBe(6n)
  })

  test('behavior: gas is paid to the fee vault, also after a restart', async () => {
    const first = await start()
    await pay(first, 1n)
    const before = await balance(first, feeVault)
    await first.stop()
    const second = await start()
    await pay(second, 1n)
    expect(before).toBeGreaterThan(0n)
    expect(await balance(second, feeVault)).toBe(before * 2n)
    expect((await balance(second, treasury)) + (await balance(second, receiver)) + before * 2n).toBe(GENESIS_SUPPLY_WEI)
  })

  test('behavior: nothing of what arrives at once is left behind, also after a restart', async () => {
    const burn = async (devChain: DevChain, firstNonce: number): Promise<void> => {
      await devRpc(devChain.rpcUrl, 'anvil_impersonateAccount', [treasury])
      // Runs in a circle until its gas is gone: ten of them are more than a block of 30 million. The first nonce comes last, so
      // that all of them can be mined in one moment, after which nothing comes to mine a rest.
      const call = { from: treasury, data: '0x5b5f56', gas: `0x${(9_000_000).toString(16)}` }
      for (const place of [1, 2, 3, 4, 5, 6, 7, 8, 9, 0])
        await devRpc(devChain.rpcUrl, 'eth_sendTransaction', [{ ...call, nonce: `0x${(firstNonce + place).toString(16)}` }])
      const mined = async (): Promise<number> => Number(await devRpc(devChain.rpcUrl, 'eth_getTransactionCount', [treasury, 'latest']))
      await vi.waitFor(async () => expect(await mined()).toBe(firstNonce + 10), { timeout: 20_000, interval: 20 })
    }
    const first = await start()
    await burn(first, 0)
    await first.stop()
    await burn(await start(), 10)
  })

  test('behavior: blocks get final by themselves, and an idle chain is not written', async () => {
    const devChain = await start()
    await pay(devChain, 1n)
    await vi.waitFor(() => expect(devChain.finalBlock()).toBe(1), { timeout: 10_000, interval: 20 })
    const written = (await stat(stateFile)).mtimeMs
    await vi.waitFor(async () => expect(Date.now() - written).toBeGreaterThan(700), { timeout: 5_000, interval: 50 })
    expect((await stat(stateFile)).mtimeMs).toBe(written)
  })

  test('behavior: a chain that nobody uses tells the time all the same, and mines what comes at once', async () => {
    const devChain = await start(0, { idleBlockSeconds: 2 })
    const time = async () =>
      Number(((await devRpc(devChain.rpcUrl, 'eth_getBlockByNumber', ['latest', false])) as { timestamp: string }).timestamp) // cast: JSON-RPC's block
    const before = { height: await height(devChain), time: await time() }
    await vi.waitFor(async () => expect(await height(devChain)).toBeGreaterThan(before.height), { timeout: 20_000, interval: 50 })
    expect(await time()).toBeGreaterThan(before.time)
    await devChain.stop()
    const slow = await start(0, { idleBlockSeconds: 3_600 })
    const came = await height(slow)
    await pay(slow, 1n)
    expect(await height(slow)).toBe(came + 1)
  })

  test('behavior: a chain that is killed comes back on its port with all that was final', async () => {
    const devChain = await start()
    await pay(devChain, 7n)
    await devChain.persist()
    await pay(devChain, 100n)
    const { pid, rpcUrl } = devChain
    process.kill(pid, 'SIGKILL')
    await vi.waitFor(() => expect(devChain.pid).not.toBe(pid), { timeout: 10_000, interval: 20 })
    expect(devChain.rpcUrl).toBe(rpcUrl)
    await vi.waitFor(async () => expect(await balance(devChain, receiver)).toBe(7n), { timeout: 10_000, interval: 20 })
    expect(await height(devChain)).toBe(devChain.finalBlock())
  })

  test('behavior: a chain that comes back is never seen or saved without its state', async () => {
    const devChain = await start()
    // Much to load, so that the moment in which the new process is empty lasts.
    for (let i = 1; i <= 100; i++) {
      await devRpc(devChain.rpcUrl, 'anvil_setCode', [`0x${i.toString(16).padStart(40, '0')}`, `0x${randomBytes(20_000).toString('hex')}`])
    }
    await pay(devChain, 7n)
    await devChain.persist()
    for (let round = 1; round <= 3; round++) {
      const { pid } = devChain
      process.kill(pid, 'SIGKILL')
      // Asked for a snapshot as soon as the new process answers; the next kill comes before another could be taken.
      let asked: Promise<unknown> | null = null
      while (devChain.pid === pid) {
        const seen = await height(devChain).catch(() => null)
        expect(seen, `round ${round}: an empty chain was seen`).not.toBe(0)
        if (seen !== null) asked ??= devChain.persist().catch(() => null)
        await new Promise(resolve => setTimeout(resolve, 1))
      }
      await asked
      expect(await balance(devChain, receiver), `round ${round}`).toBe(7n)
    }
  })

  test('behavior: one that keeps dying is given up, and that is said', async () => {
    const devChain = await start()
    const reasons: string[] = []
    devChain.onExit(reason => reasons.push(reason))
    let lastPid = 0
    await vi.waitFor(
      () => {
        if (devChain.pid !== lastPid && isAlive(devChain.pid)) {
          lastPid = devChain.pid
          process.kill(lastPid, 'SIGKILL')
        }
        expect(reasons).toHaveLength(1)
      },
      { timeout: 20_000, interval: 10 },
    )
    expect(reasons[0]).toMatch(/died 6 times within a minute/)
  })

  test('behavior: a taken port is replaced', async () => {
    const squatter = createServer().listen(0, '127.0.0.1')
    await once(squatter, 'listening')
    const address = squatter.address()
    const taken = typeof address === 'object' && address ? address.port : 0
    const devChain = await start(taken)
    squatter.close()
    expect(devChain.port).not.toBe(taken)
    expect(await height(devChain)).toBe(0)
  })

  test('behavior: a kill in the middle of a snapshot leaves the snapshot before', async () => {
    const first = await start()
    await pay(first, 3n)
    await first.stop()
    const whole = await readFile(stateFile)
    await writeFile(`${stateFile}.partial`, whole.subarray(0, whole.length / 2))
    const second = await start()
    expect(await balance(second, receiver)).toBe(3n)
  })
})

describe('startDevChain: a damaged state', () => {
  beforeEach(async () => {
    const devChain = await start()
    await pay(devChain, 3n)
    await devChain.persist()
    await pay(devChain, 4n)
    await devChain.stop()
  })

  test('error: a truncated file is refused with the way out, which works', async () => {
    await truncate(stateFile, (await stat(stateFile)).size - 1_000)
    const failure = await startFailure()
    expect(failure.code).toBe('CHAIN_STATE_CORRUPT')
    expect(failure.message).toContain(`mv "${stateFile}.previous" "${stateFile}"`)

    await rename(`${stateFile}.previous`, stateFile)
    expect(await balance(await start(), receiver)).toBe(3n)
  })

  test('error: one flipped bit is noticed', async () => {
    const file = await open(stateFile, 'r+')
    const byte = Buffer.alloc(1)
    await file.read(byte, 0, 1, 500)
    await file.write(Buffer.from([byte[0]! ^ 1]), 0, 1, 500)
    await file.close()
    expect((await startFailure()).code).toBe('CHAIN_STATE_CORRUPT')
  })

  test('error: a file that vanished is not replaced by an empty chain', async () => {
    await rm(stateFile)
    const failure = await startFailure()
    expect(failure).toMatchObject({ code: 'CHAIN_STATE_CORRUPT', message: expect.stringMatching(/is missing/) })
  })

  test('error: with both copies damaged the message does not offer one', async () => {
    await truncate(stateFile, 10)
    await copyFile(stateFile, `${stateFile}.previous`)
    const failure = await startFailure()
    expect(failure.code).toBe('CHAIN_STATE_CORRUPT')
    expect(failure.message).not.toContain('mv ')
    expect(failure.message).toContain('delete the whole folder')
  })
})
