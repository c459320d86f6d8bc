import type { Asset } from './api.ts'

export function short(hex: string | null | undefined): string {
  return hex ? (hex.length > 18 ? `${hex.slice(0, 8)}…${hex.slice(-4)}` : hex) : '–'
}

export function amount(value: string | null, asset: string, assets: readonly Asset[] = []): string {
  const known = assets.find(({ address }) => address === asset)
  if (value === null) return '–'
  if (!known) return `${value} of ${short(asset)}`
  const digits = value.padStart(known.decimals + 1, '0')
  const fraction = digits.slice(-known.decimals).replace(/0+$/, '')
  return `${digits.slice(0, -known.decimals)}${fraction && `.${fraction}`} ${known.symbol}`
}

export function ago(ms: number | null, now = Date.now()): string {
  if (ms === null) return '–'
  const seconds = Math.max(0, Math.round((now - ms) / 1000))
  if (seconds < 60) return `${seconds} s ago`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`
  return new Date(ms).toLocaleString()
}

export function bytes(value: number): string {
  return value > 2 ** 30 ? `${(value / 2 ** 30).toFixed(1)} GiB` : `${(value / 2 ** 20).toFixed(0)} MiB`
}

export function credits(text: string): string {
  const value = Number(text)
  return value.toLocaleString(undefined, { maximumFractionDigits: value < 1 ? 6 : 3 })
}

/** Wei of HEU for reading: whole coins with up to four decimal places. */
export function heu(wei: string): string {
  const value = Number(wei) / 1e18
  const maximumFractionDigits = value >= 1000 ? 0 : value >= 1 ? 4 : 8
  return `${value.toLocaleString(undefined, { maximumFractionDigits })} HEU`
}

/** Micro-dollars of the stablecoin. */
export function usd(micros: string): string {
  return `${(Number(micros) / 1e6).toLocaleString(undefined, { maximumFractionDigits: 6 })} USD`
}

/** A WAD share as a percentage. */
export function share(wad: string): string {
  return `${(Number(wad) / 1e16).toLocaleString(undefined, { maximumFractionDigits: 2 })} %`
}

export function duration(seconds: number): string {
  if (seconds >= 86_400) return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`
  if (seconds >= 3600) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
  return seconds >= 60 ? `${Math.floor(seconds / 60)} min` : `${seconds} s`
}

/** Unix seconds of the chain. */
export function chainDate(seconds: number): string {
  return seconds === 0 ? '–' : `${new Date(seconds * 1000).toISOString().replace('T', ' ').slice(0, 16)} UTC`
}
