import pc from 'picocolors'

/** Steps of a start: a line when each is done, with its time; on a terminal the running one is shown too. */
export type Progress = {
  step<T>(name: string, work: (tell: (detail: string) => void) => Promise<T>): Promise<T>
  /** A line that people must see, beside the steps. */
  note(line: string): void
}

export function createProgress(now: () => number, stream: NodeJS.WriteStream = process.stderr): Progress {
  const live = stream.isTTY === true
  return {
    note: line => void stream.write(`${live ? '\r\x1b[2K' : ''}${pc.yellow('!')} ${line}\n`),
    async step(name, work) {
      const startMs = now()
      const show = (detail: string): void => {
        if (live) stream.write(`\r\x1b[2K${pc.cyan('…')} ${name} ${pc.dim(detail)}`)
      }
      show('')
      try {
        const result = await work(show)
        stream.write(`${live ? '\r\x1b[2K' : ''}${pc.green('✓')} ${name} ${pc.dim(`${((now() - startMs) / 1000).toFixed(1)} s`)}\n`)
        return result
      } catch (error) {
        stream.write(`${live ? '\r\x1b[2K' : ''}${pc.red('✗')} ${name}\n`)
        throw error
      }
    },
  }
}
