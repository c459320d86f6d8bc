import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fuzzedCalls } from './support/fuzzed-calls.ts'
import { ROOT } from './support/source.ts'

const snapshots = join(ROOT, 'contracts', 'snapshots')

/** Names of the functions of a contract that change its state. */
function changing(file: string): Set<string> {
  const { abi } = JSON.parse(readFileSync(join(snapshots, file), 'utf8')) as { abi: string[] } // cast: our own generator's
  const entries = abi.filter(entry => /^function /.test(entry) && !/\) (view|pure)\b/.test(entry))
  return new Set(entries.map(entry => /^function (\w+)/.exec(entry)?.[1] ?? ''))
}

describe('fuzzing of calls', () => {
  const files = readdirSync(snapshots).filter(file => file.endsWith('.json'))
  const functions = new Map(files.map(file => [file.replace('.json', ''), changing(file)]))
  const fuzzed = fuzzedCalls(functions)

  test.each([...functions])('behavior: each call that changes %s is in a fuzz test or an invariant handler', (contract, names) => {
    expect([...names].filter(name => !fuzzed.has(`${contract}.${name}`))).toEqual([])
  })

  test('behavior: what only plain tests call is not fuzzed', () => {
    const asked = new Map([['JobSettlement', new Set(['settle', 'genesisHash', 'nothingLikeIt'])]])
    expect(fuzzedCalls(asked)).toEqual(new Set(['JobSettlement.settle']))
  })
})
