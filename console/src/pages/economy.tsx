import { useLive } from '../api.ts'
import { EmissionChart } from '../components/emission-chart.tsx'
import { Hash, Rows, Stat } from '../components/parts.tsx'
import { TenYearsChart } from '../components/ten-years-chart.tsx'
import type { BuybackEvent, Curve, Economy as EconomyData } from '../economy-api.ts'
import { chainDate, duration, heu, share, usd } from '../format.ts'

const SOURCES: Record<string, string> = { buyback: 'Buybacks', sequencerFees: 'Sequencer fees', reservoir: 'Compute reservoir' }

export function Economy() {
  const query = useLive<EconomyData>('/api/economy', 3000)
  return (
    <>
      <h1>Economy</h1>
      {query.error && (
        <p className="problem" role="alert">
          {query.error.message}
        </p>
      )}
      {query.isPending && <p className="dim">Loading …</p>}
      {query.data && <Figures economy={query.data} />}
    </>
  )
}

function Figures({ economy }: { economy: EconomyData }) {
  const { epoch, history, stake } = economy
  const { emission } = epoch
  const present = { epoch: epoch.epoch, ...emission, emitted: '0', toReservoir: '0' }
  return (
    <>
      <div className="stats three">
        <Stat name="Supply" value={heu(economy.supply)} detail="fixed" />
        <Stat name="Emission vault" value={heu(economy.emissionVault)} detail="drains to zero in 520 epochs" />
        <Stat name="Vesting" value={heu(economy.vesting)} />
        <Stat name="Compute reservoir" value={heu(economy.reservoir)} />
        <Stat name="Staked" value={heu(economy.staked)} detail={`${heu(economy.exiting)} on the way out`} />
        <Stat
          name="stHEU rate"
          value={(Number(stake.rateWad) / 1e18).toFixed(6)}
          detail={
            stake.unstreamed === '0' ? 'no rewards on the way' : `${heu(stake.unstreamed)} stream in until ${chainDate(stake.streamEndsAt)}`
          }
        />
      </div>
      <div className="cards wide">
        <section className="card">
          <h2>Epoch {epoch.epoch}</h2>
          <p className="dim">
            {epoch.secondsLeft > 0 ? `${duration(epoch.secondsLeft)} left` : epoch.phase} ·{' '}
            {emission.isFixed ? 'fixed on chain' : 'if it ended now'}
          </p>
          <EmissionSplit emission={emission} />
        </section>
        <section className="card">
          <h2>E = min(5 %, 1.25 % + 0.5 R)</h2>
          <EmissionChart history={history} present={present} />
          <p className="dim small">
            The line is the rule of wp §3.4.4, the dots are epochs of this chain: now {share(emission.emissionRateWad)} at{' '}
            {share(emission.revenueRateWad)} revenue.
          </p>
        </section>
      </div>
      <TenYears history={history} present={present} />
      <Rewards stake={stake} />
      <Buybacks />
      <History history={history} />
    </>
  )
}

function EmissionSplit({ emission }: { emission: EconomyData['epoch']['emission'] }) {
  const parts = [
    ['Nodes, base', emission.base],
    ['Nodes, dynamic', emission.dynamic],
    ['Reservoir', emission.reservoir],
  ] as const
  return (
    <table>
      <tbody>
        {parts.map(([name, amount]) => (
          <tr key={name}>
            <td>{name}</td>
            <td>{heu(amount)}</td>
            <td>
              <meter min={0} max={Number(emission.budget)} value={Number(amount)} aria-label={name} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Rewards({ stake }: { stake: EconomyData['stake'] }) {
  return (
    <section className="card">
      <h2>What stakers got</h2>
      <table>
        <tbody>
          {stake.rewarded.map(({ source, amount }) => (
            <tr key={source}>
              <td>{SOURCES[source] ?? source}</td>
              <td>{heu(amount)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

/** The model's curves hardly ever change: asked for once an hour. */
const HOUR_MS = 3_600_000

function TenYears({ history, present }: { history: EconomyData['history']; present: EconomyData['history'][number] }) {
  const curves = useLive<{ data: Curve[] }>('/api/economy/figure-9', HOUR_MS)
  return (
    <section className="card">
      <h2>Figure 9: ten years</h2>
      {curves.error && (
        <p className="problem" role="alert">
          {curves.error.message}
        </p>
      )}
      {curves.isPending && <p className="dim">Loading …</p>}
      {curves.data && <TenYearsChart curves={curves.data.data} history={history} present={present} />}
      <p className="dim small">
        Emission (full) and revenue (dashed), shares of the supply a year, in three scenarios of ours: the paper's figure has no numbers.
        The dots are epochs of this chain.
      </p>
    </section>
  )
}

function Buybacks() {
  const query = useLive<{ data: BuybackEvent[] }>('/api/economy/buybacks', 3000)
  const buybacks = query.data?.data ?? []
  return (
    <section className="card">
      <h2>Buybacks</h2>
      <Rows
        query={query}
        empty={buybacks.length === 0 ? 'None yet. Money of jobs gets here after the challenge window: heurist buyback show' : null}
        head={['When', 'Epoch', 'Sold', 'HEU to stakers', 'Transaction']}
      >
        {buybacks.map(({ transactionHash, at, epoch, spentUsd, givenHeu }) => (
          <tr key={transactionHash}>
            <td>{chainDate(at)}</td>
            <td>{epoch}</td>
            <td>{spentUsd === '0' ? 'paid in HEU' : usd(spentUsd)}</td>
            <td>{heu(givenHeu)}</td>
            <td>
              <Hash value={transactionHash} />
            </td>
          </tr>
        ))}
      </Rows>
    </section>
  )
}

function History({ history }: { history: EconomyData['history'] }) {
  return (
    <section className="card">
      <h2>Epochs that ended</h2>
      <Rows
        query={{ isPending: false, error: null }}
        empty={history.length === 0 ? 'No epoch has ended yet. On a dev chain: heurist dev warp 7d' : null}
        head={['Epoch', 'Revenue a year', 'Emission a year', 'To nodes', 'To the reservoir']}
      >
        {history.toReversed().map(point => (
          <tr key={point.epoch}>
            <td>{point.epoch}</td>
            <td>{share(point.revenueRateWad)}</td>
            <td>{share(point.emissionRateWad)}</td>
            <td>{heu(point.emitted)}</td>
            <td>{heu(point.toReservoir)}</td>
          </tr>
        ))}
      </Rows>
    </section>
  )
}
