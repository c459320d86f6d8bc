/**
 * `npm run fuzz [-- --inputs 200000] [--from 0] [--parser <name>] [--seed N]`: mutates what strangers write and reads it as we would, so many
 * inputs for each parser. `--from` goes on behind an earlier run. `--seed` with `--parser` shows one input.
 */
import { parseArgs } from 'node:util'
import { type Fuzzed, fuzz, HANG_MS, inputOf } from './fuzz.ts'
import { PARSERS } from './parsers.ts'

const text = { type: 'string' } as const
const { values } = parseArgs({ options: { inputs: text, from: text, parser: text, seed: text } })
const chosen = PARSERS.filter(({ name }) => values.parser === undefined || name === values.parser)

function row({ parser, inputs, accepted, slowestMs, crashes }: Fuzzed): string {
  return `${parser.padEnd(28)} ${String(inputs).padStart(8)} inputs, ${String(accepted).padStart(7)} accepted, slowest ${slowestMs.toFixed(0)} ms, ${crashes.length} crashes`
}

function fuzzAll(from: number, inputs: number): boolean {
  let failed = 0
  for (const parser of chosen) {
    const fuzzed = fuzz(parser, [from, from + inputs])
    console.log(row(fuzzed))
    for (const { seed, error } of fuzzed.crashes.slice(0, 3))
      console.log(`  seed ${seed}: ${error instanceof Error ? error.stack : String(error)}`)
    if (fuzzed.crashes.length > 0 || fuzzed.slowestMs > HANG_MS) failed += 1
  }
  console.log(`fuzz: ${chosen.length - failed} passed, ${failed} failed`)
  return failed === 0
}

if (values.seed !== undefined) for (const parser of chosen) process.stdout.write(inputOf(parser, Number(values.seed)))
else process.exitCode = fuzzAll(Number(values.from ?? 0), Number(values.inputs ?? 200_000)) ? 0 : 1
if (process.connected) process.disconnect()
