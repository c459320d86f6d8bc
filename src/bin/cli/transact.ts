import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { openKey } from '#compute'
import { type Chain, type ContractCall, createLogger, type Signer, systemClock } from '#platform'
import { createRpcChain } from '#platform/chain'
import type { Address } from '#protocol'
import { type Home, loadSigner, openHome } from '../home.ts'
import { type NetworkFacts, readNetworkFacts } from '../network/facts.ts'
import { type Context, usageError } from './commands.ts'
import { table } from './output.ts'

/** An account of this home, on the chain of the network. */
export type OwnAccount = { readonly chain: Chain; readonly signer: Signer; readonly facts: NetworkFacts; readonly rpcUrl: string }
export type Options = Readonly<Record<string, unknown>>

/** The developer's account, or that of `--as`: the owner of a node of this machine, or another role of this home. */
export async function openOwnAccount({ config }: Pick<Context, 'config'>, { as }: Options = {}): Promise<OwnAccount> {
  const home = openHome(config.home)
  const signer = as === undefined ? loadSigner(home, 'developer') : keyOf(home, String(as))
  const facts = await readNetworkFacts(config)
  const rpcUrl = config.chainRpcUrl || facts.rpcUrl
  const logger = createLogger({ level: 'error', role: 'cli' })
  const chain = createRpcChain({ rpcUrl, chainId: facts.chainId, contracts: facts.contracts }, { clock: systemClock, logger })
  return { chain, signer, facts, rpcUrl }
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$/

function ownerFile(home: Home, node: string): string {
  return join(home.nodes, node, 'owner.json')
}

function keyOf(home: Home, name: string): Signer {
  const paths = NAME.test(name) ? [ownerFile(home, name), join(home.keys, `${name}.json`)] : []
  const path = paths.find(existsSync)
  if (path) return openKey(path).signer
  const known = [...namesIn(home.keys, /^(.+)\.json$/), ...namesIn(home.nodes, /^(.+)$/).filter(node => existsSync(ownerFile(home, node)))]
  throw usageError(`No account is called "${name}" here. Known: ${known.join(', ')}.`)
}

function namesIn(folder: string, pattern: RegExp): string[] {
  return readdirSync(folder).flatMap(file => pattern.exec(file)?.[1] ?? [])
}

/** The name under which this machine keeps the key of a node's owner; undefined when it does not. */
export function localOwner({ config }: Pick<Context, 'config'>, owner: Address): string | undefined {
  const home = openHome(config.home)
  return namesIn(home.nodes, /^(.+)$/).find(
    node => existsSync(ownerFile(home, node)) && openKey(ownerFile(home, node)).signer.address === owner,
  )
}

/** What a command will do: the call, and what it changes as a person reads it. */
export type Plan = {
  readonly title: string
  readonly call: ContractCall
  readonly changes: readonly { readonly what: string; readonly now: string; readonly after: string }[]
  /** It works only after the plan before it: a dry run can not try it. */
  readonly needsPrevious?: boolean
}

type Sent = {
  readonly title: string
  readonly contract: string
  readonly call: string
  readonly args: readonly unknown[]
  readonly changes: Plan['changes']
  readonly transactionHash: string | null
}

async function run({ chain, signer }: Pick<OwnAccount, 'chain' | 'signer'>, plan: Plan, dryRun: boolean): Promise<Sent> {
  const { title, call, changes } = plan
  if (!(dryRun && plan.needsPrevious)) await chain.simulate(signer.address, call)
  const receipt = dryRun ? null : await chain.write(signer, call)
  const { contract, call: name, args } = call
  return { title, contract, call: name, args, changes, transactionHash: receipt?.transactionHash ?? null }
}

function sentText({ title, changes, transactionHash }: Sent): string {
  const rows = changes.map(({ what, now, after }) => [what, now, after])
  const ending = transactionHash ? `done in ${transactionHash}` : 'dry run: nothing was sent'
  return `${title}\n${rows.length > 0 ? `${table(['what', 'now', 'then'], rows)}\n` : ''}${ending}`
}

/**
 * Runs the call without sending it, so that a refusal is told in words before anything is paid; then shows what changes and sends
 * it, unless `dryRun`.
 * @throws HeuristError CHAIN_REVERTED and the other errors of Chain.send
 */
export async function transact(
  { output }: Pick<Context, 'output'>,
  account: Pick<OwnAccount, 'chain' | 'signer'>,
  plan: Plan,
  options: Options,
): Promise<void> {
  const dryRun = options.dryRun === true
  const sent = await run(account, plan, dryRun)
  output.answer({ ...sent, account: account.signer.address, dryRun }, () => sentText(sent))
}

/** Several calls, one after the other, in one answer. What was sent before a refusal stays done; the error is then thrown. */
export async function transactAll(
  { output }: Pick<Context, 'output'>,
  account: Pick<OwnAccount, 'chain' | 'signer'>,
  plans: readonly Plan[],
  options: Options,
): Promise<void> {
  const dryRun = options.dryRun === true
  const steps: Sent[] = []
  for (const plan of plans) {
    output.note(`${dryRun ? 'would' : 'now'}: ${plan.title}`)
    steps.push(await run(account, plan, dryRun))
  }
  output.answer({ account: account.signer.address, dryRun, steps }, () =>
    steps.length === 0 ? 'nothing to do' : steps.map(sentText).join('\n\n'),
  )
}
