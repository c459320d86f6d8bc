import type { Clock } from '#platform'
import { encodeMessage, type LogLine, type NodeLog, type PodId } from '#protocol'
import type { Fleet } from './fleet.ts'
import type { Session } from './link/session.ts'

/** A node that does not answer has nothing to say: its log is left out, and nobody waits for it. */
const ANSWER_MS = 3_000
/** Nodes asked at once for one pod, and questions open at a time: a reader must not become a load on the links. */
const MAX_NODES = 50
const MAX_OPEN = 500

type Question = { readonly session: Session; readonly answered: (lines: readonly LogLine[] | null) => void }

export type PodLogReader = {
  /** What the program of a pod wrote on the linked nodes that host it, after a time by each node's clock. */
  read(podId: PodId, sinceMs: number): Promise<NodeLog[]>
  /** An answer of a node; one that was not asked for is not heard. */
  answer(session: Session, id: number, lines: readonly LogLine[]): void
}

export function createPodLogReader({ fleet, clock }: { readonly fleet: Fleet; readonly clock: Clock }): PodLogReader {
  const open = new Map<number, Question>()
  let next = 0

  function ask(session: Session, podId: PodId, sinceMs: number): Promise<readonly LogLine[] | null> {
    const id = next++
    return new Promise(resolve => {
      const cancel = clock.after(ANSWER_MS, () => answered(null))
      const answered = (lines: readonly LogLine[] | null): void => {
        cancel()
        open.delete(id)
        resolve(lines)
      }
      open.set(id, { session, answered })
      session.send(encodeMessage({ type: 'logs', id, podId, sinceMs }))
    })
  }

  return {
    async read(podId, sinceMs) {
      const free = Math.min(MAX_NODES, MAX_OPEN - open.size)
      const nodes = [...fleet.hosting(podId)].slice(0, Math.max(0, free)).map(({ node }) => node)
      const answers = await Promise.all(nodes.map(({ session }) => ask(session, podId, sinceMs)))
      return nodes.flatMap(({ session: { nodeId } }, index) => {
        const lines = answers[index]
        return lines ? [{ nodeId, lines }] : []
      })
    },
    answer(session, id, lines) {
      const question = open.get(id)
      if (question?.session === session) question.answered(lines)
    },
  }
}
