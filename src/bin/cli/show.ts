import pc from 'picocolors'
import type { JobView, NodeView } from '#protocol'
import { short, table, time } from './output.ts'

/** JSON forms as the control API sends them: bigints are decimal strings. */
export type JsonOf<T> = T extends bigint
  ? string
  : T extends string | number | boolean | null | undefined
    ? T
    : { [K in keyof T]: JsonOf<T[K]> }
export type JobAnswer = JsonOf<JobView> & {
  readonly decisions: readonly DecisionAnswer[]
  readonly receipt: {
    readonly digest: string
    readonly split: readonly { role: string; account: string; amount: string }[]
    readonly batchNumber: number | null
    readonly signed: unknown
  } | null
  readonly discard: { readonly discard: { reason: string }; readonly routerSignature: string; readonly router: string } | null
  readonly batch: {
    number: number
    state: string
    receiptsRoot: string
    transactionHash: string | null
    blockNumber: number | null
    jobCount: number
  } | null
  readonly proof: readonly string[] | null
}
type DecisionAnswer = {
  readonly record: {
    attempt: number
    chosen: string | null
    hosts: number
    eligible: number
  }
  readonly candidates: readonly { nodeId: string; refused: readonly string[]; keys: Record<string, number> }[]
}
export type AssetAnswer = { readonly address: string; readonly symbol: string; readonly decimals: number }

const stateColor: Record<string, (text: string) => string> = { succeeded: pc.green, failed: pc.red, cancelled: pc.yellow }

export function colorState(state: string): string {
  return (stateColor[state] ?? pc.cyan)(state)
}

export function amountText(amount: string | null, asset: string, assets: readonly AssetAnswer[]): string {
  const known = assets.find(({ address }) => address === asset)
  if (amount === null) return '-'
  if (!known) return `${amount} of ${short(asset)}`
  const padded = amount.padStart(known.decimals + 1, '0')
  const fraction = padded.slice(-known.decimals).replace(/0+$/, '')
  return `${padded.slice(0, -known.decimals)}${fraction && `.${fraction}`} ${known.symbol}`
}

export function jobTable(jobs: readonly JsonOf<JobView>[], assets: readonly AssetAnswer[]): string {
  return table(
    ['job', 'state', 'model', 'node', 'units in/out', 'price', 'started'],
    jobs.map(job => [
      job.jobId,
      colorState(job.state),
      job.model,
      short(job.nodeId),
      job.units ? `${job.units.inputUnits}/${job.units.outputUnits}` : '-',
      amountText(job.price, job.asset, assets),
      time(job.createdAtMs),
    ]),
  )
}

/** One job with its timeline, candidates, split and transaction. */
export function jobText(job: JobAnswer, assets: readonly AssetAnswer[]): string {
  const start = job.timeline[0]?.atMs ?? job.createdAtMs
  const lines = [
    `${pc.bold(job.jobId)}  ${colorState(job.state)}  ${job.model}`,
    job.errorMessage ? `${pc.red(job.errorCode ?? '')} ${job.errorMessage}` : '',
    '',
    pc.bold('Timeline'),
    ...job.timeline.map(event => `  ${`+${event.atMs - start} ms`.padStart(10)}  ${event.step.padEnd(12)} ${detailText(event.detail)}`),
    ...job.decisions.flatMap(decisionLines),
    ...receiptLines(job, assets),
  ]
  return lines.filter((line, index) => line !== '' || lines[index - 1] !== '').join('\n')
}

function detailText(detail: Readonly<Record<string, unknown>>): string {
  return pc.dim(
    Object.entries(detail)
      .map(([key, value]) => `${key}=${typeof value === 'object' ? JSON.stringify(value) : value}`)
      .join(' '),
  )
}

function decisionLines({ record, candidates }: DecisionAnswer): string[] {
  const rows = candidates.map(candidate => {
    const chosen = candidate.nodeId === record.chosen ? pc.green('chosen') : ''
    const why =
      candidate.refused.length > 0
        ? `refused: ${candidate.refused.join('; ')}`
        : Object.entries(candidate.keys)
            .map(([key, value]) => `${key}=${value}`)
            .join(' ')
    return `  ${short(candidate.nodeId)}  ${why} ${chosen}`
  })
  const others = record.hosts > candidates.length ? [pc.dim(`  … ${record.hosts - candidates.length} more hosts`)] : []
  const title = `Decision of attempt ${record.attempt}: ${record.eligible} of ${record.hosts} hosts could take it`
  return ['', pc.bold(title), ...rows, ...others]
}

function receiptLines(job: JobAnswer, assets: readonly AssetAnswer[]): string[] {
  if (job.discard)
    return [
      '',
      pc.bold('Discard receipt'),
      `  ${job.discard.discard.reason}: nothing was charged, no transaction. Signed by ${short(job.discard.router)}`,
    ]
  if (!job.receipt) return []
  const batch = job.batch
    ? `batch ${job.batch.number} (${job.batch.state}), transaction ${job.batch.transactionHash ?? 'pending'}`
    : 'waits for the next batch'
  return [
    '',
    pc.bold('Receipt'),
    `  ${amountText(job.price, job.asset, assets)}  ${batch}`,
    ...job.receipt.split.map(
      share => `  ${share.role.padEnd(9)} ${amountText(share.amount, job.asset, assets).padStart(18)}  ${short(share.account)}`,
    ),
  ]
}

export function nodeTable(nodes: readonly JsonOf<NodeView>[]): string {
  return table(
    ['node', 'name', 'online', 'devices', 'pods', 'busy', 'uptime', 'collateral HEU'],
    nodes.map(node => [
      node.nodeId,
      node.name,
      node.jailed ? pc.red('jailed') : node.online ? pc.green('yes') : pc.dim('no'),
      node.facts?.devices.map(device => `${device.name}${device.shareBps < 10_000 ? ` (${device.shareBps / 100} %)` : ''}`).join(', '),
      node.facts?.replicas.map(({ state }) => state).join(', '),
      node.busySlots,
      `${(node.uptimeBps / 100).toFixed(1)} %`,
      (Number(node.collateral) / 1e18).toString(),
    ]),
  )
}
