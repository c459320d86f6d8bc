/** Pure arithmetic of wp §3: no I/O, no clock, no randomness. */
export * from './split.ts'
