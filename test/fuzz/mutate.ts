import type { Chance } from '../simulation/laws/chance.ts'

/** Bytes that parsers stumble over: structure, escapes, ends of ranges, halves of characters. */
const TOKENS = [
  '{',
  '}',
  '[',
  ']',
  '"',
  '\\',
  ':',
  ',',
  '\n',
  '\r',
  '\r\n',
  '\0',
  ' ',
  '&a ',
  '*a',
  '!!binary ',
  '---\n',
  '<',
  '>',
  '<![CDATA[',
  '\\ud800',
  '\\u0000',
  '\ufeff',
  '\ud83d\ude00',
  '__proto__',
  'constructor',
  'toString',
  'null',
  'true',
  'NaN',
  '-0',
  '-1',
  '1e999',
  '9007199254740993',
  '4294967296',
  '0x',
  'data:',
  'data: [DONE]\n\n',
  'GPU-',
  'MIG ',
  'N/A',
  '[Not Supported]',
  '999999999999999999999999999999',
].map(token => Buffer.from(token))
const LONGEST = 64 * 1024

type Mutation = (input: Buffer, chance: Chance, others: readonly Buffer[]) => Buffer

function cutAt(input: Buffer, chance: Chance): [Buffer, Buffer] {
  const at = chance.between(0, input.length)
  return [input.subarray(0, at), input.subarray(at)]
}

function without(input: Buffer, chance: Chance): Buffer {
  const [before, after] = cutAt(input, chance)
  return Buffer.concat([before, after.subarray(chance.between(1, 32))])
}

const MUTATIONS: readonly Mutation[] = [
  (input, chance) => {
    const changed = Buffer.from(input)
    for (let i = chance.between(1, 8); i > 0 && changed.length > 0; i--)
      changed[chance.between(0, changed.length - 1)]! ^= 1 << chance.between(0, 7)
    return changed
  },
  (input, chance) => {
    const [before, after] = cutAt(input, chance)
    return Buffer.concat([before, chance.of(TOKENS), after])
  },
  (input, chance) => Buffer.concat([without(input, chance)]),
  (input, chance) => cutAt(input, chance)[0],
  (input, chance) => {
    const [before, after] = cutAt(input, chance)
    return Buffer.concat([before, chance.bytes(chance.between(1, 16)), after])
  },
  (input, chance) => {
    const [before, after] = cutAt(input, chance)
    const piece = after.subarray(0, chance.between(1, 64))
    const times = Math.min(chance.of([2, 10, 1_000]), Math.floor(LONGEST / Math.max(1, piece.length)))
    return Buffer.concat([before, ...Array.from({ length: times }, () => piece), after])
  },
  (input, chance, others) => Buffer.concat([cutAt(input, chance)[0], cutAt(chance.of(others), chance)[1]]),
  // Nested deeper than a recursive reader has stack.
  (input, chance) => {
    const [before, after] = cutAt(input, chance)
    const [open, close] = chance.of([
      ['[', ']'],
      ['{"a":', '}'],
    ] as const)
    const depth = chance.of([100, 10_000])
    return Buffer.concat([before, Buffer.from(`${open.repeat(depth)}1${close.repeat(depth)}`), after])
  },
  // A number becomes another: lengths, counts and indices are where bounds are forgotten.
  (input, chance) =>
    Buffer.from(
      input.toString('latin1').replace(/\d+/, () => chance.of(['-1', '0', '1e999', '4294967295', '9007199254740993'])),
      'latin1',
    ),
]

/** A sample after one to four mutations. */
export function mutate(samples: readonly Buffer[], chance: Chance): Buffer {
  let input = chance.of(samples)
  for (let i = chance.between(1, 4); i > 0; i--)
    input = chance
      .of(MUTATIONS)(input, chance, samples)
      .subarray(0, 4 * LONGEST)
  return input
}
