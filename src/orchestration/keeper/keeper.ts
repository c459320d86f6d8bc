import { type Clock, type Logger, type Metrics, repeat } from '#platform'
import { messageOf } from '#protocol'

/**
 * Something that has to be done on chain from time to time and that anybody may do. A task looks first and acts only when there
 * is something to do, so that it is safe to run twice, and beside another keeper. Resolves with what it did, in words.
 */
export type KeeperTask = { readonly name: string; run(): Promise<readonly string[]> }

export type KeeperOptions = {
  /** Pause between two rounds, in ms (default 15,000). */
  readonly everyMs?: number
}
export type KeeperDependencies = {
  readonly tasks: readonly KeeperTask[]
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
}
export type Keeper = {
  start(): void
  /** One round now, after the one that runs. Never rejects: a failed task is logged and tried again in the next round. */
  round(): Promise<readonly string[]>
  stop(): Promise<void>
}

const DEFAULT_EVERY_MS = 15_000

/** Runs the tasks one after the other, round after round. A task that fails does not keep the others from their turn. */
export function createKeeper(options: KeeperOptions, dependencies: KeeperDependencies): Keeper {
  const { tasks, clock, logger, metrics } = dependencies
  const done = metrics.counter('heurist_keeper_actions_total', 'What keepers did on chain.', ['task'])
  const failed = metrics.counter('heurist_keeper_failures_total', 'Keeper tasks that failed; they are tried again.', ['task'])
  let stopped = false
  let stopRepeating = (): void => undefined
  let turn: Promise<readonly string[]> = Promise.resolve([])

  async function runAll(): Promise<readonly string[]> {
    const all: string[] = []
    for (const task of tasks) {
      if (stopped) break
      try {
        for (const what of await task.run()) {
          all.push(what)
          done.inc({ task: task.name })
          logger.info({ task: task.name }, what)
        }
      } catch (error) {
        failed.inc({ task: task.name })
        logger.warn({ task: task.name, reason: messageOf(error) }, 'a keeper task failed; it is tried again')
      }
    }
    return all
  }
  const round = (): Promise<readonly string[]> => {
    turn = turn.then(runAll)
    return turn
  }
  return {
    start() {
      stopRepeating = repeat(clock, options.everyMs ?? DEFAULT_EVERY_MS, round, error =>
        logger.error({ reason: messageOf(error) }, 'a round of the keeper failed; the next one comes'),
      )
    },
    round,
    async stop() {
      stopped = true
      stopRepeating()
      await turn
    },
  }
}
