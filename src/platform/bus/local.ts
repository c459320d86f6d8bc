import { type Logger, silentLogger } from '../logger.ts'
import { createFace } from './face.ts'
import { createHub } from './hub.ts'
import type { Bus } from './port.ts'

/**
 * The bus of a network that is one process.
 * @example
 * const bus = createLocalBus({ logger })
 */
export function createLocalBus({ logger = silentLogger }: { logger?: Logger } = {}): Bus {
  const nobody = async (): Promise<void> => undefined
  return createFace(createHub({}, { logger }), { send: () => undefined, flush: nobody, close: nobody })
}
