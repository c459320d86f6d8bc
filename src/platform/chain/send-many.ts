import type { PublicClient } from 'viem'
import type { Bytes32 } from '#protocol'
import type { Signer } from '../signing.ts'
import { translating } from './errors.ts'
import type { ChainCall } from './port.ts'
import { feesNow, handOver, included, signTransaction, whyReverted } from './send.ts'

/** A call with its gas fixed: what it runs on may be created by a call before it, so it cannot be tried first. */
export type QueuedCall = ChainCall & { readonly gasLimit: bigint }

export type SendManyOptions = {
  readonly chainId: number
  readonly firstNonce: number
  readonly inclusionTimeoutMs: number
  /** Calls sent before the first is waited for. */
  readonly window: number
}

/**
 * Sends many calls of one signer in order without waiting for each: nonces follow each other, so that none runs before the one
 * before it. `onIncluded` is told of each in order.
 * @throws HeuristError CHAIN_REVERTED for the first call that the chain refused; later ones may have run
 */
export async function sendMany(
  client: PublicClient,
  signer: Signer,
  calls: readonly QueuedCall[],
  options: SendManyOptions,
  onIncluded: (index: number) => void | Promise<void>,
): Promise<void> {
  const fees = await translating('read the gas price', () => feesNow(client))
  for (let start = 0; start < calls.length; start += options.window) {
    const part = calls.slice(start, start + options.window)
    const raws = part.map((call, index) => {
      const content = { ...(call.to && { to: call.to }), data: call.data, value: call.valueWei ?? 0n, gas: call.gasLimit }
      const nonce = options.firstNonce + start + index
      return signTransaction(signer, { type: 'eip1559', chainId: options.chainId, nonce, ...content, ...fees })
    })
    // One after the other: handed over at once they arrive in any order, and a chain that mines on arrival can leave one behind
    // a gap in its pool, which nobody then mines.
    for (const { raw } of raws) await translating('send a transaction', () => handOver(client, raw))
    for (const [index, { hash }] of raws.entries()) {
      await awaitSuccess(client, signer, part[index] as QueuedCall, { hash, inclusionTimeoutMs: options.inclusionTimeoutMs }) // cast: same length
      await onIncluded(start + index)
    }
  }
}

async function awaitSuccess(
  client: PublicClient,
  signer: Signer,
  call: ChainCall,
  { hash, inclusionTimeoutMs }: { hash: Bytes32; inclusionTimeoutMs: number },
): Promise<void> {
  const { reverted, ...receipt } = await translating('read a transaction receipt', () => included({ client, inclusionTimeoutMs }, [hash]))
  if (reverted) throw await whyReverted(client, signer.address, call, receipt)
}
