import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { filesUnder, ROOT } from './support/source.ts'

const SOURCES = join(ROOT, 'contracts/src')

/** Lines of code with a pattern, as `file: line`; comments do not count. */
function linesWith(pattern: RegExp): string[] {
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.sol'))
  return files.flatMap(file =>
    readFileSync(join(SOURCES, file), 'utf8')
      .split('\n')
      .filter(line => !/^\s*(?:\/\/|\*|\/\*)/.test(line) && pattern.test(line))
      .map(line => `${file}: ${line.trim()}`),
  )
}
const filesWith = (pattern: RegExp): string[] => [...new Set(linesWith(pattern).map(line => line.split(':')[0] ?? ''))].sort()

/** What `docs/reference/contract-review.md` says and a search can see. Who changes it reviews, and then changes both. */
describe('contracts, as reviewed', () => {
  test.each([/\btx\.origin\b/, /\bdelegatecall\b/, /\bselfdestruct\b/, /\bassembly\b/, /\becrecover\b/, /\bprevrandao\b/])(
    'behavior: nothing uses %s',
    pattern => {
      expect(linesWith(pattern)).toEqual([])
    },
  )
  test('behavior: native coins leave by one function', () => {
    expect(filesWith(/\.(?:call|send|transfer)\s*\{|\.sendValue\(/)).toEqual(['libraries/NativeTransfer.sol'])
  })
  test('behavior: unchecked arithmetic stands where it was reviewed', () => {
    expect(filesWith(/\bunchecked\b/)).toEqual([
      'libraries/EscrowLib.sol',
      'libraries/MoneyLib.sol',
      'settlement/CreditVault.sol',
      'settlement/JobSettlement.sol',
    ])
  })
  test('behavior: packed encoding only of one list at a time', () => {
    const lines = linesWith(/abi\.encodePacked\(/)
    expect(lines).toHaveLength(2)
    for (const line of lines) expect(line).toMatch(/keccak256\(abi\.encodePacked\(batch\.\w+\)\)/)
  })
  test('behavior: one compiler', () => {
    expect(new Set(linesWith(/^pragma solidity/).map(line => line.split(': ')[1]))).toEqual(new Set(['pragma solidity 0.8.30;']))
  })
  test('behavior: each test that the review names is there', () => {
    const review = readFileSync(join(ROOT, 'docs/reference/contract-review.md'), 'utf8')
    const tests = filesUnder('contracts/test', /\.t\.sol$/).map(file => readFileSync(join(ROOT, file), 'utf8'))
    const named = [...review.matchAll(/`(test(?:Fuzz)?_\w+)`/g)].map(match => match[1] ?? '')
    expect(named.length).toBeGreaterThan(40)
    expect(named.filter(name => !tests.some(text => text.includes(`function ${name}(`)))).toEqual([])
  })
})
