export * from './indexer.ts'
export * from './registry.ts'
