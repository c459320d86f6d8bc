import type { PodId } from '#protocol'

export type Offer = 'taken' | 'unsuitable' | 'no slot left'

/** What the queue needs to know of a job. `weight`: how much work it may be, in tokens. */
export type Waiting = { readonly podId: PodId; readonly payer: string; readonly weight: number }

/**
 * Jobs that wait for a free slot, per pod. Each payer gets an equal share of the pod's tokens, not of its jobs: whoever has been given
 * least goes first (law R5: neither a flood of jobs nor a few huge ones starve the others), and within a payer the oldest. A payer that
 * comes begins where the least served one stands, so that nobody saves up turns. Removal is O(1): a client may leave at any time.
 */
export type WaitingQueue<T extends Waiting> = {
  /** False when the pod's queue is full. */
  add(job: T): boolean
  remove(job: T): void
  /**
   * Offers jobs in fair order until `take` says that no slot is left. A job that no free slot suits keeps its place
   * and does not hold up the next.
   */
  offer(podId: PodId, take: (job: T) => Offer): void
  size(podId: PodId): number
  /** About how many jobs go before this one, if payers' jobs are alike. */
  ahead(job: T): number
  /** Of each payer the job that has waited longest. */
  oldest(podId: PodId): T[]
  pods(): PodId[]
  drain(): T[]
}

/** One payer's jobs at one pod, and the tokens of those that went. */
type Line<T> = { readonly jobs: Set<T>; served: number }
type PodQueue<T> = {
  readonly lines: Map<string, Line<T>>
  size: number
  /** What the payer who went last had been served. */
  level: number
  /** Payers without a waiting job who were served more than that: who comes back at once has not lost its past. */
  readonly ahead: Map<string, number>
}

/** The line that was served least and was not passed over; of equals the one that came first. */
function next<T>({ lines }: PodQueue<T>, passedOver: ReadonlySet<Line<T>>): Line<T> | null {
  let least: Line<T> | null = null
  for (const line of lines.values()) if (!passedOver.has(line) && (least === null || line.served < least.served)) least = line
  return least
}

export function createWaitingQueue<T extends Waiting>(maxPerPod: number): WaitingQueue<T> {
  const pods = new Map<PodId, PodQueue<T>>()

  function leave(pod: PodQueue<T>, payer: string, served: number): void {
    pod.lines.delete(payer)
    if (served > pod.level) pod.ahead.set(payer, served)
    if (pod.ahead.size > maxPerPod) for (const [other, theirs] of pod.ahead) if (theirs <= pod.level) pod.ahead.delete(other)
  }

  function join(pod: PodQueue<T>, payer: string): Line<T> {
    const line: Line<T> = { jobs: new Set(), served: Math.max(pod.level, pod.ahead.get(payer) ?? 0) }
    pod.ahead.delete(payer)
    pod.lines.set(payer, line)
    return line
  }

  function remove(job: T): void {
    const pod = pods.get(job.podId)
    const line = pod?.lines.get(job.payer)
    if (!pod || !line?.jobs.delete(job)) return
    pod.size -= 1
    if (line.jobs.size === 0) leave(pod, job.payer, line.served)
    if (pod.size === 0) pods.delete(job.podId)
  }

  /** The first job of the line that suits; false when there is no slot for any. */
  function offerLine(pod: PodQueue<T>, line: Line<T>, take: (job: T) => Offer): 'served' | 'unsuitable' | 'no slot left' {
    for (const job of line.jobs) {
      const answer = take(job)
      if (answer === 'no slot left') return answer
      if (answer === 'unsuitable') continue
      pod.level = Math.max(pod.level, line.served)
      line.served += job.weight
      remove(job)
      return 'served'
    }
    return 'unsuitable'
  }

  return {
    add(job) {
      const pod: PodQueue<T> = pods.get(job.podId) ?? { lines: new Map(), size: 0, level: 0, ahead: new Map() }
      if (pod.size >= maxPerPod) return false
      pods.set(job.podId, pod)
      const line = pod.lines.get(job.payer) ?? join(pod, job.payer)
      line.jobs.add(job)
      pod.size += 1
      return true
    },
    remove,
    offer(podId, take) {
      const passedOver = new Set<Line<T>>()
      for (let pod = pods.get(podId); pod; pod = pods.get(podId)) {
        const line = next(pod, passedOver)
        if (!line) return
        const answer = offerLine(pod, line, take)
        if (answer === 'no slot left') return
        if (answer === 'unsuitable') passedOver.add(line)
      }
    },
    size: podId => pods.get(podId)?.size ?? 0,
    ahead(job) {
      const lines = pods.get(job.podId)?.lines
      const own = lines?.get(job.payer)?.jobs
      if (!lines || !own?.has(job)) return 0
      const place = [...own].indexOf(job)
      // Payers take turns: of each other one about as many go before it.
      let ahead = place
      for (const { jobs } of lines.values()) if (jobs !== own) ahead += Math.min(jobs.size, place + 1)
      return ahead
    },
    oldest: podId => [...(pods.get(podId)?.lines.values() ?? [])].flatMap(({ jobs }) => [...jobs].slice(0, 1)),
    pods: () => [...pods.keys()],
    drain() {
      const all = [...pods.values()].flatMap(pod => [...pod.lines.values()].flatMap(({ jobs }) => [...jobs]))
      pods.clear()
      return all
    },
  }
}
