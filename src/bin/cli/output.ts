import Table from 'cli-table3'
import pc from 'picocolors'
import { type HeuristError, isHeuristError, jsonText, messageOf } from '#protocol'

/** Exit codes of the CLI, as its help says. */
export const EXIT = { ok: 0, failed: 1, usage: 2, unreachable: 3, notFound: 4, mismatch: 5 } as const

/** Where a command's answer goes: JSON for programs, tables for people. Data to stdout, everything else to stderr. */
export type Output = {
  readonly json: boolean
  /** Prints `value` as JSON, or calls `human` for the text form. */
  answer(value: unknown, human: () => string): void
  /** A line about progress; never mixes with data. */
  note(line: string): void
}

export function createOutput(json: boolean): Output {
  return {
    json,
    answer(value, human) {
      const text = json ? jsonText(value, 2) : human()
      process.stdout.write(`${text}\n`)
    },
    note(line) {
      if (!json) process.stderr.write(`${line}\n`)
    },
  }
}

export function table(head: readonly string[], rows: readonly (readonly (string | number | null | undefined)[])[]): string {
  if (rows.length === 0) return pc.dim('(none)')
  const made = new Table({ head: head.map(name => pc.bold(name)), style: { head: [], border: [], compact: true }, chars: PLAIN_BORDERS })
  for (const row of rows) made.push(row.map(cell => String(cell ?? '-')))
  return made.toString()
}

// Borders would be copied along when a person copies an id out of a table.
const PLAIN_BORDERS = Object.fromEntries(
  [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
    'left',
    'left-mid',
    'mid',
    'mid-mid',
    'right',
    'right-mid',
  ].map(name => [name, '']),
)

export function short(hex: string | null | undefined): string {
  return hex && hex.length > 20 ? `${hex.slice(0, 10)}…${hex.slice(-4)}` : (hex ?? '-')
}

export function time(ms: number | null | undefined): string {
  return ms ? new Date(ms).toISOString().replace('T', ' ').slice(0, 19) : '-'
}

/** An error as `--json` prints it. */
export function errorJson(code: string, message: string): string {
  return JSON.stringify({ error: { code, message } })
}

/** Prints an error with what to do, and answers the exit code. */
export function reportError(error: unknown, json: boolean): number {
  const code = isHeuristError(error) ? error.code : 'UNEXPECTED'
  if (json) process.stdout.write(`${errorJson(code, messageOf(error))}\n`)
  else process.stderr.write(`${pc.red('error')} ${messageOf(error)}\n`)
  return exitCodeOf(error)
}

function exitCodeOf(error: unknown): number {
  if (!isHeuristError(error)) return EXIT.failed
  const codes: Record<string, number> = {
    CLI_UNREACHABLE: EXIT.unreachable,
    CLI_NOT_RUNNING: EXIT.unreachable,
    CLI_USAGE: EXIT.usage,
    CHAIN_BAD_CALL: EXIT.usage,
    SECRET_INVALID: EXIT.usage,
    CLI_NOT_FOUND: EXIT.notFound,
  }
  return codes[(error as HeuristError).code] ?? (error.code.startsWith('CONFIG_') ? EXIT.usage : EXIT.failed) // cast: narrowed just above
}
