/** What the chain says about the economy, read for console and CLI. */
export { createEconomyReader, type EconomyReaderDependencies } from './reader.ts'
