/** Ports and small services that every layer may use. Drivers are imported by `bin` alone (`#platform/<port>`). */
export type * from './blobs/port.ts'
export type * from './chain/port.ts'
export * from './clock.ts'
export type * from './database/port.ts'
export * from './logger.ts'
export * from './metrics.ts'
export * from './signing.ts'
export type { Tokenizer } from './tokenizer/port.ts'
