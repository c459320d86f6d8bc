import type { Command } from 'commander'
import { callFromText, descriptionHash, type Proposal, readProposals } from '#platform/chain'
import { HeuristError, jsonText, maxOf } from '#protocol'
import { heuText as heu, parseHeu, sending } from './amounts.ts'
import type { CliErrorCode } from './client.ts'
import { type Attach, type Context, usageError } from './commands.ts'
import { EXIT, short, table, time } from './output.ts'
import { type Options, type OwnAccount, openOwnAccount, transact, transactAll } from './transact.ts'

const SUPPORT = { against: 0, for: 1, abstain: 2 } as const

/** Votes that the quorum still needs: those against do not count to it. */
function missingOf({ votes, quorum }: Pick<Proposal, 'votes' | 'quorum'>): bigint {
  return maxOf(quorum - votes.for - votes.abstain, 0n)
}

function quorumText(proposal: Proposal): string {
  const missing = missingOf(proposal)
  const found = missing > 0n ? `${heu(missing)} are missing` : 'reached'
  return `quorum: ${heu(proposal.quorum)} votes that are for it or abstain; ${found}`
}

function proposalTable(proposals: readonly Proposal[]): string {
  return table(
    ['proposal', 'state', 'for', 'against', 'abstain', 'quorum', 'vote ends (UTC)', 'what'],
    proposals.map(({ id, state, votes, quorum, voteEndsAt, description }) => [
      short(String(id)),
      state,
      heu(votes.for),
      heu(votes.against),
      heu(votes.abstain),
      missingOf({ votes, quorum }) > 0n ? heu(quorum) : 'reached',
      time(voteEndsAt * 1000),
      description.split('\n')[0],
    ]),
  )
}

/** An argument as it was typed: a struct or a list as JSON. */
function argumentText(value: unknown): string {
  if (typeof value !== 'object') return String(value)
  return jsonText(value)
}

function proposalText(proposal: Proposal): string {
  const calls = proposal.calls.map(({ contract, target, call, args, valueWei, data }) => {
    const value = valueWei > 0n ? ` with ${heu(valueWei)} HEU` : ''
    return `  ${contract ?? target}.${call ?? (data === '0x' ? 'payment' : `unknown ${data.slice(0, 10)}`)}(${args.map(argumentText).join(', ')})${value}`
  })
  return [
    `proposal ${proposal.id} by ${proposal.proposer}`,
    proposal.description,
    '',
    ...calls,
    '',
    proposalTable([proposal]),
    quorumText(proposal),
    ...(proposal.executableAt > 0 ? [`can be executed from ${time(proposal.executableAt * 1000)} UTC on`] : []),
  ].join('\n')
}

/** A proposal by its id, or by the beginning that the list shows. */
async function proposalOf({ rpcUrl, facts }: OwnAccount, id: string): Promise<Proposal> {
  const beginning = id.split('…')[0] ?? id
  const found = (await readProposals({ rpcUrl, contracts: facts.contracts })).filter(proposal => String(proposal.id).startsWith(beginning))
  if (found.length === 1 && found[0] && beginning !== '') return found[0]
  const why = found.length === 0 ? 'There is no proposal' : 'Several proposals begin with'
  throw new HeuristError<CliErrorCode>('CLI_NOT_FOUND', `${why} ${id}. See them with: heurist gov list`)
}

async function propose(context: Context, args: readonly string[], options: Options): Promise<number> {
  const [contract = '', call = '', ...values] = args
  const account = await openOwnAccount(context, options)
  const { to, data } = callFromText(account.chain, { contract, call, values })
  const description = String(options.description ?? `${contract}.${call}(${values.join(', ')})`)
  const parts = [[to], [parseHeu(String(options.value ?? '0'), 0n)], [data]] as const
  const id = await account.chain.read('HeuristGovernor', 'hashProposal', [...parts, descriptionHash(description)])
  const plan = {
    title: `propose ${description}`,
    call: { contract: 'HeuristGovernor', call: 'propose', args: [...parts, description] },
    changes: [{ what: 'proposal', now: 'none', after: String(id) }],
  } as const
  await transact(context, account, plan, options)
  return EXIT.ok
}

async function vote(context: Context, [id = '', choice = '']: readonly string[], options: Options): Promise<number> {
  if (!Object.hasOwn(SUPPORT, choice)) throw usageError(`Vote for, against or abstain, not "${choice}".`)
  const account = await openOwnAccount(context, options)
  const proposal = await proposalOf(account, id)
  const support = SUPPORT[choice as keyof typeof SUPPORT] // cast: just checked
  const weight = await account.chain.read('VotingPower', 'getVotes', [account.signer.address])
  const before = proposal.votes[choice as keyof typeof SUPPORT] // cast: just checked
  const plan = {
    title: `vote ${choice} ${short(String(proposal.id))}: ${proposal.description}`,
    call: { contract: 'HeuristGovernor', call: 'castVote', args: [proposal.id, support] },
    changes: [
      { what: `votes ${choice}`, now: heu(before), after: `${heu(before)} + what the account had at the snapshot (now ${heu(weight)})` },
    ],
  } as const
  await transact(context, account, plan, options)
  return EXIT.ok
}

/** `queue` and `execute` repeat the proposal's content, as the governor keeps only its hash. */
async function advance(
  context: Context,
  { id, call, after }: { id: string; call: 'queue' | 'execute'; after: string },
  options: Options,
): Promise<number> {
  const account = await openOwnAccount(context, options)
  const proposal = await proposalOf(account, id)
  const { calls, description } = proposal
  const parts = [calls.map(({ target }) => target), calls.map(({ valueWei }) => valueWei), calls.map(({ data }) => data)] as const
  const plan = {
    title: `${call} ${short(String(proposal.id))}: ${description}`,
    call: { contract: 'HeuristGovernor', call, args: [...parts, descriptionHash(description)] },
    changes: [{ what: 'state', now: proposal.state, after }],
  } as const
  await transact(context, account, plan, options)
  return EXIT.ok
}

/** Wraps HEU and lets the account vote with it itself. */
async function enrol(context: Context, [amount = '']: readonly string[], options: Options): Promise<number> {
  const account = await openOwnAccount(context, options)
  const { chain, signer } = account
  const wei = parseHeu(amount, 0n)
  const held = await chain.tokenBalance(signer.address, chain.contracts.WrappedHeu)
  const wrap = {
    title: `wrap ${amount} HEU`,
    call: { contract: 'WrappedHeu', call: 'deposit', args: [], valueWei: wei },
    changes: [{ what: 'wrapped HEU', now: heu(held), after: heu(held + wei) }],
  } as const
  const delegation = {
    title: 'vote with it',
    call: { contract: 'WrappedHeu', call: 'delegate', args: [signer.address] },
    changes: [{ what: 'delegate', now: await chain.read('WrappedHeu', 'delegates', [signer.address]), after: signer.address }],
  } as const
  await transactAll(context, account, wei > 0n ? [wrap, delegation] : [delegation], options)
  return EXIT.ok
}

/** `heurist gov`: proposals over every parameter and the treasury. */
export function governanceCommands(gov: Command, attach: Attach): void {
  attach(gov.command('list').description('List proposals, oldest first'), async context => {
    const { rpcUrl, facts } = await openOwnAccount(context)
    const proposals = await readProposals({ rpcUrl, contracts: facts.contracts })
    context.output.answer(proposals, () => proposalTable(proposals))
    return EXIT.ok
  })
  attach(gov.command('show <id>').description('Show a proposal: what it calls, votes, times'), async (context, [id = '']) => {
    const proposal = await proposalOf(await openOwnAccount(context), id)
    context.output.answer(proposal, () => proposalText(proposal))
    return EXIT.ok
  })
  attach(sending(gov.command('enrol <heu>').description('Wrap HEU and vote with it; 0 only lets what is wrapped vote')), enrol)
  const proposing = gov
    .command('propose <contract> <function> [values...]')
    .description(
      'Propose one call by the timelock, for example: propose JobSettlement setChallengeWindow 120. Structs and lists are JSON in quotes',
    )
    .option('--description <text>', 'why; default: the call itself')
    .option('--value <heu>', 'HEU of the treasury that goes along')
  attach(sending(proposing), propose)
  attach(sending(gov.command('vote <id> <choice>').description('Vote for, against or abstain')), vote)
  attach(sending(gov.command('queue <id>').description('Queue a proposal that succeeded')), (context, [id = ''], options) =>
    advance(context, { id, call: 'queue', after: 'queued' }, options),
  )
  attach(sending(gov.command('execute <id>').description('Execute a queued proposal after its delay')), (context, [id = ''], options) =>
    advance(context, { id, call: 'execute', after: 'executed' }, options),
  )
}
