import { useState } from 'react'
import { type Asset, type Credits, type Status, useLive } from '../api.ts'
import { Hash, Rows, Stat } from '../components/parts.tsx'
import type { Claimable, Earnings, Stake } from '../economy-api.ts'
import { amount, chainDate, duration, heu, short } from '../format.ts'

export function EarningsPage() {
  const mine = useLive<Credits>('/api/credits', 10_000)
  const [typed, type] = useState('')
  const isAddress = /^0x[0-9a-fA-F]{40}$/.test(typed.trim())
  const account = isAddress ? typed.trim() : mine.data?.account
  return (
    <>
      <h1>My earnings</h1>
      <div className="controls">
        <label>
          Account
          <input
            value={typed}
            onChange={event => type(event.target.value)}
            placeholder={mine.data?.account ?? '0x…'}
            size={46}
            aria-invalid={typed.trim() !== '' && !isAddress}
          />
        </label>
      </div>
      {account ? <Account account={account} /> : <p className="dim">Give an account, or an API key.</p>}
    </>
  )
}

function Account({ account }: { account: string }) {
  const earnings = useLive<Earnings>(`/api/accounts/${account}/earnings`, 3000)
  const stake = useLive<Stake>(`/api/accounts/${account}/stake`, 3000)
  const status = useLive<Status>('/api/status', 10_000)
  const assets = status.data?.assets ?? []
  const claimable = earnings.data?.claimable ?? []
  return (
    <>
      {stake.data && (
        <div className="stats">
          <Stat name="Staked" value={heu(stake.data.assets)} detail={`${heu(stake.data.shares).replace('HEU', 'stHEU')}`} />
          <Stat name="Matured exits" value={heu(stake.data.claimableAssets)} detail={exitsText(stake.data.exits.length)} />
          {earnings.data?.waiting.map(({ asset, amount: waiting }) => (
            <Stat key={asset} name="In the challenge window" value={amount(waiting, asset, assets)} />
          ))}
          {earnings.data?.frozen.map(({ asset, amount: frozen }) => (
            <Stat key={`frozen ${asset}`} name="Kept" value={amount(frozen, asset, assets)} detail="while a node of yours is jailed" />
          ))}
        </div>
      )}
      <section className="card">
        <h2>Claimable now</h2>
        <Rows query={earnings} empty={claimable.length === 0 ? 'Nothing just now.' : null} head={['What', 'Amount']}>
          {claimable.map(item => (
            <tr key={titleOf(item)}>
              <td>{titleOf(item)}</td>
              <td>{amountOf(item, assets)}</td>
            </tr>
          ))}
        </Rows>
        <p className="dim small">
          Get it with <code>heurist claim</code> where the key of <Hash value={account} /> lies.
        </p>
      </section>
      {stake.data && stake.data.exits.length > 0 && <Exits stake={stake.data} />}
    </>
  )
}

function exitsText(count: number): string {
  return count === 1 ? '1 exit in all' : `${count} exits in all`
}

function Exits({ stake }: { stake: Stake }) {
  return (
    <section className="card">
      <h2>Exits</h2>
      <Rows query={{ isPending: false, error: null }} empty={null} head={['Amount', 'Claimable from', 'In']}>
        {stake.exits.map(({ index, claimableAt, assets }) => (
          <tr key={index}>
            <td>{heu(assets)}</td>
            <td>{chainDate(claimableAt)}</td>
            <td>{claimableAt <= stake.now ? 'matured' : duration(claimableAt - stake.now)}</td>
          </tr>
        ))}
      </Rows>
    </section>
  )
}

function titleOf(item: Claimable): string {
  switch (item.kind) {
    case 'settlement':
      return `Jobs, settled in ${short(item.asset)}`
    case 'emission':
      return `Emission of node ${item.registryId} in epoch ${item.epoch}`
    case 'voters':
      return `Votes for ${item.gauge} ${item.gauge === 'node' ? BigInt(item.id ?? 0) : short(item.id)}, epochs ${item.epochs?.join(', ')}`
    case 'vesting':
      return `Vesting: ${item.name}`
    case 'grant':
      return `Grant ${item.grantId}`
    case 'exit':
      return 'Matured exits from stHEU'
  }
}

function amountOf({ asset, amount: value }: Claimable, assets: readonly Asset[]): string {
  return asset ? amount(value, asset, assets) : heu(value)
}
