/** Waits for the taker of a delta, but not beyond a cancel: a client that is gone takes nothing more. */
export function taken(emitted: void | Promise<void>, signal: AbortSignal): void | Promise<void> {
  if (!(emitted instanceof Promise)) return
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    emitted.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
