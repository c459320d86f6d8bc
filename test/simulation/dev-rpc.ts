/**
 * A dev chain whose time we set: transactions of one moment are sent together and mined in one block with that moment's time.
 * Accounts need no keys; the dev chain believes who they say they are.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Abi, decodeFunctionResult, encodeDeployData, encodeFunctionData } from 'viem'
import { silentLogger, systemClock } from '#platform'
import { startDevChain } from '#platform/chain'
import { type Address, addressSchema, type Hex } from '#protocol'

export type Call = { readonly from: Address; readonly to: Address; readonly data: Hex; readonly value?: bigint }
type Receipt = { readonly status: Hex; readonly contractAddress: Address | null; readonly transactionHash: Hex }

const ARTIFACTS = join(import.meta.dirname, '..', '..', 'contracts', 'artifacts')
/** A block has 30 M gas: a creation may take half of it, a call a tenth. */
const CREATION_GAS = '0xe4e1c0'
const CALL_GAS = '0x2dc6c0'
export const hex = (value: bigint | number): Hex => `0x${value.toString(16)}`

export type DevRpc = {
  readonly call: (method: string, params?: readonly unknown[]) => Promise<unknown>
  /** Mines all of them in one block at `timestamp`, in their order. @throws when one fails */
  readonly mine: (timestamp: bigint, calls: readonly Call[]) => Promise<Receipt[]>
  readonly deploy: (from: Address, timestamp: bigint, name: string, abi: Abi, args: readonly unknown[], value?: bigint) => Promise<Address>
  /** Reads all at the newest block, in one request. */
  readonly read: <Value>(questions: readonly Question[]) => Promise<Value[]>
  readonly now: () => Promise<bigint>
}
export type Question = { readonly to: Address; readonly abi: Abi; readonly name: string; readonly args?: readonly unknown[] }

export const encode = (abi: Abi, functionName: string, args: readonly unknown[] = []): Hex =>
  encodeFunctionData({ abi, functionName, args })

async function openDevRpc(url: string): Promise<DevRpc> {
  const batch = async (requests: readonly { method: string; params: readonly unknown[] }[]): Promise<unknown[]> => {
    const body = JSON.stringify(requests.map((request, id) => ({ jsonrpc: '2.0', id, ...request })))
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    const answers = (await response.json()) as { id: number; result?: unknown; error?: { message: string; data?: unknown } }[] // cast: JSON-RPC's envelope
    return answers
      .sort((a, b) => a.id - b.id)
      .map(({ result, error }, index) => {
        if (error) throw new Error(`${requests[index]?.method}: ${error.message} ${JSON.stringify(error.data ?? '')}`)
        return result
      })
  }
  const call = async (method: string, params: readonly unknown[] = []): Promise<unknown> => (await batch([{ method, params }]))[0]
  const nonces = new Map<Address, bigint>()
  /** Named by us: the dev chain takes the requests of a batch in any order. */
  const nextNonce = async (from: Address): Promise<Hex> => {
    const nonce = nonces.get(from) ?? BigInt(String(await call('eth_getTransactionCount', [from, 'latest'])))
    nonces.set(from, nonce + 1n)
    return hex(nonce)
  }
  const mine: DevRpc['mine'] = async (timestamp, calls) => {
    if (calls.length === 0) return []
    const transactions: Record<string, string>[] = []
    for (const { from, to, data, value = 0n } of calls)
      transactions.push({ from, to, data, gas: CALL_GAS, gasPrice: '0x0', value: hex(value), nonce: await nextNonce(from) })
    const hashes = await batch(transactions.map(transaction => ({ method: 'eth_sendTransaction', params: [transaction] })))
    await call('evm_mine', [hex(timestamp)])
    const receipts = await batch(hashes.map(hash => ({ method: 'eth_getTransactionReceipt', params: [hash] })))
    return receipts.map((receipt, index) => checked(receipt, calls[index]))
  }
  // By itself it mines on arrival, and once an hour: neither here.
  await call('evm_setIntervalMining', [0])
  await call('anvil_autoImpersonateAccount', [true])
  return {
    call,
    mine,
    async deploy(from, timestamp, name, abi, args, value = 0n) {
      const { bytecode } = JSON.parse(readFileSync(join(ARTIFACTS, `${name}.json`), 'utf8')) as { bytecode: Hex } // cast: a generated, committed file
      const data = encodeDeployData({ abi, bytecode, args })
      const hash = await call('eth_sendTransaction', [
        { from, data, gas: CREATION_GAS, gasPrice: '0x0', value: hex(value), nonce: await nextNonce(from) },
      ])
      await call('evm_mine', [hex(timestamp)])
      const { contractAddress } = checked(await call('eth_getTransactionReceipt', [hash]), undefined, name)
      return addressSchema.parse(contractAddress)
    },
    async read<Value>(questions: readonly Question[]): Promise<Value[]> {
      const requests = questions.map(({ to, abi, name, args }) => ({
        method: 'eth_call',
        params: [{ to, data: encode(abi, name, args) }, 'latest'],
      }))
      const answers = await batch(requests)
      return answers.map((data, index) => {
        const { abi, name } = questions[index] ?? { abi: [], name: '' }
        // cast: the caller names the type of what its own ABI decodes.
        return decodeFunctionResult({ abi, functionName: name, data: data as Hex }) as Value
      })
    },
    async now() {
      const block = (await call('eth_getBlockByNumber', ['latest', false])) as { timestamp: Hex } // cast: JSON-RPC's block
      return BigInt(block.timestamp)
    },
  }
}

function checked(answer: unknown, call: Call | undefined, what = 'transaction'): Receipt {
  const receipt = answer as Receipt | null // cast: JSON-RPC's receipt
  if (receipt?.status !== '0x1') throw new Error(`${what} to ${call?.to} failed: ${call?.data.slice(0, 74)} ${JSON.stringify(receipt)}`)
  return receipt
}

/** Holds the whole supply at the start. */
export const TREASURY: Address = '0x00000000000000000000000000000000000000aa'
const FEE_VAULT: Address = '0x00000000000000000000000000000000000000fe'

/** Starts a dev chain in a folder of its own, and leaves neither behind. */
export async function withDevChain<Result>(work: (rpc: DevRpc) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'heurist-simulation-'))
  const options = { stateFile: join(folder, 'chain.state'), port: 0, treasury: TREASURY, feeVault: FEE_VAULT }
  const devChain = await startDevChain(options, { clock: systemClock, logger: silentLogger })
  try {
    return await work(await openDevRpc(devChain.rpcUrl))
  } finally {
    await devChain.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}
