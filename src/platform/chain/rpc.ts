import { createPublicClient, http, type PublicClient } from 'viem'

/** Plain JSON-RPC client: small reads of one tick travel in one HTTP request, nothing is cached. */
export function createRpcClient(options: { rpcUrl: string; timeoutMs?: number }): PublicClient {
  return createPublicClient({
    cacheTime: 0,
    transport: http(options.rpcUrl, { batch: { batchSize: 100 }, retryCount: 1, retryDelay: 100, timeout: options.timeoutMs ?? 10_000 }),
  })
}
