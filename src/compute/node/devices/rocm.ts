import { z } from 'zod'
import type { Device } from '#protocol'
import type { RunCommand } from './command.ts'
import type { Detected } from './nvidia.ts'
import { wholeGpu } from './whole.ts'

const cardSchema = z.record(z.string(), z.unknown())
const ARGUMENTS = ['--showproductname', '--showmeminfo', 'vram', '--showuniqueid', '--json']

/**
 * Cards of `rocm-smi … --json`. Member names changed their case between releases 5 and 6 ("Card series", "Card Series"), and warnings
 * about sleeping cards stand before the JSON. Null when there is no JSON at all.
 */
export function parseRocm(output: string): Detected | null {
  const value = readJson(output)
  if (value === null) return null
  const devices: Device[] = []
  const notes: string[] = []
  for (const [card, members] of Object.entries(value)) {
    // Beside the cards stands a member "system" with the driver's version.
    if (!/^card\d+$/.test(card)) continue
    const parsed = cardSchema.safeParse(members)
    const device = parsed.success ? deviceOf(card, lowerCased(parsed.data)) : null
    if (device) devices.push(device)
    else notes.push(`rocm-smi does not say how much memory ${card} has; it is not used.`)
  }
  return { devices, notes }
}

function readJson(output: string): z.output<typeof cardSchema> | null {
  const start = output.indexOf('{')
  if (start < 0) return null
  try {
    return cardSchema.parse(JSON.parse(output.slice(start, output.lastIndexOf('}') + 1)))
  } catch {
    return null
  }
}

function lowerCased(members: Record<string, unknown>): Map<string, string> {
  return new Map(Object.entries(members).map(([name, value]) => [name.toLowerCase(), textOf(value)]))
}

/** A member is a word or a number; whatever else a broken tool puts there says nothing. */
function textOf(value: unknown): string {
  return typeof value === 'object' ? '' : String(value).trim()
}

function deviceOf(card: string, members: Map<string, string>): Device | null {
  const memoryBytes = Number(members.get('vram total memory (b)'))
  if (!Number.isSafeInteger(memoryBytes) || memoryBytes <= 0) return null
  // Compute capability is NVIDIA's scale; a pod that asks for one asks for NVIDIA.
  return wholeGpu({ id: idOf(card, members), name: nameOf(members), memoryBytes, computeCapability: 0 })
}

function idOf(card: string, members: Map<string, string>): string {
  const uniqueId = members.get('unique id')
  const isNamed = uniqueId !== undefined && /^0x[0-9a-f]+$/i.test(uniqueId)
  return isNamed ? `AMD-${uniqueId}` : `AMD-${card}`
}

/** The cards of `rocm-smi … --json` under their device ids, member names in lower case. */
export function rocmCards(output: string): { readonly id: string; readonly members: Map<string, string> }[] {
  return Object.entries(readJson(output) ?? {}).flatMap(([card, value]) => {
    const parsed = cardSchema.safeParse(value)
    if (!/^card\d+$/.test(card) || !parsed.success) return []
    const members = lowerCased(parsed.data)
    return [{ id: idOf(card, members), members }]
  })
}

/** The first member that is a name and not a number: old releases put "0x74a1" where new ones put the model. */
function nameOf(members: Map<string, string>): string {
  const candidates = ['device name', 'card series', 'card model', 'card sku'].map(key => members.get(key))
  const name = candidates.find(text => text !== undefined && text !== '' && text !== 'N/A' && !text.startsWith('0x'))
  const architecture = members.get('gfx version')
  return `${name ?? 'AMD GPU'}${architecture ? ` (${architecture})` : ''}`
}

/** AMD GPUs of this machine. A missing or broken tool means none, with a note that says why. */
export async function detectRocm(run: RunCommand): Promise<Detected> {
  const answer = await run('rocm-smi', ARGUMENTS)
  if (answer.code === null) return { devices: [], notes: [] }
  const detected = parseRocm(answer.stdout)
  if (detected && (detected.devices.length > 0 || answer.code === 0)) return detected
  const reason = (answer.stderr.trim() || answer.stdout.trim()).split('\n')[0] || 'it printed nothing'
  return { devices: [], notes: [`rocm-smi failed (exit ${answer.code}): ${reason}. Its GPUs are not used; repair the driver to use them.`] }
}
