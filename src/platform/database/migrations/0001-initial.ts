import type { Migration } from './migration.ts'

/**
 * First shape of the database. Three choices are made for the speed of `jobs.finish` (DESIGN §11):
 * a running job is one narrow row of `open_jobs` and its end is one insert into `jobs`, never an update (law L2 by construction);
 * postings name accounts by number; documents are JSON kept as text, since the reader parses them anyway, and wide rows stay in
 * the page (`toast_tuple_target`), since compressing each costs more than writing it.
 */
export const initial: Migration = {
  version: 1,
  name: 'initial',
  sql: `
create table ledger_accounts (
  id integer generated always as identity primary key,
  account text collate "C" not null,
  asset text collate "C" not null,
  balance numeric(78, 0) not null default 0,
  constraint ledger_accounts_name unique (account, asset),
  constraint ledger_accounts_overdrawn
    check (balance >= 0 or not (starts_with(account, 'credits:') or starts_with(account, 'allowance:')))
) with (fillfactor = 50);

create table ledger_events (
  sequence bigint generated always as identity primary key,
  business_id text collate "C" not null constraint ledger_events_business_id unique,
  kind text not null,
  at_ms bigint not null,
  memo text
);

-- No foreign keys: their per-row triggers cost more than the rows. The statement trigger below checks both sides at once.
create table ledger_postings (
  event_sequence bigint not null,
  account_id integer not null,
  amount numeric(78, 0) not null,
  primary key (account_id, event_sequence)
);
create index ledger_postings_event on ledger_postings using brin (event_sequence) with (pages_per_range = 8);

create function ledger_apply_postings() returns trigger language plpgsql as $$
declare
  unbalanced text;
begin
  select coalesce(e.business_id, g.event_sequence::text) into unbalanced
    from (
      select p.event_sequence, a.asset, sum(p.amount) as sum
      from inserted p left join ledger_accounts a on a.id = p.account_id
      group by p.event_sequence, a.asset
    ) g
    left join ledger_events e on e.sequence = g.event_sequence
    where g.sum <> 0 or g.asset is null or e.sequence is null
    limit 1;
  if found then
    raise exception using errcode = 'HL001', message = 'ledger event ' || unbalanced || ' does not sum to zero per asset';
  end if;
  -- One order of locks for every writer, so that two of them never wait for each other.
  perform 1 from ledger_accounts where id in (select account_id from inserted) order by id for no key update;
  update ledger_accounts a set balance = a.balance + d.amount
    from (select account_id, sum(amount) as amount from inserted group by account_id) d
    where a.id = d.account_id;
  return null;
end $$;
create trigger ledger_postings_apply after insert on ledger_postings
  referencing new table as inserted for each statement execute function ledger_apply_postings();

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception using errcode = 'HL002',
    message = tg_table_name || ' is append-only: ' || lower(tg_op) || ' is refused; write a reversing entry instead';
end $$;
create trigger ledger_events_append_only before update or delete or truncate on ledger_events
  for each statement execute function refuse_change();
create trigger ledger_postings_append_only before update or delete or truncate on ledger_postings
  for each statement execute function refuse_change();
-- A balance follows from postings; only their trigger may write it.
create trigger ledger_accounts_derived before update on ledger_accounts
  for each row when (pg_trigger_depth() = 0) execute function refuse_change();
create trigger ledger_accounts_kept before delete or truncate on ledger_accounts
  for each statement execute function refuse_change();

create table api_keys (
  key_id text collate "C" primary key,
  secret_hash text collate "C" not null constraint api_keys_secret_hash unique,
  prefix text not null,
  name text not null,
  account text collate "C" not null,
  scopes json not null,
  budget numeric(78, 0),
  spent numeric(78, 0) not null default 0,
  requests_per_minute integer not null,
  frontend text,
  created_at_ms bigint not null,
  expires_at_ms bigint,
  revoked_at_ms bigint
) with (fillfactor = 50);
create index api_keys_account on api_keys (account, created_at_ms);

create table open_jobs (
  job_id text collate "C" primary key,
  owner_epoch text collate "C" not null,
  payer text collate "C" not null,
  pod_id text collate "C" not null,
  created_at_ms bigint not null,
  start text not null
) with (toast_tuple_target = 8160);
create index open_jobs_created on open_jobs (created_at_ms);

create table jobs (
  job_id text collate "C" primary key,
  state text not null constraint jobs_terminal check (state in ('succeeded', 'failed', 'cancelled')),
  kind text not null,
  model text not null,
  pod_id text collate "C" not null,
  payer text collate "C" not null,
  frontend text collate "C" not null,
  key_id text collate "C" not null,
  node_id text collate "C",
  attempts integer not null,
  asset text collate "C" not null,
  max_price numeric(78, 0) not null,
  price numeric(78, 0) not null,
  credits numeric(78, 0) not null,
  input_units bigint not null,
  output_units bigint not null,
  error_code text,
  error_message text,
  created_at_ms bigint not null,
  finished_at_ms bigint not null,
  timeline text not null,
  decisions text not null,
  discard text
) with (toast_tuple_target = 8160);
create index jobs_created on jobs (created_at_ms, job_id);
create index jobs_payer on jobs (payer, created_at_ms);
create trigger jobs_terminal_is_final before update on jobs for each statement execute function refuse_change();

create table receipts (
  sequence bigint generated always as identity primary key,
  job_id text collate "C" not null constraint receipts_job unique,
  digest text collate "C" not null,
  signed text not null,
  split text not null,
  batch_number bigint
) with (toast_tuple_target = 8160, fillfactor = 90);
-- Serves a batch's leaves in order and, as nulls, the receipts that wait for one.
create index receipts_batch on receipts (batch_number, sequence);
create trigger receipts_content_is_final before update of sequence, job_id, digest, signed, split or delete or truncate on receipts
  for each statement execute function refuse_change();

create table idempotency (
  account text collate "C" not null,
  idempotency_key text collate "C" not null,
  request_hash text not null,
  status integer not null,
  body text not null,
  job_id text not null,
  created_at_ms bigint not null,
  primary key (account, idempotency_key)
);
create index idempotency_created on idempotency (created_at_ms);

create table batches (
  number bigint primary key,
  state text not null constraint batches_state check (state in ('formed', 'posted', 'confirmed')),
  previous_hash text not null,
  batch_hash text not null,
  receipts_root text not null,
  job_count integer not null,
  calldata text not null,
  transaction_hash text,
  block_number bigint,
  gas_used bigint,
  formed_at_ms bigint not null,
  confirmed_at_ms bigint
);

create table pods (
  pod_id text collate "C" not null,
  version integer not null,
  name text collate "C" not null,
  deployer text not null,
  manifest json not null,
  manifest_hash text not null,
  created_at_ms bigint not null,
  removed boolean not null default false,
  primary key (pod_id, version)
);
create index pods_name on pods (name, version);

create table nodes (
  node_id text collate "C" primary key,
  first_seen_at_ms bigint not null,
  last_seen_at_ms bigint not null,
  online_ms bigint not null
) with (fillfactor = 50);

create table settings (
  name text collate "C" primary key,
  value json
);
`,
}
