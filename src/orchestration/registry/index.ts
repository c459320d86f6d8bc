export * from './event-follower.ts'
export * from './frontends.ts'
export * from './indexer.ts'
export * from './registry.ts'
