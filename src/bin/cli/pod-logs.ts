import { setTimeout as pause } from 'node:timers/promises'
import type { Command } from 'commander'
import type { LogLine, NodeLog } from '#protocol'
import { onStopSignals } from '../signals.ts'
import type { Attach } from './commands.ts'
import { EXIT, short, time } from './output.ts'

const FOLLOW_EVERY_MS = 1_000

export type NewLine = LogLine & { readonly nodeId: string }

/** Remembers the last line of each node: their clocks differ, so one time for all would lose or repeat lines. */
export function createLogCursor(): { since(): number; take(logs: readonly NodeLog[]): NewLine[] } {
  const last = new Map<string, number>()
  return {
    since: () => Math.min(...last.values(), last.size === 0 ? 0 : Number.POSITIVE_INFINITY),
    take(logs) {
      const fresh = logs.flatMap(({ nodeId, lines }) =>
        lines.filter(({ atMs }) => atMs > (last.get(nodeId) ?? -1)).map(line => ({ ...line, nodeId })),
      )
      for (const { nodeId, atMs } of fresh) last.set(nodeId, Math.max(atMs, last.get(nodeId) ?? 0))
      return fresh.sort((a, b) => a.atMs - b.atMs)
    },
  }
}

/** A program of somebody's writes these lines: none may move the cursor of a terminal or rename its window. */
export function plainText(text: string): string {
  return text.replace(/[^\P{Cc}\t]/gu, '\ufffd')
}

/** `heurist pod logs`: what a pod's program wrote to stderr, on all nodes that run it. */
export function podLogsCommand(pod: Command, attach: Attach): void {
  const logs = pod
    .command('logs <name>')
    .description("Show what a pod's program wrote to stderr, on all nodes")
    .option('-f, --follow', 'go on until Ctrl-C')
  attach(logs, async ({ output, client }, [name = ''], options: { follow?: boolean }) => {
    const cursor = createLogCursor()
    const stop = options.follow ? onStopSignals() : null
    do {
      const { data } = await client('admin').get<{ data: readonly NodeLog[] }>(
        `/api/pod-logs/${encodeURIComponent(name)}?since=${cursor.since()}`,
      )
      const lines = cursor.take(data)
      if (!options.follow) output.answer(lines, () => lines.map(lineText).join('\n') || '(nothing)')
      else if (lines.length > 0) process.stdout.write(`${lines.map(output.json ? line => JSON.stringify(line) : lineText).join('\n')}\n`)
      if (stop) await pause(FOLLOW_EVERY_MS, undefined, { signal: stop.signal }).catch(() => undefined)
    } while (stop && !stop.signal.aborted)
    return EXIT.ok
  })
}

function lineText({ atMs, nodeId, text }: NewLine): string {
  return `${time(atMs)} ${short(nodeId)} ${plainText(text)}`
}
