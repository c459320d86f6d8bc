const NEWLINE = 10

export type LineSplitter = {
  /** The whole lines that these bytes complete, without their ends. @throws RangeError for a line longer than allowed */
  push(bytes: Buffer): string[]
}

/** Cuts a stream into lines of at most `maxBytes`: a program that never ends one must not fill the node's memory. */
export function createLineSplitter(maxBytes: number): LineSplitter {
  let pieces: Buffer[] = []
  let held = 0
  return {
    push(bytes) {
      const lines: string[] = []
      let start = 0
      for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
        pieces.push(bytes.subarray(start, end))
        if (held + end - start > maxBytes) throw new RangeError(`a line is longer than ${maxBytes} bytes`)
        lines.push(Buffer.concat(pieces).toString('utf8'))
        pieces = []
        held = 0
        start = end + 1
      }
      held += bytes.length - start
      if (held > maxBytes) throw new RangeError(`a line is longer than ${maxBytes} bytes`)
      if (start < bytes.length) pieces.push(bytes.subarray(start))
      return lines
    },
  }
}
