import { type Logger, silentLogger } from '../logger.ts'
import { checkPayload, checkTopic } from './errors.ts'
import { createHub } from './hub.ts'
import type { Bus } from './port.ts'

/**
 * The bus of a network that is one process.
 * @example
 * const bus = createLocalBus({ logger })
 */
export function createLocalBus({ logger = silentLogger }: { logger?: Logger } = {}): Bus {
  const hub = createHub({}, { logger })
  let stopped = false
  return {
    publish(topic, payload) {
      checkTopic(topic)
      checkPayload(topic, payload)
      if (!stopped) hub.deliverSoon(topic, payload)
    },
    subscribe: hub.subscribe,
    async stop() {
      stopped = true
      hub.stop()
    },
  }
}
