export {
  type Autoscaler,
  type AutoscalerDependencies,
  type AutoscalerOptions,
  createAutoscaler,
  type PodScale,
  type PodVotes,
} from './autoscaler.ts'
export {
  DEFAULT_SCALE_SPEC,
  decideScale,
  newScaleState,
  type ScaleDecision,
  type ScaleObservation,
  type ScaleSpec,
  type ScaleState,
} from './decide.ts'
export type { Holder } from './share.ts'
