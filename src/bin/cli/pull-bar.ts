import { Presets, SingleBar } from 'cli-progress'
import type { PullProgress } from '#compute'

const MIB = 2 ** 20

/** A progress bar on a terminal, a line every tenth elsewhere, nothing with --json. */
export function createPullBar(quiet: boolean): { update(progress: PullProgress): void; stop(): void } {
  if (quiet) return { update: () => undefined, stop: () => undefined }
  let bar: SingleBar | null = null
  return {
    update({ receivedBytes, totalBytes, bytesPerSecond }) {
      const speed = `${(bytesPerSecond / MIB).toFixed(1)} MiB/s`
      if (!bar) {
        bar = new SingleBar(
          {
            format: 'pulling {bar} {percentage}% {value}/{total} MiB {speed} eta {eta_formatted}',
            stream: process.stderr,
            noTTYOutput: true,
            notTTYSchedule: 2000,
            hideCursor: true,
          },
          Presets.shades_classic,
        )
        bar.start(Math.ceil((totalBytes ?? receivedBytes) / MIB), 0, { speed })
      }
      bar.update(Math.floor(receivedBytes / MIB), { speed })
    },
    stop: () => bar?.stop(),
  }
}
