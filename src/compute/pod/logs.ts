import type { Bytes32 } from '#protocol'

export type LogLine = { readonly atMs: number; readonly text: string }

/** A pod's log is a help for its owner and no archive: the last lines, in memory. */
const MAX_LINES = 1_000
const MAX_PODS = 256
/** A program that writes more than this loses lines, and the log says how many. */
const MAX_LINES_PER_SECOND = 200

type Log = { readonly lines: LogLine[]; second: number; inSecond: number; dropped: number }

/** What programs wrote to stderr, per pod, bounded in lines and in rate. */
export class PodLogs {
  readonly #logs = new Map<Bytes32, Log>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  append(podId: Bytes32, text: string): void {
    const atMs = this.#now()
    const log = this.#logs.get(podId) ?? this.#open(podId)
    const second = Math.floor(atMs / 1000)
    if (second !== log.second) {
      if (log.dropped > 0) push(log, { atMs, text: `… ${log.dropped} lines left out: more than ${MAX_LINES_PER_SECOND} in a second` })
      log.second = second
      log.inSecond = 0
      log.dropped = 0
    }
    log.inSecond += 1
    if (log.inSecond > MAX_LINES_PER_SECOND) log.dropped += 1
    else push(log, { atMs, text })
  }

  /** The last lines, oldest first. */
  tail(podId: Bytes32, count: number): readonly LogLine[] {
    return this.#logs.get(podId)?.lines.slice(-count) ?? []
  }

  #open(podId: Bytes32): Log {
    const [oldest] = this.#logs.keys()
    if (this.#logs.size >= MAX_PODS && oldest) this.#logs.delete(oldest)
    const log: Log = { lines: [], second: 0, inSecond: 0, dropped: 0 }
    this.#logs.set(podId, log)
    return log
  }
}

function push({ lines }: Log, line: LogLine): void {
  lines.push(line)
  if (lines.length > MAX_LINES) lines.splice(0, lines.length - MAX_LINES)
}
