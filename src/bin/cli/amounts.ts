import type { Command } from 'commander'
import { formatUnits, parseUnits } from '#protocol'
import { usageError } from './commands.ts'

/** Wei of HEU as exact text. */
export function heuText(wei: bigint | string): string {
  return formatUnits(BigInt(wei), 18)
}

/** "1.5" -> wei, at least `least`. @throws HeuristError CLI_USAGE */
export function parseHeu(text: string, least = 1n): bigint {
  const wei = unitsOf(text, 18)
  if (wei !== null && wei >= least) return wei
  throw usageError(`"${text}" is no amount of HEU: give a positive number with at most 18 decimal places, for example 12.5.`)
}

/** "12.5" or "12.5%" -> 1250 basis points. */
export function parsePercent(text: string, least = 1): number {
  const bps = Number(unitsOf(text.replace(/%$/, ''), 2) ?? -1n)
  if (bps >= least && bps <= 10_000) return bps
  throw usageError(`"${text}" is no percentage: give a number up to 100 with at most two decimal places, for example 12.5.`)
}

/** Basis points as a person reads them. */
export function percentText(bps: number | bigint): string {
  return `${formatUnits(BigInt(bps), 2)} %`
}

/** A WAD share as a percentage with two places, rounded down. */
export function wadPercent(wad: bigint | string): string {
  return percentText((BigInt(wad) * 10_000n) / 10n ** 18n)
}

/** "6 d 23 h", "59 min", "12 s". */
export function durationText(seconds: number): string {
  if (seconds >= 86_400) return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`
  if (seconds >= 3600) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
  return seconds >= 60 ? `${Math.floor(seconds / 60)} min` : `${seconds} s`
}

/** The options of every command that sends transactions. */
export function sending(command: Command): Command {
  return command
    .option('--dry-run', 'show what would change and send nothing')
    .option('--as <account>', 'whose account: a node of this machine (its owner) or a role; default: developer')
}

/** Units of an amount, or null when it is none. */
export function unitsOf(text: string, decimals: number): bigint | null {
  try {
    return parseUnits(text, decimals)
  } catch {
    return null
  }
}
