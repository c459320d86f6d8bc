import { type Bytes32, type LogLine, MAX_LOG_CHARACTERS, MAX_LOG_LINE_CHARACTERS, MAX_LOG_LINES } from '#protocol'

/** A pod's log is a help for its owner and no archive: the last lines, in memory. */
const MAX_LINES = 1_000
const MAX_PODS = 256
/** A program that writes more than this loses lines, and the log says how many. */
const MAX_LINES_PER_SECOND = 200

type Log = { readonly lines: LogLine[]; lastAtMs: number; second: number; inSecond: number; dropped: number }

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

  /** The last lines after a time, oldest first, as many as one answer may hold. */
  since(podId: Bytes32, sinceMs: number): LogLine[] {
    const lines = (this.#logs.get(podId)?.lines ?? []).filter(({ atMs }) => atMs > sinceMs).slice(-MAX_LOG_LINES)
    let characters = 0
    const first = lines.findLastIndex(({ text }) => {
      characters += text.length
      return characters > MAX_LOG_CHARACTERS
    })
    return lines.slice(first + 1)
  }

  #open(podId: Bytes32): Log {
    const [oldest] = this.#logs.keys()
    if (this.#logs.size >= MAX_PODS && oldest) this.#logs.delete(oldest)
    const log: Log = { lines: [], lastAtMs: 0, second: 0, inSecond: 0, dropped: 0 }
    this.#logs.set(podId, log)
    return log
  }
}

/** Times go up strictly, so that a reader can ask for what came after the last line that it has. */
function push(log: Log, { atMs, text }: LogLine): void {
  log.lastAtMs = Math.max(atMs, log.lastAtMs + 1)
  log.lines.push({ atMs: log.lastAtMs, text: text.slice(0, MAX_LOG_LINE_CHARACTERS).toWellFormed() })
  if (log.lines.length > MAX_LINES) log.lines.splice(0, log.lines.length - MAX_LINES)
}
