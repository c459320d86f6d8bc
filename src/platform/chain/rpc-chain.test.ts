import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../clock.ts'
import { freePort } from '../free-port.ts'
import { silentLogger } from '../logger.ts'
import { createSigner, newPrivateKey } from '../signing.ts'
import { type ChainFixture, describeChain } from './conformance.ts'
import { deployContracts } from './deploy/index.ts'
import { devRpc, endProcess, startAnvil } from './dev-process.ts'
import { type Chain, CONTRACT_NAMES } from './port.ts'
import { createRpcChain } from './rpc-chain.ts'
import { memoryDeployments, startTestChain, testDeployOptions } from './testing/index.ts'

const dependencies = { clock: systemClock, logger: silentLogger }

describeChain('dev chain', async (): Promise<ChainFixture> => {
  const { chain, devChain, treasury, stop } = await startTestChain()
  return { chain, treasury, stop, rpc: (method, params) => devRpc(devChain.rpcUrl, method, params) }
})

describeChain('JSON-RPC server', async (): Promise<ChainFixture> => {
  const chainId = 1337
  const { child, rpcUrl } = await startAnvil({ port: await freePort(), chainId, load: null, coinbase: `0x${'00'.repeat(20)}` }, systemClock)
  const treasury = createSigner(newPrivateKey())
  await devRpc(rpcUrl, 'anvil_setBalance', [treasury.address, '0x33b2e3c9fd0803ce8000000'])
  const options = { ...testDeployOptions(rpcUrl, treasury.address, treasury.address), chainId }
  const deployed = await deployContracts(options, { logger: silentLogger, deployer: treasury, store: memoryDeployments() })
  const chain = createRpcChain({ rpcUrl, chainId, ...deployed, confirmations: 0 }, dependencies)
  return { chain, treasury, stop: () => endProcess(child), rpc: (method, params) => devRpc(rpcUrl, method, params) }
})

describe('createRpcChain: time that moves between the estimate of a call and its block', () => {
  test('behavior: a call that needs a new checkpoint by then has the gas for it', async () => {
    const { chain, devChain, treasury, stop } = await startTestChain()
    const rpc = (method: string, params: unknown[]) => devRpc(devChain.rpcUrl, method, params)
    const server = createServer((request, response) => {
      void text(request).then(async body => {
        const answer = await fetch(devChain.rpcUrl, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
        const answered = await answer.text()
        if (body.includes('eth_estimateGas')) await rpc('anvil_setBlockTimestampInterval', [5])
        response.setHeader('content-type', 'application/json').end(answered)
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const { port } = server.address() as AddressInfo // cast: it listens on TCP
      const late = createRpcChain({ ...chain, rpcUrl: `http://127.0.0.1:${port}`, confirmations: 0 }, dependencies)
      const wrap = { contract: 'WrappedHeu', call: 'deposit', args: [], valueWei: 1n } as const
      await chain.write(treasury, wrap)
      await rpc('anvil_setBlockTimestampInterval', [0])
      await chain.write(treasury, wrap)
      await expect(late.write(treasury, wrap)).resolves.toMatchObject({ gasUsed: expect.any(Number) })
    } finally {
      server.closeAllConnections()
      server.close()
      await stop()
    }
  })
})

describe('createRpcChain: a server that misbehaves', () => {
  async function against(answer: (body: { method: string; id: number }) => unknown, work: (chain: Chain) => Promise<void>): Promise<void> {
    const server = createServer((request, response) => {
      let text = ''
      request.on('data', chunk => {
        text += chunk
      })
      request.on('end', () => {
        const body = JSON.parse(text)
        const calls = Array.isArray(body) ? body : [body]
        const answers = calls.map(call => ({ jsonrpc: '2.0', id: call.id, ...(answer(call) as object) }))
        response.setHeader('content-type', 'application/json').end(JSON.stringify(Array.isArray(body) ? answers : answers[0]))
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const at = Object.fromEntries(CONTRACT_NAMES.map((name, index) => [name, `0x${String(index + 1).padStart(40, '0')}`]))
    try {
      const rpcUrl = `http://127.0.0.1:${port}`
      await work(createRpcChain({ rpcUrl, chainId: 31_337, contracts: at as Chain['contracts'], inclusionTimeoutMs: 20 }, dependencies))
    } finally {
      server.closeAllConnections()
      server.close()
    }
  }
  const signer = createSigner(newPrivateKey())
  /** Enough of a chain to sign and send. */
  const wallet: Record<string, unknown> = {
    eth_estimateGas: '0x5208',
    eth_maxPriorityFeePerGas: '0x1',
    eth_getTransactionCount: '0x0',
    eth_getBlockByNumber: { number: '0x1', hash: `0x${'11'.repeat(32)}`, timestamp: '0x1', baseFeePerGas: '0x1', transactions: [] },
    eth_getTransactionReceipt: null,
  }

  test('error: no server at all is CHAIN_UNAVAILABLE and retryable', async () => {
    let dead: Chain | null = null
    await against(
      () => ({ result: '0x1' }),
      async chain => {
        dead = chain
      },
    )
    await expect(dead!.lastBatch()).rejects.toMatchObject({ code: 'CHAIN_UNAVAILABLE', retryable: true })
  })

  test('error: another chain than configured', async () => {
    await against(
      () => ({ result: '0x1' }),
      chain =>
        expect(chain.check()).rejects.toMatchObject({
          code: 'CHAIN_MISMATCH',
          message: expect.stringMatching(/serves chain 1, not 31337/),
        }),
    )
  })

  test('error: the right chain without our contracts', async () => {
    await against(
      ({ method }) => ({ result: method === 'eth_chainId' ? '0x7a69' : '0x' }),
      chain => expect(chain.check()).rejects.toMatchObject({ code: 'CHAIN_MISMATCH', message: expect.stringMatching(/JobSettlement/) }),
    )
  })

  test('error: a gas price below the market is CHAIN_UNDERPRICED and retryable', async () => {
    await against(
      ({ method }) => (method in wallet ? { result: wallet[method] } : { error: { code: -32000, message: 'transaction underpriced' } }),
      chain =>
        expect(chain.send(signer, { to: signer.address, data: '0x' })).rejects.toMatchObject({
          code: 'CHAIN_UNDERPRICED',
          retryable: true,
        }),
    )
  })

  test('behavior: a transaction that is not mined in time is replaced at its nonce for a higher price', async () => {
    const sent: string[] = []
    await against(
      call => {
        if (call.method === 'eth_sendRawTransaction') {
          sent.push((call as unknown as { params: [string] }).params[0])
          return { result: `0x${'22'.repeat(32)}` }
        }
        return { result: wallet[call.method] }
      },
      async chain => {
        const call = { to: signer.address, data: '0x' } as const
        await expect(chain.send(signer, call)).rejects.toMatchObject({ code: 'CHAIN_TIMEOUT', retryable: true })
        await expect(chain.send(signer, call)).rejects.toMatchObject({ code: 'CHAIN_TIMEOUT' })
      },
    )
    const { parseTransaction } = await import('viem')
    const [first, second] = sent.map(raw => parseTransaction(raw as `0x02${string}`))
    expect(second?.nonce).toBe(first?.nonce)
    expect(second!.maxFeePerGas! > (first!.maxFeePerGas! * 11n) / 10n).toBe(true)
  })

  test('behavior: a server that already knows the transaction took it', async () => {
    await against(
      ({ method }) => (method in wallet ? { result: wallet[method] } : { error: { code: -32000, message: 'already known' } }),
      chain => expect(chain.send(signer, { to: signer.address, data: '0x' })).rejects.toMatchObject({ code: 'CHAIN_TIMEOUT' }),
    )
  })
})
