import type { Logger } from '#platform'
import { messageOf } from '#protocol'

/** What was started is stopped in the opposite order, also when one part fails to stop. */
export async function stopAll(undo: (() => Promise<unknown>)[], logger: Logger): Promise<void> {
  for (const stop of undo.reverse()) {
    try {
      await stop()
    } catch (error) {
      logger.error({ reason: messageOf(error) }, 'a part did not stop cleanly')
    }
  }
}
