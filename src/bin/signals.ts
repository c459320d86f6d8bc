/**
 * The first SIGINT or SIGTERM, or the end of the parent (its IPC channel closes), asks for a drain; the second kills at once.
 * A process that was started with a channel must not outlive whoever started it.
 */
export function onStopSignals(): { readonly signal: AbortSignal; readonly received: Promise<string> } {
  const controller = new AbortController()
  const received = Promise.withResolvers<string>()
  const stop = (why: string): void => {
    if (controller.signal.aborted) process.exit(130)
    controller.abort()
    received.resolve(why)
  }
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop(name))
  if (process.connected) process.once('disconnect', () => !controller.signal.aborted && stop('the parent process ended'))
  return { signal: controller.signal, received: received.promise }
}
