import { HeuristError, messageOf } from '#protocol'
import { devRpc } from './dev-process.ts'
import type { ChainErrorCode } from './port.ts'

/** 100 years: more is a slip of the finger, and dates far out overflow in tools. */
export const MAX_WARP_SECONDS = 100 * 365 * 86_400

/**
 * Moves the dev chain's time on and mines a block there; it never goes back. Time then passes as before, also after a restart.
 * `before` runs once it is sure that the time can be moved.
 * @throws HeuristError CHAIN_NOT_DEV for every other chain
 * @example await warpDevChain(rpcUrl, 7 * 86_400)
 */
export async function warpDevChain(
  rpcUrl: string,
  seconds: number,
  before: () => Promise<unknown> = async () => undefined,
): Promise<{ timestampSeconds: number }> {
  if (!Number.isInteger(seconds) || seconds <= 0 || seconds > MAX_WARP_SECONDS) {
    throw new RangeError(`warp by 1 to ${MAX_WARP_SECONDS} whole seconds, not ${seconds}`)
  }
  await demandDevChain(rpcUrl)
  await before()
  await devRpc(rpcUrl, 'evm_increaseTime', [seconds])
  await devRpc(rpcUrl, 'evm_mine')
  const head = (await devRpc(rpcUrl, 'eth_getBlockByNumber', ['latest', false])) as { timestamp: string } // cast: JSON-RPC's block
  return { timestampSeconds: Number(head.timestamp) }
}

async function demandDevChain(rpcUrl: string): Promise<void> {
  const version = await devRpc(rpcUrl, 'web3_clientVersion').catch((cause: unknown) => {
    throw new HeuristError<ChainErrorCode>('CHAIN_UNAVAILABLE', `The chain at ${rpcUrl} does not answer: ${messageOf(cause)}.`, {
      retryable: true,
      cause,
    })
  })
  if (/^anvil\//i.test(String(version))) return
  throw new HeuristError<ChainErrorCode>(
    'CHAIN_NOT_DEV',
    `The chain at ${rpcUrl} is no dev chain (${String(version).slice(0, 60)}): nobody can move its time. Use a network started without CHAIN_RPC_URL.`,
  )
}
