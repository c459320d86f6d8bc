import type { ColumnType, Generated } from 'kysely'

/** Row types of the schema, as the driver reads them: int8 as number (times and sequences stay below 2^53), numeric as bigint. */
type Json<T = unknown> = ColumnType<T, string, string>
type Amount = ColumnType<bigint, bigint | string, bigint | string>

export type Schema = {
  ledger_accounts: { id: Generated<number>; account: string; asset: string; balance: Generated<bigint> }
  ledger_events: { sequence: Generated<number>; business_id: string; kind: string; at_ms: number; memo: string | null }
  ledger_postings: { event_sequence: number; account_id: number; amount: Amount }
  api_keys: {
    key_id: string
    secret_hash: string
    prefix: string
    name: string
    account: string
    scopes: Json<string[]>
    budget: Amount | null
    spent: Amount
    requests_per_minute: number
    weight: Generated<number>
    frontend: string | null
    created_at_ms: number
    expires_at_ms: number | null
    revoked_at_ms: number | null
  }
  idempotency: {
    account: string
    idempotency_key: string
    request_hash: string
    status: number
    body: string
    job_id: string
    created_at_ms: number
  }
  batches: {
    number: number
    state: string
    previous_hash: string
    batch_hash: string
    receipts_root: string
    job_count: number
    calldata: string
    transaction_hash: string | null
    block_number: number | null
    gas_used: number | null
    formed_at_ms: number
    confirmed_at_ms: number | null
  }
  receipts: {
    sequence: Generated<number>
    job_id: string
    digest: string
    signed: string
    split: string
    batch_number: number | null
  }
  pods: {
    pod_id: string
    version: number
    name: string
    deployer: string
    manifest: Json
    manifest_hash: string
    created_at_ms: number
  }
  nodes: { node_id: string; first_seen_at_ms: number; last_seen_at_ms: number; online_ms: number }
  batch_work: { batch_number: number; node_id: string; organic_units: Amount }
  node_epochs: { epoch: number; node_id: string; online_ms: number; capacity: number }
  chain_events: {
    block_number: number
    log_index: number
    block_hash: string
    transaction_hash: string
    timestamp_seconds: number
    contract: string
    name: string
    args: Json
  }
  journal_pieces: {
    segment: string
    number: number
    pod_id: string
    text: string
    head: string
    router: string
    router_signature: string
  }
  settings: { name: string; value: Json | null }
}
