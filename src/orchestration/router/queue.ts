import type { PodId } from '#protocol'

export type Offer = 'taken' | 'unsuitable' | 'no slot left'

/**
 * Jobs that wait for a free slot, per pod. Payers take turns (law R5: a flood of one payer does not starve the others),
 * and within a payer the oldest goes first. Removal is O(1): a client may leave at any time.
 */
export type WaitingQueue<T extends { readonly podId: PodId; readonly payer: string }> = {
  /** False when the pod's queue is full. */
  add(job: T): boolean
  remove(job: T): void
  /**
   * Offers jobs in fair order until `take` says that no slot is left. A job that no free slot suits keeps its place
   * and does not hold up the next.
   */
  offer(podId: PodId, take: (job: T) => Offer): void
  size(podId: PodId): number
  /** Of each payer the job that has waited longest. */
  oldest(podId: PodId): T[]
  pods(): PodId[]
  drain(): T[]
}

export function createWaitingQueue<T extends { readonly podId: PodId; readonly payer: string }>(maxPerPod: number): WaitingQueue<T> {
  const pods = new Map<PodId, { payers: Map<string, Set<T>>; size: number }>()

  function remove(job: T): void {
    const pod = pods.get(job.podId)
    const own = pod?.payers.get(job.payer)
    if (!pod || !own?.delete(job)) return
    pod.size -= 1
    if (own.size === 0) pod.payers.delete(job.payer)
    if (pod.size === 0) pods.delete(job.podId)
  }

  return {
    add(job) {
      const pod = pods.get(job.podId) ?? { payers: new Map<string, Set<T>>(), size: 0 }
      if (pod.size >= maxPerPod) return false
      pods.set(job.podId, pod)
      const own = pod.payers.get(job.payer) ?? new Set<T>()
      own.add(job)
      pod.payers.set(job.payer, own)
      pod.size += 1
      return true
    },
    remove,
    offer(podId, take) {
      const payers = pods.get(podId)?.payers
      if (!payers) return
      // A payer that was served goes to the end of the map (its iteration order is the turn order) and is visited again;
      // a payer none of whose jobs suits a free slot stays in front and is skipped.
      for (const [payer, own] of payers) {
        for (const job of own) {
          const answer = take(job)
          if (answer === 'no slot left') return
          if (answer === 'unsuitable') continue
          remove(job)
          if (payers.delete(payer) && own.size > 0) payers.set(payer, own)
          break
        }
      }
    },
    size: podId => pods.get(podId)?.size ?? 0,
    oldest: podId => [...(pods.get(podId)?.payers.values() ?? [])].flatMap(own => [...own].slice(0, 1)),
    pods: () => [...pods.keys()],
    drain() {
      const all = [...pods.values()].flatMap(pod => [...pod.payers.values()].flatMap(own => [...own]))
      pods.clear()
      return all
    },
  }
}
