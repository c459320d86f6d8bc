import type { Clock, Logger } from '#platform'
import type { NodeId } from '#protocol'
import type { LinkErrorCode } from '../errors.ts'
import { createBudgets } from './budgets.ts'

/** Writes down why a link was closed. */
export type CloseLog = (code: LinkErrorCode, nodeId: NodeId | null, message: string) => void

// Anybody can have links refused, a thousand a second: the counter counts all of them, and the log must not fill a disk.
const LINES = { perSecond: 1, burst: 20 }

/** Of each code so many lines at once and one a second from then on; `unsaid` counts those between two lines. */
export function createCloseLog(logger: Logger, clock: Clock): CloseLog {
  const lines = createBudgets<LinkErrorCode>(LINES, clock)
  const unsaid = new Map<LinkErrorCode, number>()
  return (code, nodeId, message) => {
    const before = unsaid.get(code) ?? 0
    if (lines.isSpent(code)) {
      unsaid.set(code, before + 1)
      return
    }
    lines.take(code, 1)
    unsaid.delete(code)
    logger.warn({ code, nodeId, ...(before > 0 && { unsaid: before }) }, message)
  }
}
