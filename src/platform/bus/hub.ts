import { messageOf } from '#protocol'
import type { Logger } from '../logger.ts'
import { checkTopic } from './errors.ts'

type Handler = (payload: string) => void

/** The subscribers of this process. */
export type Hub = {
  /** @param onLast called when the topic's last subscription has ended */
  subscribe(topic: string, handler: Handler): () => void
  /** Calls every subscriber of the topic now. */
  deliver(topic: string, payload: string): void
  /** Calls them at the end of this tick: a publisher never runs its own subscriber's code. */
  deliverSoon(topic: string, payload: string): void
  stop(): void
}

export type HubOptions = {
  /** The topic has its first subscriber. */
  readonly onFirst?: (topic: string) => void
  /** The topic's last subscription has ended. */
  readonly onLast?: (topic: string) => void
}

export function createHub(options: HubOptions, { logger }: { logger: Logger }): Hub {
  const handlers = new Map<string, Set<{ run: Handler }>>()
  let soon: [topic: string, payload: string][] = []

  const deliver = (topic: string, payload: string): void => {
    for (const entry of [...(handlers.get(topic) ?? [])]) {
      // One that an earlier handler of this message has ended hears nothing any more.
      if (handlers.get(topic)?.has(entry)) call(entry.run, topic, payload, logger)
    }
  }
  const deliverAll = (): void => {
    const due = soon
    soon = []
    for (const [topic, payload] of due) deliver(topic, payload)
  }

  return {
    deliver,
    deliverSoon(topic, payload) {
      if (!handlers.has(topic)) return
      if (soon.push([topic, payload]) === 1) setImmediate(deliverAll)
    },
    subscribe(topic, run) {
      checkTopic(topic)
      // An object of its own: the same function may be subscribed twice.
      const entry = { run }
      const existing = handlers.get(topic)
      if (existing) existing.add(entry)
      else {
        handlers.set(topic, new Set([entry]))
        options.onFirst?.(topic)
      }
      return () => {
        const entries = handlers.get(topic)
        if (!entries?.delete(entry) || entries.size > 0) return
        handlers.delete(topic)
        options.onLast?.(topic)
      }
    },
    stop() {
      handlers.clear()
      soon = []
    },
  }
}

function call(run: Handler, topic: string, payload: string, logger: Logger): void {
  const failed = (error: unknown): void => logger.warn({ topic, reason: messageOf(error) }, 'a subscriber of the bus failed')
  try {
    const result: unknown = run(payload)
    if (result instanceof Promise) result.catch(failed)
  } catch (error) {
    failed(error)
  }
}
