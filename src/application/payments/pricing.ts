import { creditsOfUnits } from '#economics'
import type { PodRecord } from '#protocol'

/** Most nano-credits that a job on `pod` can cost. */
export function quoteMaximum(pod: PodRecord, units: { readonly inputUnits: number; readonly maxOutputUnits: number }): bigint {
  return creditsOfUnits({ inputUnits: units.inputUnits, outputUnits: units.maxOutputUnits }, pod.manifest.spec.price)
}
