/** Pure arithmetic of wp §3 and Appendix A: no I/O, no clock, no randomness. */
export * from './compute-units.ts'
export * from './emission.ts'
export * from './gauges.ts'
export * from './organic.ts'
export * from './security-model.ts'
export * from './split.ts'
export * from './staking.ts'
export * from './vesting.ts'
