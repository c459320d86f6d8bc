import { checkPayload, checkTopic } from './errors.ts'
import type { Hub } from './hub.ts'
import type { Bus } from './port.ts'

/** What a driver does with a message for the other processes, and how it ends. */
export type Carrier = {
  send(topic: string, payload: string): void
  /** Sends what waits. */
  flush(): Promise<void>
  close(): Promise<void>
}

/** The bus as its users see it, the same whatever carries the messages: this process hears its own without the way over a server. */
export function createFace(hub: Hub, carrier: Carrier): Bus {
  let stopped: Promise<void> | null = null
  return {
    publish(topic, payload) {
      checkTopic(topic)
      checkPayload(topic, payload)
      if (stopped) return
      hub.deliverSoon(topic, payload)
      carrier.send(topic, payload)
    },
    subscribe: hub.subscribe,
    stop() {
      stopped ??= carrier.flush().then(() => {
        hub.stop()
        return carrier.close()
      })
      return stopped
    },
  }
}
