import { createLogger, systemClock } from '#platform'
import { type ChainReceipt, createRpcChain, deposit } from '#platform/chain'
import type { Config } from './config.ts'
import { loadSigner, openHome } from './home.ts'
import { readNetworkFacts } from './network/facts.ts'

/** The developer of this home, with key and chain: for commands that move the developer's own money. */
export async function openDeveloper(config: Config): Promise<{ deposit(symbol: string, amount: bigint): Promise<ChainReceipt> }> {
  const facts = await readNetworkFacts(config)
  const logger = createLogger({ level: 'error', role: 'cli' })
  const chain = createRpcChain(
    { rpcUrl: config.chainRpcUrl || facts.rpcUrl, chainId: facts.chainId, contracts: facts.contracts },
    { clock: systemClock, logger },
  )
  const signer = loadSigner(openHome(config.home), 'developer')
  return {
    deposit: (symbol, amount) =>
      deposit(chain, signer, { asset: symbol === 'HEU' ? facts.contracts.WrappedHeu : facts.contracts.DevUsd, amount }),
  }
}
