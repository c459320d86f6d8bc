import pg from 'pg'
import { messageOf } from '#protocol'
import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'

export type LeaderOptions = {
  readonly connectionString: string
  /** What is led; one leader of each name. */
  readonly name: string
  /** Gives up waiting. */
  readonly signal: AbortSignal
}

/** The right to be the only one who does something, as long as `lost` is not told. */
export type Leadership = {
  /** Resolves with the reason when the server may have given it to another. Stop at once. */
  readonly lost: Promise<string>
  release(): Promise<void>
}

/** How often the connection that holds the lock is asked whether it lives, and how long it may take to answer, in ms. */
const ASK_EVERY_MS = 1_000
const ANSWER_MS = 3_000
/** Pause of one that waits, in ms. */
const ASK_AGAIN_MS = 250

/**
 * Waits until this process is the leader: it holds an advisory lock of PostgreSQL on a connection of its own, so that the server takes
 * it back when the process dies. Answers null when `signal` ended the wait.
 *
 * A leader that was cut off may act for some seconds beside its successor. What it does must be fenced elsewhere: batches are, by their
 * number, which is the key of their row and which the settlement contract takes once (law C6).
 */
export async function becomeLeader(options: LeaderOptions, dependencies: { clock: Clock; logger: Logger }): Promise<Leadership | null> {
  const { signal, name } = options
  const { clock, logger } = dependencies
  const pause = (): Promise<void> => new Promise(resolve => clock.after(ASK_AGAIN_MS, resolve))
  while (!signal.aborted) {
    const client = new pg.Client({ connectionString: options.connectionString, keepAlive: true, application_name: `heurist ${name}` })
    client.on('error', () => undefined)
    try {
      await client.connect()
      // Asked again and again: a connection that waits inside the server can not be told to stop.
      while (!signal.aborted) {
        const { rows } = await client.query<{ held: boolean }>('select pg_try_advisory_lock(hashtextextended($1, 0)) as held', [
          `heurist/${name}`,
        ])
        if (rows[0]?.held) return held(client, clock)
        await pause()
      }
    } catch (error) {
      logger.warn({ name, reason: messageOf(error) }, 'the leader lock could not be asked for; it is tried again')
      await pause()
    }
    await client.end().catch(() => undefined)
  }
  return null
}

function held(client: pg.Client, clock: Clock): Leadership {
  const lost = Promise.withResolvers<string>()
  let isReleased = false
  let cancel = (): void => undefined
  const lose = (reason: string): void => {
    cancel()
    if (!isReleased) lost.resolve(reason)
  }
  client.on('error', error => lose(`the connection that held the leader lock broke: ${error.message}`))
  client.on('end', () => lose('the connection that held the leader lock was closed'))
  const ask = async (): Promise<void> => {
    const late = Promise.withResolvers<never>()
    const cancelLate = clock.after(ANSWER_MS, () => late.reject(new Error(`no answer for ${ANSWER_MS} ms`)))
    try {
      await Promise.race([client.query('select 1'), late.promise])
      if (!isReleased) later()
    } catch (error) {
      lose(`the server that keeps the leader lock does not answer: ${messageOf(error)}`)
    } finally {
      cancelLate()
    }
  }
  const later = (): void => {
    cancel = clock.after(ASK_EVERY_MS, () => void ask())
  }
  later()
  return {
    lost: lost.promise,
    async release() {
      isReleased = true
      cancel()
      await client.end().catch(() => undefined)
    },
  }
}
