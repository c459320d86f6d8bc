import type { Migration } from './migration.ts'

/** What a key's jobs get beside others when a pod has too few slots for all. */
export const keyWeights: Migration = {
  version: 6,
  name: 'key weights',
  sql: `
alter table api_keys add column weight integer not null default 1
  constraint api_keys_weight check (weight between 1 and 100);
`,
}
