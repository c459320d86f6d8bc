import type { Migration } from './migration.ts'

/** What routers knew of a pod's hosts when they decided, in signed pieces: decisions are replayed from it. */
export const decisionJournal: Migration = {
  version: 4,
  name: 'decision journal',
  sql: `
create table journal_pieces (
  segment text collate "C" not null,
  number integer not null,
  pod_id text collate "C" not null,
  text text not null,
  head text collate "C" not null,
  router text collate "C" not null,
  router_signature text collate "C" not null,
  primary key (segment, number)
);
`,
}
