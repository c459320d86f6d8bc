import type { Migration } from './migration.ts'

/** Whether a pod is on the network is what PodRegistry says, and nothing else. */
export const podsByChain: Migration = {
  version: 5,
  name: 'pods by chain',
  sql: `
alter table pods drop column removed;
`,
}
