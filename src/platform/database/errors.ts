import { HeuristError, messageOf } from '#protocol'
import type { DatabaseErrorCode } from './port.ts'

type PgError = Error & { readonly code?: string; readonly constraint?: string; readonly detail?: string }

const UNAVAILABLE_CODES =
  /^(08...|57P0.|57014|53300|53400|40001|40P01|55P03|ECONN.*|EPIPE|ETIMEDOUT|ENOENT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN)$/
const UNAVAILABLE_MESSAGES =
  /connection terminated|connection ended|timeout exceeded when trying to connect|query read timeout|client has encountered a connection error|not queryable|client was closed/i
const FULL_MESSAGES = /no space left on device|disk full|disk quota exceeded/i
const CORRUPT_CODES = /^(XX001|XX002|58P01)$/

/** True when the same statement may succeed later, as it is. */
function isOutage(error: PgError): boolean {
  return UNAVAILABLE_CODES.test(error.code ?? '') || UNAVAILABLE_MESSAGES.test(error.message)
}

/** Turns what the driver throws into our errors; what is no known fault of the server passes through unchanged. */
export function toDatabaseError(error: unknown): unknown {
  if (error instanceof HeuristError || !(error instanceof Error)) return error
  const fault: PgError = error
  if (fault.code === '53100' || FULL_MESSAGES.test(fault.message)) return databaseFull(error)
  if (fault.code === 'HL001') return ledgerError('LEDGER_UNBALANCED', `A ${fault.message}. Nothing of it was written.`, error)
  if (fault.constraint === 'ledger_accounts_overdrawn') {
    return ledgerError('LEDGER_OVERDRAWN', 'A ledger account would fall below zero. Nothing was written; read its balance again.', error)
  }
  if (CORRUPT_CODES.test(fault.code ?? '')) {
    return new HeuristError<DatabaseErrorCode>(
      'DATABASE_CORRUPT',
      `The database reports damaged or missing files: ${messageOf(error)}. Stop everything, keep a copy of the data directory, and restore a backup.`,
      { cause: error },
    )
  }
  return isOutage(fault) ? databaseUnavailable(error) : error
}

function ledgerError(code: 'LEDGER_UNBALANCED' | 'LEDGER_OVERDRAWN', message: string, cause: unknown): HeuristError<DatabaseErrorCode> {
  return new HeuristError<DatabaseErrorCode>(code, message, { cause })
}

export function databaseFull(cause: unknown): HeuristError<DatabaseErrorCode> {
  return new HeuristError<DatabaseErrorCode>(
    'DATABASE_FULL',
    "No space is left on the database's disk. Nothing that was acknowledged is lost; free some space and try again.",
    { cause, retryable: true },
  )
}

export function databaseUnavailable(cause: unknown): HeuristError<DatabaseErrorCode> {
  return new HeuristError<DatabaseErrorCode>(
    'DATABASE_UNAVAILABLE',
    `The database can not be reached (${messageOf(cause)}). The call was not acknowledged; try again when the server is back.`,
    { cause, retryable: true },
  )
}

/** Runs `work` and translates what it throws. */
export async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw toDatabaseError(error)
  }
}
