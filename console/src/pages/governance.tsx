import { useLive } from '../api.ts'
import { Badge, Hash, Rows } from '../components/parts.tsx'
import type { Proposal } from '../economy-api.ts'
import { chainDate, heu } from '../format.ts'

export function Governance() {
  const query = useLive<{ data: Proposal[] }>('/api/proposals', 3000)
  const proposals = query.data?.data ?? []
  return (
    <>
      <h1>Governance</h1>
      <section className="card">
        <Rows
          query={query}
          empty={proposals.length === 0 ? 'No proposals yet. Make one with: heurist gov propose' : null}
          head={['Proposal', 'State', 'For', 'Against', 'Abstain', 'Vote ends', 'Calls']}
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
              <td>{heu(proposal.votes.for)}</td>
              <td>{heu(proposal.votes.against)}</td>
              <td>{heu(proposal.votes.abstain)}</td>
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
