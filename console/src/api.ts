import { useQuery } from '@tanstack/react-query'

/** Shapes of the control API (amounts are decimal strings of atomic units). */
export type Asset = { address: string; symbol: string; decimals: number }
export type Status = {
  version: string
  chainId: number
  contracts: Record<string, string>
  assets: Asset[]
  nodes: { online: number; known: number }
  pods: number
  lastBatch: { number: number; state: string; jobCount: number } | null
  now: number
}
export type Device = {
  id: string
  kind: string
  name: string
  memoryBytes: number
  shareBps: number
  benchmark: { score: number; kernel: string } | null
}
export type Replica = { podId: string; state: string; slots: number; unitsPerSecond: number; reason?: string }
export type NodeRow = {
  nodeId: string
  owner: string | null
  name: string
  online: boolean
  jailed: boolean
  collateral: string
  uptimeBps: number
  busySlots: number
  facts: { software: string; region: string; devices: Device[]; replicas: Replica[] } | null
}
export type PodRow = {
  podId: string
  name: string
  description: string
  runtime: string
  engine: string
  version: number
  deployer: string
  manifestHash: string
  model: { id: string; quantization: string; contextLength: number }
  priceCreditsPerMillion: { input: string; output: string }
  warm: number
  loading: number
  replicas: number
  freeSlots: number
}
export type TimelineEvent = { step: string; atMs: number; detail: Record<string, unknown> }
export type JobRow = {
  jobId: string
  kind: string
  state: string
  model: string
  nodeId: string | null
  attempts: number
  asset: string
  price: string | null
  units: { inputUnits: number; outputUnits: number } | null
  errorCode: string | null
  errorMessage: string | null
  createdAtMs: number
  finishedAtMs: number | null
  timeline: TimelineEvent[]
}
export type Candidate = { nodeId: string; refused: string[]; keys: Record<string, number> }
export type JobDetail = JobRow & {
  decisions: {
    record: { jobId: string; attempt: number; chosen: string | null; seed: string; hosts: number; eligible: number }
    candidates: Candidate[]
    recordHash: string
    routerSignature: string
  }[]
  receipt: {
    digest: string
    split: { role: string; account: string; amount: string }[]
    batchNumber: number | null
    signed: { nodeSignature: string; routerSignature: string }
  } | null
  discard: { discard: { reason: string }; routerSignature: string; router: string } | null
  batch: {
    number: number
    state: string
    transactionHash: string | null
    blockNumber: number | null
    receiptsRoot: string
    jobCount: number
  } | null
}
export type BatchRow = {
  number: number
  state: string
  jobCount: number
  receiptsRoot: string
  transactionHash: string | null
  blockNumber: number | null
  gasUsed: number | null
  formedAtMs: number
  confirmedAtMs: number | null
}
export type Credits = { account: string; credits: string; balances: { asset: string; amount: string; credits: string }[]; assets: Asset[] }
export type LedgerRow = {
  sequence: number
  kind: string
  atMs: number
  businessId: string
  postings: { account: string; asset: string; amount: string }[]
}

const KEY_NAME = 'heurist.apiKey'
let apiKey = ''

/** Key of this browser: given in the page's address (#key=…), kept from before, or lent by a network in dev mode. */
export async function openSession(): Promise<boolean> {
  const fromAddress = /[#&]key=([^&]+)/.exec(location.hash)?.[1]
  apiKey = fromAddress ?? localStorage.getItem(KEY_NAME) ?? ''
  if (apiKey === '') {
    const answer = await fetch('/api/session').catch(() => null)
    if (answer?.ok) apiKey = ((await answer.json()) as { apiKey: string | null }).apiKey ?? ''
  } else localStorage.setItem(KEY_NAME, apiKey)
  return apiKey !== ''
}

export function setKey(key: string): void {
  apiKey = key.trim()
  localStorage.setItem(KEY_NAME, apiKey)
}

export function authorization(): Record<string, string> {
  return apiKey === '' ? {} : { authorization: `Bearer ${apiKey}` }
}

export class ApiError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export async function get<T>(path: string): Promise<T> {
  const response = await fetch(path, { headers: authorization() })
  const body: unknown = await response.json().catch(() => null)
  if (response.ok) return body as T
  const message = (body as { error?: { message?: string } } | null)?.error?.message
  throw new ApiError(response.status, message ?? `The gateway answered ${response.status}.`)
}

/** A value that follows the network: asked again every second while the page is seen. */
export function useLive<T>(path: string, everyMs = 1000) {
  return useQuery({ queryKey: [path], queryFn: () => get<T>(path), refetchInterval: everyMs, retry: false })
}
