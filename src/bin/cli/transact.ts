import { type Chain, type ContractCall, createLogger, type Signer, systemClock } from '#platform'
import { createRpcChain } from '#platform/chain'
import { loadSigner, openHome } from '../home.ts'
import { type NetworkFacts, readNetworkFacts } from '../network/facts.ts'
import type { Context } from './commands.ts'
import { table } from './output.ts'

/** The developer's account of this home, on the chain of the network. */
export type OwnAccount = { readonly chain: Chain; readonly signer: Signer; readonly facts: NetworkFacts; readonly rpcUrl: string }

export async function openOwnAccount({ config }: Pick<Context, 'config'>): Promise<OwnAccount> {
  const facts = await readNetworkFacts(config)
  const rpcUrl = config.chainRpcUrl || facts.rpcUrl
  const logger = createLogger({ level: 'error', role: 'cli' })
  const chain = createRpcChain({ rpcUrl, chainId: facts.chainId, contracts: facts.contracts }, { clock: systemClock, logger })
  return { chain, signer: loadSigner(openHome(config.home), 'developer'), facts, rpcUrl }
}

/** What a command will do: the call, and what it changes as a person reads it. */
export type Plan = {
  readonly title: string
  readonly call: ContractCall
  readonly changes: readonly { readonly what: string; readonly now: string; readonly after: string }[]
}

/**
 * Runs the call without sending it, so that a refusal is told in words before anything is paid; then shows what changes and sends
 * it, unless `dryRun`.
 * @throws HeuristError CHAIN_REVERTED and the other errors of Chain.send
 */
export async function transact(
  { output }: Pick<Context, 'output'>,
  { chain, signer }: Pick<OwnAccount, 'chain' | 'signer'>,
  { title, call, changes }: Plan,
  options: Readonly<Record<string, unknown>>,
): Promise<void> {
  const dryRun = options.dryRun === true
  await chain.simulate(signer.address, call)
  const receipt = dryRun ? null : await chain.write(signer, call)
  const shown = table(
    ['what', 'now', 'then'],
    changes.map(({ what, now, after }) => [what, now, after]),
  )
  const ending = receipt ? `done in ${receipt.transactionHash}` : 'dry run: nothing was sent'
  const { contract, call: name, args } = call
  output.answer(
    { title, account: signer.address, contract, call: name, args, changes, dryRun, transactionHash: receipt?.transactionHash ?? null },
    () => `${title}\n${changes.length > 0 ? `${shown}\n` : ''}${ending}`,
  )
}
