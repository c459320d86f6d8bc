export { closeEpochs, type EpochTaskDependencies } from './epochs.ts'
export { createKeeper, type Keeper, type KeeperDependencies, type KeeperOptions, type KeeperTask } from './keeper.ts'
export { collectPots, type PotTaskDependencies } from './pots.ts'
export { buyBack, type StakerTaskDependencies, type StakerTaskOptions, sweepFees, whyNoBuyback } from './stakers.ts'
