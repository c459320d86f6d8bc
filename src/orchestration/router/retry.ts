import type { JobPreferences, LeaseDeadlines, PodRecord } from '#protocol'
import type { Fault, RouterErrorCode } from './errors.ts'
import type { LeasePhase } from './job.ts'

/** Faults of one node, which another node may not have. All others end the job whatever the preference. */
const RETRYABLE: ReadonlySet<RouterErrorCode> = new Set([
  'ROUTER_NODE_LOST',
  'ROUTER_NODE_FAILED',
  'ROUTER_NODE_MISBEHAVED',
  'ROUTER_LOAD_TIMEOUT',
  'ROUTER_FIRST_TOKEN_TIMEOUT',
])

/**
 * Retry or discard, in its one place (DESIGN §4.7, law L7). Only before the first byte, only for a fault of the node,
 * only if the user wants it, and never more attempts than the user allows.
 */
export function shouldRetry(job: {
  readonly fault: Fault
  readonly startedOutput: boolean
  readonly attempts: number
  readonly preferences: JobPreferences
}): boolean {
  if (job.startedOutput || !RETRYABLE.has(job.fault.code)) return false
  return job.preferences.on_failure === 'retry' && job.attempts < job.preferences.max_attempts
}

/** Deadlines of one lease, in ms from its grant; none outlives the job. */
export function leaseDeadlines(pod: PodRecord, remainingMs: number): LeaseDeadlines {
  const { queueMs, loadMs, firstTokenMs, totalMs } = pod.manifest.spec.timeouts
  const within = (ms: number) => Math.max(1, Math.floor(Math.min(ms, remainingMs)))
  return { queueMs: within(queueMs), loadMs: within(loadMs), firstTokenMs: within(firstTokenMs), totalMs: within(totalMs) }
}

const SILENCE_MS = 60_000

/** Longest silence of a node in the middle of its output, in ms. */
export function silenceMs({ manifest: { spec } }: PodRecord): number {
  return spec.timeouts.betweenTokensMs ?? SILENCE_MS
}

/** What a node must do next, by when, and the fault if it does not. Null: nothing by a fixed time; while it streams, its silence is watched. */
export function phaseDeadline(phase: LeasePhase, deadlines: LeaseDeadlines, signMs: number): (Fault & { readonly afterMs: number }) | null {
  switch (phase) {
    case 'loading':
      return {
        afterMs: deadlines.loadMs,
        code: 'ROUTER_LOAD_TIMEOUT',
        message: `The node did not load the pod within ${deadlines.loadMs} ms. Try again, or raise the pod's timeouts.loadMs.`,
      }
    case 'waiting':
      return {
        afterMs: deadlines.firstTokenMs,
        code: 'ROUTER_FIRST_TOKEN_TIMEOUT',
        message: `The node sent no output within ${deadlines.firstTokenMs} ms. Try again, or raise the pod's timeouts.firstTokenMs.`,
      }
    case 'signing':
      return { afterMs: signMs, code: 'ROUTER_NODE_MISBEHAVED', message: `The node did not sign its receipt within ${signMs} ms.` }
    case 'streaming':
      return null
  }
}
