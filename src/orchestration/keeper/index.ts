export { closeEpochs, EPOCH_SECONDS, type EpochTaskDependencies, epochAt } from './epochs.ts'
export { createKeeper, type Keeper, type KeeperDependencies, type KeeperOptions, type KeeperTask } from './keeper.ts'
