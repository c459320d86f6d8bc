export type StopScanner = {
  /** Takes new text; gives back what is safe to send, and whether a stop string was completed. */
  push(text: string): { text: string; stopped: boolean }
  /** What was held back when the output ends without a stop string. */
  flush(): string
}

/** Longest end of `text` that could be the beginning of a stop string. */
function heldLength(text: string, stops: readonly string[]): number {
  let held = 0
  for (const stop of stops) {
    for (let length = Math.min(stop.length - 1, text.length); length > held; length--) {
      if (stop.startsWith(text.slice(text.length - length))) {
        held = length
        break
      }
    }
  }
  return held
}

/** Finds stop strings across token boundaries: text that may become one is held back until it is sure. */
export function createStopScanner(stops: readonly string[]): StopScanner {
  let pending = ''
  return {
    push(text) {
      pending += text
      let at = -1
      for (const stop of stops) {
        const found = pending.indexOf(stop)
        if (found >= 0 && (at < 0 || found < at)) at = found
      }
      if (at >= 0) {
        const safe = pending.slice(0, at)
        pending = ''
        return { text: safe, stopped: true }
      }
      const cut = pending.length - heldLength(pending, stops)
      const safe = pending.slice(0, cut)
      pending = pending.slice(cut)
      return { text: safe, stopped: false }
    },
    flush() {
      const rest = pending
      pending = ''
      return rest
    },
  }
}
