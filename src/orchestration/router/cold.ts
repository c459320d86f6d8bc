import type { PodId } from '#protocol'
import type { Fault } from './errors.ts'
import type { Hosting } from './hosting.ts'

/** How long the wish of a job that would not wait counts as one that does. */
const WISH_MS = 10_000
/** When a refused client should come back: most replicas are loaded by then. */
const COME_BACK_MS = 15_000

/** Jobs that were refused because their pod was cold: the autoscaler sees them as demand, else the pod would stay cold. */
export type ColdWishes = {
  add(podId: PodId, nowMs: number): void
  has(podId: PodId, nowMs: number): boolean
}

export function createColdWishes(): ColdWishes {
  const lastMs = new Map<PodId, number>()
  return {
    add: (podId, nowMs) => void lastMs.set(podId, nowMs),
    has: (podId, nowMs) => nowMs - (lastMs.get(podId) ?? Number.NEGATIVE_INFINITY) < WISH_MS,
  }
}

/** Somebody could load the pod, and nobody who may get jobs has it loaded. */
export function isCold(hostings: readonly Hosting[]): boolean {
  const usable = hostings.filter(({ fixedRefusals }) => fixedRefusals.length === 0)
  return usable.length > 0 && usable.every(({ warm }) => !warm)
}

export function coldFault(podName: string): Fault {
  const message = `Pod ${podName} is not loaded on any node now, and this job would not wait for it ("on_cold": "refuse"). It is being loaded.`
  return { code: 'ROUTER_POD_COLD', message: `${message} Try again in about ${COME_BACK_MS / 1000} s.`, retryAfterMs: COME_BACK_MS }
}
