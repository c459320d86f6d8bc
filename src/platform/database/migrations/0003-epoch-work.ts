import type { Migration } from './migration.ts'

/**
 * What the emission of an epoch is computed from (wp §3.4.4): organic work by batch, so that it belongs to the epoch in which
 * the batch is on chain, and presence and capacity as the router saw them. The empty node id is the router's own watch.
 */
export const epochWork: Migration = {
  version: 3,
  name: 'epoch work',
  sql: `
create table batch_work (
  batch_number bigint not null,
  node_id text collate "C" not null,
  organic_units numeric(78, 0) not null,
  primary key (batch_number, node_id)
);
create table node_epochs (
  epoch integer not null,
  node_id text collate "C" not null,
  online_ms bigint not null,
  capacity bigint not null,
  primary key (epoch, node_id)
) with (fillfactor = 50);
`,
}
