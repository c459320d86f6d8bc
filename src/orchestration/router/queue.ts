import type { PodId } from '#protocol'

export type Offer = 'taken' | 'unsuitable' | 'no slot left'

/** What the queue needs to know of a job. `tokens`: how much work it may be. `weight`: what its payer gets of the pod beside a payer of weight 1. */
export type Waiting = { readonly podId: PodId; readonly payer: string; readonly tokens: number; readonly weight: number }

/**
 * Jobs that wait for a free slot, per pod. Payers share the pod's tokens, not its jobs, by their weights: whoever has been given least
 * per weight goes first (law R5: neither a flood of jobs nor a few huge ones starve the others), and within a payer the oldest. A
 * payer that comes begins where the least served one stands, so that nobody saves up turns. Removal is O(1): a client may leave at
 * any time.
 */
export type WaitingQueue<T extends Waiting> = {
  /** The job for which there is no room, when the pod's queue is full: this one, or the newest of a payer who has more waiting per weight. */
  add(job: T): T | null
  remove(job: T): void
  /**
   * Offers jobs in fair order until `take` says that no slot is left. A job that no free slot suits keeps its place
   * and does not hold up the next.
   */
  offer(podId: PodId, take: (job: T) => Offer): void
  size(podId: PodId): number
  /** How many of the jobs that wait now go before this one, if it waits, or would wait as the last of its payer. */
  ahead(job: T): number
  /** Of each payer the job that has waited longest. */
  oldest(podId: PodId): T[]
  pods(): PodId[]
  drain(): T[]
}

/** One payer's jobs at one pod, and what was given to it and what it waits for, in tokens per weight. */
type Line<T> = { readonly jobs: Set<T>; served: number; waiting: number }
type PodQueue<T> = {
  readonly lines: Map<string, Line<T>>
  size: number
  /** What the payer who went last had been served. */
  level: number
  /** Payers without a waiting job who were served more than that: who comes back at once has not lost its past. */
  readonly ahead: Map<string, number>
}

/** What a job counts against its payer. Never nothing: free turns would starve the others. */
function cost({ tokens, weight }: Waiting): number {
  return Math.max(1, tokens) / weight
}

/** The line that was served least and was not passed over; of equals the one that came first. */
function next<T>({ lines }: PodQueue<T>, passedOver: ReadonlySet<Line<T>>): Line<T> | null {
  let least: Line<T> | null = null
  for (const line of lines.values()) if (!passedOver.has(line) && (least === null || line.served < least.served)) least = line
  return least
}

/** The line that waits for more than `waiting`, and for most. */
function longest<T>({ lines }: PodQueue<T>, waiting: number): Line<T> | null {
  let most: Line<T> | null = null
  for (const line of lines.values()) if (line.waiting > (most?.waiting ?? waiting)) most = line
  return most
}

/** Jobs of a line whose turn comes before a payer that stands at `turn`; at the same turn the line goes first that came first. */
function before<T extends Waiting>({ jobs, served }: Line<T>, turn: number, isFirst: boolean): number {
  let count = 0
  for (const job of jobs) {
    if (served > turn || (served === turn && !isFirst)) break
    served += cost(job)
    count += 1
  }
  return count
}

export function createWaitingQueue<T extends Waiting>(maxPerPod: number): WaitingQueue<T> {
  const pods = new Map<PodId, PodQueue<T>>()

  function leave(pod: PodQueue<T>, payer: string, served: number): void {
    pod.lines.delete(payer)
    if (served > pod.level) pod.ahead.set(payer, served)
    if (pod.ahead.size > maxPerPod) for (const [other, theirs] of pod.ahead) if (theirs <= pod.level) pod.ahead.delete(other)
  }

  const startOf = (pod: PodQueue<T>, payer: string): number => Math.max(pod.level, pod.ahead.get(payer) ?? 0)

  function join(pod: PodQueue<T>, payer: string): Line<T> {
    const line: Line<T> = { jobs: new Set(), served: startOf(pod, payer), waiting: 0 }
    pod.ahead.delete(payer)
    pod.lines.set(payer, line)
    return line
  }

  function remove(job: T): void {
    const pod = pods.get(job.podId)
    const line = pod?.lines.get(job.payer)
    if (!pod || !line?.jobs.delete(job)) return
    pod.size -= 1
    line.waiting -= cost(job)
    if (line.jobs.size === 0) leave(pod, job.payer, line.served)
    if (pod.size === 0) pods.delete(job.podId)
  }

  /** Makes room for a job in a full queue: a flood gives way to whoever waits for less. The job that must go, perhaps this one. */
  function displace(pod: PodQueue<T>, job: T): T {
    const line = longest(pod, (pod.lines.get(job.payer)?.waiting ?? 0) + cost(job))
    const newest = line ? [...line.jobs].at(-1) : undefined
    if (newest === undefined) return job
    remove(newest)
    return newest
  }

  /** The first job of the line that suits; false when there is no slot for any. */
  function offerLine(pod: PodQueue<T>, line: Line<T>, take: (job: T) => Offer): 'served' | 'unsuitable' | 'no slot left' {
    for (const job of line.jobs) {
      const answer = take(job)
      if (answer === 'no slot left') return answer
      if (answer === 'unsuitable') continue
      pod.level = Math.max(pod.level, line.served)
      line.served += cost(job)
      remove(job)
      return 'served'
    }
    return 'unsuitable'
  }

  return {
    add(job) {
      const pod: PodQueue<T> = pods.get(job.podId) ?? { lines: new Map(), size: 0, level: 0, ahead: new Map() }
      const displaced = pod.size >= maxPerPod ? displace(pod, job) : null
      if (displaced === job) return job
      pods.set(job.podId, pod)
      const line = pod.lines.get(job.payer) ?? join(pod, job.payer)
      line.jobs.add(job)
      line.waiting += cost(job)
      pod.size += 1
      return displaced
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
      const pod = pods.get(job.podId)
      if (!pod) return 0
      const own = pod.lines.get(job.payer)
      let turn = own?.served ?? startOf(pod, job.payer)
      let ahead = 0
      for (const earlier of own?.jobs ?? []) {
        if (earlier === job) break
        turn += cost(earlier)
        ahead += 1
      }
      let isFirst = true
      for (const line of pod.lines.values()) {
        if (line === own) isFirst = false
        else ahead += before(line, turn, isFirst)
      }
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
