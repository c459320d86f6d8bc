import type { Migration } from './migration.ts'

/**
 * The chain's history as a table. Everything that is said of the economy is a query over it, so it can be rebuilt from block
 * zero to the identical state, and a re-org is one delete. `args` are the event's arguments by name.
 */
export const chainEvents: Migration = {
  version: 2,
  name: 'chain events',
  sql: `
create table chain_events (
  block_number bigint not null,
  log_index integer not null,
  block_hash text collate "C" not null,
  transaction_hash text collate "C" not null,
  timestamp_seconds bigint not null,
  contract text collate "C" not null,
  name text collate "C" not null,
  args jsonb not null,
  primary key (block_number, log_index)
);
create index chain_events_name on chain_events (contract, name, block_number, log_index);
create index chain_events_args on chain_events using gin (args jsonb_path_ops);
`,
}
