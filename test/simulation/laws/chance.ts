import type { RandomBytes } from '#platform'
import { seededRandom } from '../random.ts'

/** Everything that chance decides, from one seed. */
export type Chance = {
  /** In [0, 1). */
  readonly next: () => number
  /** True with this probability. */
  happens(probability: number): boolean
  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number
  of<T>(choices: readonly T[]): T
  readonly bytes: RandomBytes
  /** An independent stream by name: what one part of the story draws does not change what another draws. */
  stream(name: string): Chance
}

function hashOf(text: string, seed: number): number {
  let hash = seed ^ 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

export function createChance(seed: number): Chance {
  const next = seededRandom(seed)
  const between = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1))
  return {
    next,
    happens: probability => next() < probability,
    between,
    of: choices => choices[between(0, choices.length - 1)]!,
    bytes: length => Uint8Array.from({ length }, () => between(0, 255)),
    stream: name => createChance(hashOf(name, seed)),
  }
}
