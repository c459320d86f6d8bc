import pg from 'pg'
import type { Logger } from '../logger.ts'

export type PoolOptions = {
  readonly connectionString: string
  /** Connections that this process may open. */
  readonly maxConnections: number
  /** Longest time that one statement may take, in ms. */
  readonly statementTimeoutMs: number
  /** Longest wait for a connection, in ms. */
  readonly connectTimeoutMs: number
}

const INT8 = 20
const NUMERIC = 1700

/** Connections whose int8 arrive as number (times and sequences stay below 2^53) and whose numeric (money) as bigint. */
export function createPool(options: PoolOptions, logger: Logger): pg.Pool {
  const types = new pg.TypeOverrides()
  types.setTypeParser(INT8, Number)
  types.setTypeParser(NUMERIC, BigInt)
  const pool = new pg.Pool({
    connectionString: options.connectionString,
    max: options.maxConnections,
    connectionTimeoutMillis: options.connectTimeoutMs,
    statement_timeout: options.statementTimeoutMs,
    // The server may be stopped and never answer: then this side gives up as well.
    query_timeout: options.statementTimeoutMs + 2_000,
    application_name: 'heurist',
    keepAlive: true,
    idleTimeoutMillis: 60_000,
    // A forgotten pool must not keep a process alive.
    allowExitOnIdle: true,
    types,
  })
  // An idle connection that breaks is only news: the next query opens another.
  pool.on('connect', client => {
    // The pool listens to idle connections and a query to its own; one that is taken and between two queries would take the process with it.
    client.on('error', error => logger.debug({ reason: error.message }, 'a database connection broke'))
  })
  pool.on('error', error => logger.debug({ reason: error.message }, 'an idle database connection broke'))
  return pool
}
