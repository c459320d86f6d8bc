import { useLive } from '../api.ts'
import { Badge, Hash, Rows } from '../components/parts.tsx'
import type { Proposal } from '../economy-api.ts'
import { chainDate, heu } from '../format.ts'

const votes = (wei: string): string => heu(wei).replace(' HEU', '')

/** Votes against do not count to it. */
function Quorum({ proposal }: { proposal: Proposal }) {
  const counted = Number(proposal.votes.for) + Number(proposal.votes.abstain)
  const missing = Number(proposal.quorum) - counted
  return (
    <>
      <meter min={0} max={Number(proposal.quorum)} value={counted} aria-label="votes that count to the quorum" />
      <div className="small dim">{missing > 0 ? `${votes(String(missing))} of ${votes(proposal.quorum)} missing` : 'reached'}</div>
    </>
  )
}

export function Governance() {
  const query = useLive<{ data: Proposal[] }>('/api/proposals', 3000)
  const proposals = query.data?.data ?? []
  return (
    <>
      <h1>Governance</h1>
      <p className="dim">
        Every parameter belongs to a timelock that only passed proposals move. One vote is one wrapped HEU or one stHEU, delegated.{' '}
        <code>heurist gov propose</code>
      </p>
      <section className="card">
        <Rows
          query={query}
          empty={proposals.length === 0 ? 'No proposals yet. Make one with: heurist gov propose' : null}
          head={['Proposal', 'State', 'For', 'Against', 'Abstain', 'Quorum', 'Vote ends', 'Calls']}
        >
          {proposals.toReversed().map(proposal => (
            <tr key={proposal.id}>
              <td>
                {proposal.description.split('\n')[0]}
                <div className="small dim">
                  by <Hash value={proposal.proposer} />
                </div>
              </td>
              <td>
                <Badge state={proposal.state} />
              </td>
              <td>{votes(proposal.votes.for)}</td>
              <td>{votes(proposal.votes.against)}</td>
              <td>{votes(proposal.votes.abstain)}</td>
              <td>
                <Quorum proposal={proposal} />
              </td>
              <td>{chainDate(proposal.voteEndsAt)}</td>
              <td className="small">
                {proposal.calls.map(({ target, contract, call, args }) => (
                  <div key={`${target}${call}`}>
                    {contract ?? target}.{call ?? 'payment'}(
                    {args.map(argument => (typeof argument === 'object' ? JSON.stringify(argument) : String(argument))).join(', ')})
                  </div>
                ))}
              </td>
            </tr>
          ))}
        </Rows>
      </section>
    </>
  )
}
