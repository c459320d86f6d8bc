import { createChance } from '../simulation/laws/chance.ts'
import { mutate } from './mutate.ts'
import type { Parser } from './parsers.ts'

/** An input that keeps the processor busy for longer hangs whoever reads it. */
export const HANG_MS = 2_000

export type Crash = { readonly parser: string; readonly seed: number; readonly error: unknown; readonly input: Buffer }
export type Fuzzed = {
  readonly parser: string
  readonly inputs: number
  readonly accepted: number
  readonly slowestMs: number
  readonly crashes: readonly Crash[]
}

/** The input of a seed; the first of a parser are its samples as they are. */
export function inputOf({ name, samples }: Parser, seed: number): Buffer {
  return samples[seed] ?? mutate(samples, createChance(seed).stream(name))
}

/** Feeds a parser with the inputs of `seeds`, from the first to before the second. A number names an input for ever. */
export function fuzz(parser: Parser, [from, to]: readonly [number, number]): Fuzzed {
  const { name } = parser
  const crashes: Crash[] = []
  let accepted = 0
  let slowestMs = 0
  for (let seed = from; seed < to; seed++) {
    const input = inputOf(parser, seed)
    // Of the processor and not of the wall: a busy machine is no slow parser.
    const startUs = process.cpuUsage().user
    try {
      parser.parse(input)
      accepted += 1
    } catch (error) {
      if (!parser.promises(error)) crashes.push({ parser: name, seed, error, input })
    }
    slowestMs = Math.max(slowestMs, (process.cpuUsage().user - startUs) / 1000)
  }
  return { parser: name, inputs: to - from, accepted, slowestMs, crashes }
}
