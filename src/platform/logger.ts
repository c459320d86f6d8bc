import { type Logger as PinoLogger, pino } from 'pino'

/** Structured logs. Levels by audience: operator warn/error, engineer info, developer debug. Ids, never prompts, keys or secrets. */
export type Logger = Pick<PinoLogger, 'debug' | 'info' | 'warn' | 'error' | 'child'>

/** JSON lines to `file`, or to stderr without one. Secret-looking members are removed. */
export function createLogger(options: { level: string; role: string; file?: string }): Logger {
  const settings = {
    level: options.level,
    base: { role: options.role },
    redact: { paths: ['*.authorization', '*.privateKey', '*.apiKey', 'authorization', 'privateKey', 'apiKey'], remove: true },
  }
  return pino(settings, pino.destination({ dest: options.file ?? 2, sync: false, mkdir: true, mode: 0o600 }))
}

export const silentLogger: Logger = pino({ level: 'silent' })
